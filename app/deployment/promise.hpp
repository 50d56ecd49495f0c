// Lets a call operator answer later, from any thread.
#pragma once

#include <troupe/actors/replica/frame.hpp>
#include <troupe/actors/router/call.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace troupe {

/// The right, and the duty, to answer one request. Movable; the first of `answer` and `fail` counts, from whichever
/// thread; moving it while another thread uses it is not allowed. Dropped without either the request fails with
/// `promise_dropped`. Until one of the three the request keeps its slot in the replica. May outlive the replica: what
/// it says then, or after the request's timeout, is not heard.
template <class Response>
class promise {
public:
  promise() = default; ///< Empty: `answer` and `fail` do nothing.
  promise(promise&& other) noexcept { take(other); }
  promise& operator=(promise&& other) noexcept {
    if (this != &other) {
      drop();
      take(other);
    }
    return *this;
  }
  ~promise() { drop(); }

  /// Whether it still has to be answered.
  explicit operator bool() const noexcept { return open_.load(std::memory_order_relaxed); }

  void answer(Response value) {
    if (!open_.exchange(false, std::memory_order_acq_rel))
      return;
    answer_(*call_, attempt_, std::move(value));
    link_->attempt_ended();
  }

  /// The request fails with `handler_failed` and this text.
  void fail(std::string message) { end(error{errc::handler_failed, std::move(message)}); }

  /// The caller has given up: no answer will be heard. Precondition: not empty.
  bool stop_requested() const noexcept { return call_->stop_requested(); }
  /// Precondition: not empty. Valid as long as the promise has not been moved from.
  const request_context& context() const noexcept { return call_->ctx; }

  /// For the adapter of a call operator alone: a promise for the attempt that `frame` runs.
  template <class Signature>
  static promise make(call_base& call, attempt_number attempt, handler_frame& frame) {
    promise result;
    result.link_ = frame.host->link();
    result.call_ = call_ptr{&call};
    result.attempt_ = attempt;
    result.answer_ = [](call_base& c, attempt_number a, Response&& value) {
      static_cast<typed_call<Signature>&>(c).answer(a, std::move(value));
    };
    result.open_.store(true, std::memory_order_relaxed);
    frame.has_promise = true;
    return result;
  }

private:
  void end(error why) {
    if (!open_.exchange(false, std::memory_order_acq_rel))
      return;
    call_->refuse(attempt_, std::move(why));
    link_->attempt_ended();
  }

  void drop() noexcept {
    if (!open_.load(std::memory_order_relaxed))
      return;
    if (auto* frame = frame_of(*call_)) { // the handler's end decides: perhaps it is throwing, and that says more
      open_.store(false, std::memory_order_relaxed);
      frame->promise_dropped = true;
      return;
    }
    end(error{errc::promise_dropped, "the promise was dropped without an answer"});
  }

  void take(promise& other) noexcept {
    call_ = std::move(other.call_);
    link_ = std::move(other.link_);
    attempt_ = other.attempt_;
    answer_ = other.answer_;
    open_.store(other.open_.exchange(false, std::memory_order_relaxed), std::memory_order_relaxed);
  }

  call_ptr call_;
  std::shared_ptr<promise_link> link_;
  void (*answer_)(call_base&, attempt_number, Response&&) = nullptr;
  attempt_number attempt_ = 0;
  std::atomic<bool> open_{false};
};

} // namespace troupe
