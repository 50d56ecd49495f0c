// Something to do again and again, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::daemon {

/// Calls `f` once per period until it is destroyed, which waits for a call that runs.
class ticker {
public:
  ticker(std::chrono::milliseconds period, std::function<void()> f)
      : period_(period), f_(std::move(f)), thread_([this] { run(); }) {}
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;
  ~ticker() {
    {
      const std::lock_guard guard{mutex_};
      over_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

private:
  void run() {
    std::unique_lock guard{mutex_};
    while (!wake_.wait_for(guard, period_, [this] { return over_; })) {
      guard.unlock();
      f_();
      guard.lock();
    }
  }

  const std::chrono::milliseconds period_;
  const std::function<void()> f_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace troupe::daemon
