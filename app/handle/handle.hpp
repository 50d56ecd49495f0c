// The typed front of a deployment: requests from actors (`request`), plain threads (`async`) and with callbacks
// (`call`).
#pragma once

#include <troupe/actors/replica/caller_unit.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/app/handle/call_options.hpp>
#include <troupe/app/handle/calls.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace troupe {

namespace detail {

/// Deadline, tags and what is inherited from the handler that runs on this thread, if one does.
void prepare(call_base& call, call_options&& options, const router& to);

/// From a thread that is no actor's turn: replicas of execution `inlined` run here.
void submit_from_thread(const std::shared_ptr<router>& to, call_ptr call);

template <class Signature>
struct no_error_handler {
  caf::scheduled_actor* self;
  void operator()(caf::error& why) const { self->call_error_handler(why); }
};

} // namespace detail

/// Requests from an actor that are not sent yet: `.then` sends. Use it at once.
template <class Signature>
class [[nodiscard("a request is sent by `.then(on_answer, on_error)`")]] pending_request {
public:
  pending_request(const std::shared_ptr<router>& to, completion_sink& sink, caf::scheduled_actor& self,
                  request_of<Signature>&& request, call_options&& options)
      : to_(to), sink_(sink), self_(self), request_(std::move(request)), options_(std::move(options)) {}
  pending_request(const pending_request&) = delete;
  pending_request& operator=(const pending_request&) = delete;

  /// `on_answer(answer)` or `on_error(const troupe::error&)` runs as part of a later turn of the actor, exactly one of
  /// them; neither if the actor quits before.
  template <class OnAnswer, class OnError>
  call_token then(OnAnswer on_answer, OnError on_error)&& {
    using call_type = detail::actor_call<Signature, OnAnswer, OnError>;
    auto* call = new call_type(std::move(request_), sink_, std::move(on_answer), std::move(on_error));
    call_token token{call_ptr{call, false}};
    detail::prepare(*call, std::move(options_), *to_);
    sink_.expect(self_);
    router::submit(to_, call_ptr{call}, self_.context());
    return token;
  }

  /// As above; an error goes to the actor's error handler, which by default ends it.
  template <class OnAnswer>
  call_token then(OnAnswer on_answer)&& {
    return std::move(*this).then(std::move(on_answer), detail::no_error_handler<Signature>{&self_});
  }

private:
  const std::shared_ptr<router>& to_;
  completion_sink& sink_;
  caf::scheduled_actor& self_;
  request_of<Signature> request_;
  call_options options_;
};

/// Cheap to copy. One object is for one thread or actor at a time, copies are independent. An empty one (default made,
/// moved from) may only be assigned to.
template <class... Signatures>
class handle {
  template <class Request>
  struct lookup {
    using type = typename signature_for<Request, Signatures...>::type;
    static_assert(!std::is_void_v<type>, "this handle has no call signature for that request; it lists what it takes: "
                                         "troupe::handle<answer(request), ...>");
  };
  template <class Request>
  using sig = typename lookup<std::remove_cvref_t<Request>>::type;

public:
  handle() = default;
  explicit handle(std::shared_ptr<router> to) : to_(std::move(to)) {}
  handle(const handle& other) : to_(other.to_) {}
  handle(handle&&) noexcept = default;
  handle& operator=(handle other) noexcept {
    to_.swap(other.to_);
    sink_ = std::move(other.sink_);
    return *this;
  }

  explicit operator bool() const noexcept { return to_ != nullptr; }
  const std::shared_ptr<router>& destination() const noexcept { return to_; }

  /// `h.request(self, ping{}).then(on_pong, on_error)` from the actor `self`, in its own context.
  template <class Request>
  pending_request<sig<Request>> request(caf::scheduled_actor* self, Request&& request,
                                        call_options options = {}) const {
    return {to_, sink_for(*self), *self, request_of<sig<Request>>(std::forward<Request>(request)), std::move(options)};
  }

  /// Inside a handler, or a continuation of such a call: `self` is the replica that runs.
  template <class Request>
  requires(!std::is_convertible_v<Request, caf::scheduled_actor*>)
      pending_request<sig<Request>> request(Request&& request, call_options options = {})
  const {
    auto* self = current_scope().self;
    if (!self)
      throw std::logic_error("outside of a handler write h.request(self, x), h.async(x) or h.call(x, callback)");
    return this->request(self, std::forward<Request>(request), std::move(options));
  }

  /// For plain threads. `get()` throws `request_failed`. Waiting in a handler blocks its replica.
  template <class Request>
  std::future<response_of<sig<Request>>> async(Request&& request, call_options options = {},
                                               call_token* token = nullptr) const {
    using call_type = detail::future_call<sig<Request>>;
    auto* call = new call_type(request_of<sig<Request>>(std::forward<Request>(request)));
    call_ptr owner{call, false};
    auto result = call->future();
    if (token)
      *token = call_token{owner};
    send(std::move(owner), std::move(options));
    return result;
  }

  /// `callback(troupe::result<answer>)` runs on the thread that completes the call; it must be quick and not throw.
  template <class Request, class Callback>
  call_token call(Request&& request, call_options options, Callback callback) const {
    using call_type = detail::callback_call<sig<Request>, Callback>;
    call_ptr call{new call_type(request_of<sig<Request>>(std::forward<Request>(request)), std::move(callback)), false};
    call_token token{call};
    send(std::move(call), std::move(options));
    return token;
  }

  template <class Request, class Callback>
  call_token call(Request&& request, Callback callback) const {
    return this->call(std::forward<Request>(request), {}, std::move(callback));
  }

  friend bool operator==(const handle& a, const handle& b) noexcept { return a.to_ == b.to_; }

private:
  completion_sink& sink_for(caf::scheduled_actor& self) const {
    if (!sink_.get() || !sink_->uses(self))
      sink_ = sink_ref{new completion_sink(self)};
    return *sink_.get();
  }

  void send(call_ptr call, call_options&& options) const {
    detail::prepare(*call, std::move(options), *to_);
    if (auto* unit = current_scope().unit)
      router::submit(to_, std::move(call), unit);
    else
      detail::submit_from_thread(to_, std::move(call));
  }

  std::shared_ptr<router> to_;
  mutable sink_ref sink_; // of the actor that used this object last
};

} // namespace troupe
