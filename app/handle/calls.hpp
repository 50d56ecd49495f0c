// The ways in which a call gives its outcome: to a continuation of an actor, a future, a callback.
#pragma once

#include <troupe/actors/router/call.hpp>
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/completion_sink.hpp>
#include <troupe/messages/error.hpp>

#include <caf/error.hpp>
#include <caf/scheduled_actor.hpp>

#include <future>
#include <type_traits>
#include <utility>

namespace troupe::detail {

/// Error handlers take troupe's error or CAF's.
template <class OnError>
void give_error(OnError& on_error, const error& why) {
  if constexpr (std::is_invocable_v<OnError&, const error&>) {
    on_error(why);
  } else {
    static_assert(std::is_invocable_v<OnError&, caf::error&>,
                  "the error handler of a request takes `const troupe::error&` (or `const caf::error&`)");
    auto as_caf = to_caf(why);
    on_error(as_caf);
  }
}

/// `.then`: runs in the context of the caller, an actor.
template <class Signature, class OnAnswer, class OnError>
class actor_call final : public typed_call<Signature> {
public:
  static_assert(std::is_invocable_v<OnAnswer&, response_of<Signature>&&>,
                "the first function given to `.then` takes the answer");

  actor_call(request_of<Signature> request, completion_sink& sink, OnAnswer on_answer, OnError on_error)
      : typed_call<Signature>(std::move(request)), sink_(sink), on_answer_(std::move(on_answer)),
        on_error_(std::move(on_error)) {}

private:
  void deliver() noexcept override { sink_.push(*this); }

  void resume_caller(caf::scheduled_actor& self) override {
    const enter_scope scope{{&self, this->parent(), self.context()}};
    if (auto& outcome = this->outcome(); outcome.ok())
      on_answer_(std::move(*outcome));
    else
      give_error(on_error_, outcome.why());
  }

  completion_sink& sink_; // lives until it has this outcome
  OnAnswer on_answer_;
  OnError on_error_;
};

template <class Signature>
class future_call final : public typed_call<Signature> {
public:
  using typed_call<Signature>::typed_call;
  explicit future_call(request_of<Signature> request) : typed_call<Signature>(std::move(request)) {}
  std::future<response_of<Signature>> future() { return promise_.get_future(); }

private:
  void deliver() noexcept override {
    if (auto& outcome = this->outcome(); outcome.ok())
      promise_.set_value(std::move(*outcome));
    else
      promise_.set_exception(std::make_exception_ptr(request_failed{outcome.why()}));
  }

  std::promise<response_of<Signature>> promise_;
};

/// The callback must not throw and must not block: it runs on whatever thread completes the call.
template <class Signature, class Callback>
class callback_call final : public typed_call<Signature> {
public:
  static_assert(std::is_invocable_v<Callback&, result<response_of<Signature>>>,
                "the callback of a call takes `troupe::result<answer>`");

  callback_call(request_of<Signature> request, Callback callback)
      : typed_call<Signature>(std::move(request)), callback_(std::move(callback)) {}

private:
  void deliver() noexcept override { callback_(std::move(this->outcome())); }

  Callback callback_;
};

} // namespace troupe::detail
