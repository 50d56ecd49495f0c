// Says after a crash whose code ran: writes a record from a signal, terminate or exit handler, read at the next start.
//
// For a program of its own, the daemon: it changes what signals do to the process. It never saves the process; whatever
// happened without it happens a moment later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::library {

/// One end of a process. A value.
struct crash_record {
  std::int64_t unix_ms = 0;   ///< When.
  int signal = 0;             ///< 0 for "exit".
  std::string cause;          ///< "SIGSEGV", ..., "terminate", "exit".
  std::string what;           ///< "constructor", "handler", "load", ... of user code; empty: the thread ran none of it,
                              ///< or it was a thread that user code had made.
  std::string deployment;     ///< `[application/]name`; of a load the application alone. Empty: as `what`.
  std::uint64_t revision = 0; ///< That the replica was started as; 0 = not known.
  std::uint64_t replica = 0;  ///< 0 = none.
  std::string digest;         ///< Of the loaded file in which it happened, or from which it was called; empty: in none.
  std::string text;           ///< What the exception said, for "terminate".

  friend bool operator==(const crash_record&, const crash_record&) = default;
};

/// One at a time in a process. Handlers that were there before are called after it.
class crash_recorder {
public:
  /// Opens `file` for appending. Throws `std::runtime_error` when it cannot, `std::logic_error` when there is another.
  /// Before the threads that run user code are made: a thread that has run some already has no room for a record when
  /// its stack is exhausted.
  explicit crash_recorder(const std::filesystem::path& file);
  crash_recorder(const crash_recorder&) = delete;
  crash_recorder& operator=(const crash_recorder&) = delete;
  /// Puts the handlers back.
  ~crash_recorder();

  /// Code that lies from `begin` to `end`, for `crash_record::digest`. Thread-safe; for `loader_options::on_loaded`.
  /// Beyond 4096 files nothing is noted.
  void add_code(std::uintptr_t begin, std::uintptr_t end, const std::string& digest) noexcept;

  /// Texts of exceptions are what this makes of them, or left out where it makes nothing; a text that it changes is not
  /// given to the terminate handler that was there before, either. Before other threads run; must not wait for locks.
  void set_text_filter(std::function<std::optional<std::string>(std::string)> f);

  /// Oldest first; empty when there is no such file. What was cut off by the crash is left out.
  static std::vector<crash_record> read(const std::filesystem::path& file);

  /// The process is about to end by an exit function: a record if user code runs on this thread. For `_exit`, which a
  /// program with this class defines; those that user code calls come here, too.
  static void note_exit() noexcept;

  struct state; // private to crash_recorder.cpp; signal handlers must reach it

private:
  std::unique_ptr<state> state_;
};

} // namespace troupe::library
