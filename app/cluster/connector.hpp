// Keeps a node connected: tries again after every loss, 100 ms doubling to 1 s, less up to a quarter.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

namespace troupe::cluster {

/// Thread-safe. Its thread is inside of `attempt` for as long as the system takes to make a connection.
class connector {
public:
  static constexpr std::chrono::milliseconds first_pause{100};
  static constexpr std::chrono::milliseconds longest_pause{1'000};

  /// `attempt` makes a connection, or returns false. The first one is made with the first `lost`.
  explicit connector(std::function<bool()> attempt) : attempt_(std::move(attempt)), thread_([this] { run(); }) {}
  connector(const connector&) = delete;
  connector& operator=(const connector&) = delete;
  ~connector() {
    stop();
    thread_.join();
  }

  void lost() {
    change([this] { is_wanted_ = true; });
  }
  void joined() {
    change([this] { pause_ = first_pause; });
  } ///< The connection is good.
  void stop() {
    change([this] { over_ = true; });
  }

private:
  template <class F>
  void change(F f) {
    {
      const std::lock_guard guard{mutex_};
      f();
    }
    wake_.notify_one();
  }

  void run() {
    std::unique_lock guard{mutex_};
    bool is_first = true;
    for (;;) {
      wake_.wait(guard, [this] { return over_ || is_wanted_; });
      if (!is_first && !over_)
        wake_.wait_for(guard, next_pause(), [this] { return over_; });
      if (over_)
        return;
      is_first = false;
      is_wanted_ = false;
      guard.unlock();
      const bool stands = attempt_();
      guard.lock();
      is_wanted_ = is_wanted_ || !stands;
    }
  }

  std::chrono::milliseconds next_pause() {
    const auto full = pause_;
    pause_ = std::min(pause_ * 2, longest_pause);
    return full - std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{0, full.count() / 4}(random_)};
  }

  const std::function<bool()> attempt_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::mt19937_64 random_{std::random_device{}()};
  std::chrono::milliseconds pause_ = first_pause;
  bool is_wanted_ = false;
  bool over_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace troupe::cluster
