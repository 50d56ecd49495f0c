// What a stream's writer and its connection share.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace troupe::http {

/// Thread-safe.
class stream_state {
public:
  explicit stream_state(std::size_t limit) noexcept : limit_(limit) {}

  std::size_t limit() const noexcept { return limit_; } ///< With so many bytes unsent it takes nothing.
  std::size_t unsent() const noexcept { return unsent_.load(std::memory_order_acquire); }
  bool gone() const noexcept { return gone_.load(std::memory_order_acquire); }

  void taken(std::size_t bytes) noexcept { unsent_.fetch_add(bytes, std::memory_order_acq_rel); }
  void sent(std::size_t bytes) {
    unsent_.fetch_sub(bytes, std::memory_order_acq_rel);
    call();
  }
  void set_gone() {
    if (!gone_.exchange(true, std::memory_order_acq_rel))
      call();
  }
  /// `f` is called whenever bytes have gone out, and when the client is gone; on the I/O thread.
  void on_progress(std::function<void()> f) {
    const std::lock_guard guard{mutex_};
    progress_ = std::make_shared<std::function<void()>>(std::move(f));
  }

private:
  void call() {
    std::shared_ptr<std::function<void()>> f;
    {
      const std::lock_guard guard{mutex_};
      f = progress_;
    }
    if (f && *f)
      (*f)();
  }

  const std::size_t limit_;
  std::atomic<std::size_t> unsent_{0};
  std::atomic<bool> gone_{false};
  std::mutex mutex_;
  std::shared_ptr<std::function<void()>> progress_;
};

} // namespace troupe::http
