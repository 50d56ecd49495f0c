// The event loop of one I/O thread, and its inbox for other threads.
#pragma once

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility> // before asio: Boost 1.74 forgets it in C++20

namespace troupe::http {

class io_thread;

/// Something to be done on a loop's thread.
class task {
public:
  task() = default;
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  virtual void run() noexcept = 0;  ///< On the thread; then the task is the callee's own again.
  virtual void drop() noexcept = 0; ///< Instead: the loop has ended. Any thread.

  task* next = nullptr; ///< For the loop alone.

protected:
  ~task() = default;
};

/// Shared by its thread and by all who may have to reach it, also after the thread has ended.
class loop : public std::enable_shared_from_this<loop> {
public:
  loop() = default;
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop();

  /// Runs or drops it, soon. The thread is woken once for all that come before it looks. Any thread.
  void push(task& x) noexcept;
  /// `f()`, as a task. Any thread.
  template <class F>
  void post(F f);

  /// Whether the caller is on the thread, and it has not ended.
  bool is_current() const noexcept { return current() == this; }
  /// Null outside of I/O threads.
  static loop* current() noexcept;

  // -- for the thread

  boost::asio::io_context io{1};
  io_thread* owner = nullptr;   ///< Only for the thread itself.
  std::size_t stream_bytes = 0; ///< `options::stream_bytes`. Not changed once shared.
  void enter() noexcept;        ///< From now on this is the current one.
  void leave() noexcept;        ///< From now on all is dropped.

private:
  static task* closed() noexcept;
  void drain() noexcept;

  std::atomic<task*> head_{nullptr}; // newest first
};

template <class F>
void loop::post(F f) {
  class function_task final : public task {
  public:
    explicit function_task(F own) : f_(std::move(own)) {}
    virtual ~function_task() = default;
    void run() noexcept override {
      const std::unique_ptr<function_task> self{this};
      f_();
    }
    void drop() noexcept override { delete this; }

  private:
    F f_;
  };
  push(*new function_task{std::move(f)});
}

} // namespace troupe::http
