// In the handlers only what is async-signal-safe: no allocation, no locks, write(2) to a file that is open already.
#include <troupe/actors/control/thread_note.hpp>
#include <troupe/app/library/crash_recorder.hpp>
#include <troupe/app/library/crash_text.hpp>
#include <troupe/app/library/file.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

namespace troupe::library {

namespace {

constexpr std::array signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

struct code_range {
  std::uintptr_t begin = 0, end = 0;
  std::array<char, 64> digest{};
};

/// The one whose handlers are installed: a signal handler gets no argument of ours.
std::atomic<crash_recorder::state*> active{nullptr};

pid_t this_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

} // namespace

struct crash_recorder::state {
  descriptor file;
  pid_t process = ::getpid();
  std::array<struct sigaction, signals.size()> before{};
  std::terminate_handler terminate_before = nullptr;
  std::function<std::optional<std::string>(std::string)> text_filter;
  std::atomic<pid_t> writer{0}; ///< The thread that writes the record, or has written it.

  static constexpr std::size_t most_ranges = 4096;
  std::unique_ptr<code_range[]> ranges = std::make_unique<code_range[]>(most_ranges); // NOLINT: read by a handler
  std::atomic<std::size_t> reserved{0};
  std::array<std::atomic<bool>, most_ranges> filled{};

  const code_range* range_of(std::uintptr_t address) const noexcept {
    const auto n = std::min(reserved.load(), most_ranges);
    for (std::size_t i = 0; i < n; ++i)
      if (filled[i].load() && address >= ranges[i].begin && address < ranges[i].end)
        return &ranges[i];
    return nullptr;
  }

  /// Where it happened, else the nearest return address (or what looks like one) on the stack.
  const code_range* range_of(std::uintptr_t pc, std::uintptr_t stack) const noexcept {
    if (const auto* found = range_of(pc))
      return found;
    if (reserved.load() == 0)
      return nullptr;
    std::array<std::uintptr_t, 128> words{};
    for (std::size_t read = 0; read < std::size_t{256} << 10U; read += sizeof words) {
      // By the kernel: it tells, where reading ourselves would fail, that the stack ends.
      const iovec to{words.data(), sizeof words}, from{reinterpret_cast<void*>(stack + read), sizeof words};
      const auto got = ::process_vm_readv(process, &to, 1, &from, 1, 0);
      for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got) / sizeof words[0]; ++i)
        if (const auto* found = range_of(words[i]))
          return found;
      if (got != static_cast<ssize_t>(sizeof words))
        return nullptr;
    }
    return nullptr;
  }

  /// False: this thread has written it already, or this is a child process. Does not return when another thread writes.
  bool claim() noexcept {
    if (process != ::getpid())
      return false;
    pid_t nobody = 0;
    if (writer.compare_exchange_strong(nobody, this_thread()))
      return true;
    while (writer.load() != this_thread())
      ::pause(); // until the process ends by what the other thread did
    return false;
  }

  void record(int signal, const char* cause, const char* text, std::uintptr_t pc, std::uintptr_t stack) noexcept {
    crash_text out;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    out.begin();
    out.field("time",
              static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000);
    out.field("signal", static_cast<std::uint64_t>(signal));
    out.field("cause", cause);
    if (const auto* note = control::innermost_note()) {
      out.field("what", note->what);
      if (note->deployment)
        out.field("deployment", *note->deployment);
      out.field("revision", note->revision);
      out.field("replica", note->replica);
    }
    if (const auto* code = range_of(pc, stack))
      out.field("digest", std::string_view{code->digest.data(), code->digest.size()});
    if (text)
      out.field("text", text);
    out.end();
    out.write_to(file.get());
  }

  static void on_signal(int signal, siginfo_t* info, void* context) {
    const auto number = errno;
    auto* self = active.load();
    if (!self) {
      ::signal(signal, SIG_DFL);
      return;
    }
    const bool from_elsewhere = info->si_code <= 0 && info->si_pid != self->process; // kill(1) blames nobody
    if (!from_elsewhere && self->claim()) {
#if defined(__x86_64__)
      const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
      const auto pc = static_cast<std::uintptr_t>(registers[REG_RIP]),
                 sp = static_cast<std::uintptr_t>(registers[REG_RSP]);
#else
      const auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
      const auto pc = static_cast<std::uintptr_t>(machine.pc), sp = static_cast<std::uintptr_t>(machine.sp);
#endif
      self->record(signal, name_of_signal(signal), nullptr, pc, sp);
    }
    // What was there before gets it next: a fault happens again on return, anything else is sent again.
    for (std::size_t i = 0; i < signals.size(); ++i)
      if (signals[i] == signal)
        ::sigaction(signal, &self->before[i], nullptr);
    if (info->si_code <= 0)
      ::syscall(SYS_tgkill, ::getpid(), this_thread(), signal);
    errno = number;
  }

  /// With the text of an exception, filtered. False when it may not be told as it is.
  bool record_exception(const char* text, std::uintptr_t stack) {
    if (!text_filter) {
      record(SIGABRT, "terminate", text, 0, stack);
      return true;
    }
    const auto shown = text_filter(text);
    record(SIGABRT, "terminate", shown ? shown->c_str() : nullptr, 0, stack);
    return shown == text;
  }

  [[noreturn]] static void on_terminate() {
    auto* self = active.load();
    bool may_be_told = true;
    if (self && self->claim()) {
      const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
      const char* text = "without an exception";
      try {
        if (const auto thrown = std::current_exception())
          std::rethrow_exception(thrown);
        self->record(SIGABRT, "terminate", text, 0, here);
      } catch (const std::exception& e) {
        may_be_told = self->record_exception(e.what(), here);
      } catch (...) {
        self->record(SIGABRT, "terminate", "an exception that is not a std::exception", 0, here);
      }
    }
    if (self && self->terminate_before && may_be_told)
      self->terminate_before();
    std::abort();
  }

  /// User code called exit, quick_exit, _exit or _Exit: not a crash by itself, but the end of the process all the same.
  static void on_exit() {
    auto* self = active.load();
    if (self && control::innermost_note() && self->claim())
      self->record(0, "exit", nullptr, 0, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  }

  /// Gives a thread that runs user code a stack for its signal handlers, so that an exhausted one is recorded, too.
  static void on_first_note() {
    struct second_stack {
      std::unique_ptr<char[]> memory; // NOLINT: raw memory
      second_stack() {
        constexpr std::size_t size = std::size_t{64} << 10U;
        stack_t there{};
        if (::sigaltstack(nullptr, &there) != 0 || (there.ss_flags & SS_DISABLE) == 0)
          return;                                // a sanitizer's
        memory = std::make_unique<char[]>(size); // NOLINT: raw memory
        stack_t mine{};
        mine.ss_sp = memory.get();
        mine.ss_size = size;
        ::sigaltstack(&mine, nullptr);
      }
      second_stack(const second_stack&) = delete;
      second_stack& operator=(const second_stack&) = delete;
      ~second_stack() {
        if (!memory)
          return;
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        ::sigaltstack(&none, nullptr);
      }
    };
    static thread_local const second_stack mine;
  }
};

crash_recorder::crash_recorder(const std::filesystem::path& file) : state_(std::make_unique<state>()) {
  state_->file = descriptor{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!state_->file)
    throw std::runtime_error("cannot write " + file.string() + ": " + text_of_errno(errno));
  state* none = nullptr;
  if (!active.compare_exchange_strong(none, state_.get()))
    throw std::logic_error("there is a crash recorder in this process already");
  static const bool registered = // cannot be taken back
      std::atexit(&state::on_exit) == 0 && std::at_quick_exit(&state::on_exit) == 0;
  static_cast<void>(registered);
  control::set_thread_preparation(&state::on_first_note);
  state_->terminate_before = std::set_terminate(&state::on_terminate);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    struct sigaction mine {};
    mine.sa_sigaction = &state::on_signal;
    mine.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&mine.sa_mask);
    ::sigaction(signals[i], &mine, &state_->before[i]);
  }
}

crash_recorder::~crash_recorder() {
  for (std::size_t i = 0; i < signals.size(); ++i)
    ::sigaction(signals[i], &state_->before[i], nullptr);
  std::set_terminate(state_->terminate_before);
  control::set_thread_preparation(nullptr);
  active = nullptr;
}

void crash_recorder::add_code(std::uintptr_t begin, std::uintptr_t end, const std::string& digest) noexcept {
  const auto i = state_->reserved.fetch_add(1);
  if (i >= state::most_ranges)
    return;
  auto& range = state_->ranges[i];
  range.begin = begin;
  range.end = end;
  std::memcpy(range.digest.data(), digest.data(), std::min(digest.size(), range.digest.size()));
  state_->filled[i] = true;
}

std::vector<crash_record> crash_recorder::read(const std::filesystem::path& file) { return read_crashes(file); }

void crash_recorder::set_text_filter(std::function<std::optional<std::string>(std::string)> f) {
  state_->text_filter = std::move(f);
}

void crash_recorder::note_exit() noexcept { state::on_exit(); }

} // namespace troupe::library

// No handler runs for these. A program that has the recorder defines them, and libraries with user code, which are
// linked against it, get these and not those of the C library.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" __attribute__((visibility("default"))) void _exit(int status) {
  troupe::library::crash_recorder::note_exit();
  for (;;)
    ::syscall(SYS_exit_group, status);
}

extern "C" __attribute__((visibility("default"))) void _Exit(int status) noexcept { ::_exit(status); }
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
