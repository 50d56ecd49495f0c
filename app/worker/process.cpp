// posix_spawn: no code of the daemon runs between fork and exec.
#include <troupe/app/worker/process.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

extern char** environ; // NOLINT(readability-redundant-declaration): POSIX has it in no header

namespace troupe::worker {

namespace {

struct pipe_ends {
  descriptor read;
  descriptor write;
};

pipe_ends make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0)
    throw std::system_error{errno, std::generic_category(), "pipe"};
  return {descriptor{fds[0]}, descriptor{fds[1]}};
}

void must(int rc, const char* what) {
  if (rc != 0)
    throw std::system_error{rc, std::generic_category(), what};
}

/// posix_spawn's two structures.
class spawn_plan {
public:
  spawn_plan() {
    must(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
    must(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void give(const descriptor& from, int as) {
    must(::posix_spawn_file_actions_adddup2(&actions_, from.get(), as), "posix_spawn_file_actions_adddup2");
  }
  void no_input() {
    must(::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0), "addopen");
  }

  pid_t run(const std::string& program, const std::vector<std::string>& variables) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = program;
    std::string command = "worker";
    std::array<char*, 3> words{name.data(), command.data(), nullptr};
    std::vector<char*> env;
    std::vector<std::string> copies = variables;
    env.reserve(copies.size() + 1);
    for (auto& x : copies)
      env.push_back(x.data());
    env.push_back(nullptr);
    pid_t pid = 0;
    must(::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, words.data(), env.data()), program.c_str());
    return pid;
  }

private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// The daemon's variables, with those of the runtime_env over them.
std::vector<std::string> variables_of(const runtime_env& env) {
  std::string path;
  for (const auto& folder : env.library_path)
    path += (path.empty() ? "" : ":") + folder;
  std::vector<std::string> out;
  for (char** x = environ; *x; ++x) {
    const std::string_view text{*x};
    const std::string name{text.substr(0, text.find('='))};
    if (name == "LD_LIBRARY_PATH" && !path.empty()) {
      if (text.size() > name.size() + 1) // an empty entry would be the current folder
        path += ':' + std::string{text.substr(name.size() + 1)};
      continue;
    }
    if (name == "NOTIFY_SOCKET" || name == "LISTEN_FDS" || name == "LISTEN_PID" || name == "WATCHDOG_USEC" ||
        name == "CREDENTIALS_DIRECTORY" || env.env_vars.contains(name))
      continue;
    out.emplace_back(text);
  }
  for (const auto& [name, value] : env.env_vars)
    out.push_back(std::string{name}.append(1, '=').append(value));
  if (!path.empty())
    out.push_back("LD_LIBRARY_PATH=" + path);
  return out;
}

void write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      throw std::system_error{errno, std::generic_category(), "the worker ended before it was told what to run"};
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

} // namespace

result<process> start(const std::string& program, const handover& what) {
  try {
    auto life = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    // Above what they are given as: a descriptor that is its own copy would stay close-on-exec.
    const auto high = [](descriptor& x) { x = descriptor{::fcntl(x.get(), F_DUPFD_CLOEXEC, 10)}; };
    high(life.read);
    high(out.write);
    high(err.write);
    spawn_plan plan;
    plan.no_input();
    plan.give(out.write, STDOUT_FILENO);
    plan.give(err.write, STDERR_FILENO);
    plan.give(life.read, life_fd);
    process made;
    made.pid = plan.run(program, variables_of(read_runtime_env(what.what.runtime_env)));
    made.pid_fd = descriptor{static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0))};
    if (!made.pid_fd) {
      const int why = errno;
      ::kill(-made.pid, SIGKILL);
      ::waitpid(made.pid, nullptr, 0);
      throw std::system_error{why, std::generic_category(), "pidfd_open"};
    }
    made.life = std::move(life.write);
    made.out = std::move(out.read);
    made.err = std::move(err.read);
    for (const auto* fd : {&made.out, &made.err})
      ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) | O_NONBLOCK); // NOLINT(hicpp-signed-bitwise)
    life.read.reset();
    ::fcntl(made.life.get(), F_SETPIPE_SZ, 1 << 20); // NOLINT(hicpp-signed-bitwise): so that the write need not wait
    const auto text = to_json(what).dump(-1, ' ', false, json::error_handler_t::replace);
    const std::uint64_t size = text.size();
    std::string bytes(sizeof size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    try {
      write_whole(made.life.get(), bytes + text);
    } catch (const std::system_error&) { // it has ended already: how, and what it said, is for whoever watches it
    }
    return made;
  } catch (const std::exception& e) {
    return error{errc::unavailable, std::string{"a worker process cannot be started: "} + e.what()};
  }
}

std::string to_string(const ending& x) {
  if (x.signal == 0)
    return "ended with exit code " + std::to_string(x.code);
  const auto* name = ::sigdescr_np(x.signal);
  return "was killed by signal " + std::to_string(x.signal) + (name ? " (" + std::string{name} + ")" : "");
}

ending reap(const process& x) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(x.pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  ::kill(-x.pid, SIGKILL); // while the dead process still holds its number: nobody else can have it
  while (::waitid(P_PID, static_cast<id_t>(x.pid), &info, WEXITED) != 0 && errno == EINTR) {
  }
  if (info.si_code == CLD_EXITED)
    return {info.si_status, 0};
  return {0, info.si_status};
}

} // namespace troupe::worker
