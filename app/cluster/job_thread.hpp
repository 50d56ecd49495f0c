// A thread for jobs that may block, one after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::cluster {

/// Thread-safe. Its end waits for the job that runs; those that wait are dropped.
class job_thread {
public:
  job_thread() : thread_([this] { run(); }) {}
  job_thread(const job_thread&) = delete;
  job_thread& operator=(const job_thread&) = delete;
  ~job_thread() {
    {
      const std::lock_guard guard{mutex_};
      over_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void post(std::function<void()> job) {
    {
      const std::lock_guard guard{mutex_};
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

private:
  void run() {
    std::unique_lock guard{mutex_};
    for (;;) {
      wake_.wait(guard, [this] { return over_ || !jobs_.empty(); });
      if (over_)
        return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      guard.unlock();
      job();
      guard.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool over_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace troupe::cluster
