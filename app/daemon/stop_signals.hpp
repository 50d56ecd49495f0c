// How the daemon hears that it is to end, and that it ends in time.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>

namespace troupe::daemon {

/// SIGTERM and SIGINT, blocked for this thread and all that it makes from now on; SIGPIPE does nothing meanwhile (a
/// write to a closed pipe is an error of that write). One at a time, made before any other thread.
class stop_signals {
public:
  using time_point = std::chrono::steady_clock::time_point;

  stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;
  ~stop_signals(); ///< From now on it holds nobody to a time.

  /// Returns the signal.
  int wait() const;
  /// The next signal ends the process at once, with 128 + its number as in a shell; so does the moment `until`, with 1:
  /// user code that does not return could hold up the end for ever.
  void end_at_next(time_point until);

private:
  sigset_t set_{};
  sigset_t before_{};
  struct sigaction pipe_before_ {};
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
};

} // namespace troupe::daemon
