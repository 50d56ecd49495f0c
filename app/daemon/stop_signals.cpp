#include <troupe/app/daemon/stop_signals.hpp>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace troupe::daemon {

namespace {

using namespace std::chrono;

/// 0: it is `until`.
int wait_for_signal(const sigset_t& set, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::clamp(duration_cast<nanoseconds>(until - steady_clock::now()), 0ns, nanoseconds{hours{1}});
    if (left == 0ns)
      return 0;
    const timespec time{left / 1s, (left % 1s).count()};
    if (const int signal = ::sigtimedwait(&set, nullptr, &time); signal > 0)
      return signal;
  }
}

} // namespace

stop_signals::stop_signals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set_, &before_);
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {}; // and not SIG_IGN, which programs that user code starts would inherit
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGPIPE, &nothing, &pipe_before_);
}

stop_signals::~stop_signals() {
  *over_ = true;
  ::sigaction(SIGPIPE, &pipe_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int stop_signals::wait() const {
  int signal = 0;
  sigwait(&set_, &signal);
  return signal;
}

void stop_signals::end_at_next(time_point until) {
  std::thread{[set = set_, until, over = over_] {
    const int signal = wait_for_signal(set, until);
    if (*over)
      return;
    if (signal == 0) {
      constexpr std::string_view text =
          "troupe serve: user code still runs after --shutdown-timeout; ends all the same\n";
      [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text.data(), text.size());
    }
    ::_exit(signal == 0 ? 1 : 128 + signal);
  }}.detach();
}

} // namespace troupe::daemon
