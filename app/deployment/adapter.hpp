// A user object behind the `instance` interface: finds the call operator of a request and ends its attempt.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/replica/frame.hpp>
#include <troupe/app/deployment/class_traits.hpp>
#include <troupe/app/deployment/promise.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe::deployment {

/// `Storage` is T, made in place, or `std::unique_ptr<T>`.
template <class T, class Storage>
class adapter final : public instance {
public:
  /// `make()` returns a Storage; T need not be movable.
  template <class Make>
  explicit adapter(const Make& make) : storage_(make()) {
    if constexpr (!std::is_same_v<Storage, T>)
      if (!storage_)
        throw std::runtime_error("the factory returned no object");
  }

  ~adapter() noexcept(false) override {
    if constexpr (!std::is_same_v<Storage, T>)
      delete storage_.release(); // not by unique_ptr's destructor, which must not throw
  }

  void handle(call_base& call, attempt_number attempt, handler_frame& frame) override {
    if (!dispatch(calls_of<T>{}, call, attempt, frame))
      call.refuse(attempt,
                  error{errc::signature_mismatch, std::string{name_of<T>}.append(" has no such call operator")});
  }

  void reconfigure([[maybe_unused]] const json& user_config) override {
    if constexpr (has_reconfigure<T>)
      object().reconfigure(user_config);
  }

  void check_health() override {
    if constexpr (has_check_health<T>)
      object().check_health();
  }

private:
  T& object() noexcept {
    if constexpr (std::is_same_v<Storage, T>)
      return storage_;
    else
      return *storage_;
  }

  template <class... Sigs>
  bool dispatch(signatures<Sigs...>, call_base& call, attempt_number attempt, handler_frame& frame) {
    return ((call.key == key_of<Sigs> && invoke(static_cast<typed_call<Sigs>&>(call), attempt, frame)) || ...);
  }

  template <class Signature>
  bool invoke(typed_call<Signature>& call, attempt_number attempt, [[maybe_unused]] handler_frame& frame) {
    using response = response_of<Signature>;
    constexpr auto form = form_of<T, Signature>();
    auto& x = object();
    if constexpr (form == operator_form::value)
      call.answer(attempt, x(request(call)));
    else if constexpr (form == operator_form::value_with_context)
      call.answer(attempt, x(request(call), std::as_const(call.ctx)));
    else if constexpr (form == operator_form::with_promise)
      x(request(call), promise<response>::template make<Signature>(call, attempt, frame));
    else
      x(request(call), std::as_const(call.ctx), promise<response>::template make<Signature>(call, attempt, frame));
    return true;
  }

  /// By reference where the operator takes it so; a request that is kept for another attempt is copied.
  template <class Signature>
  static decltype(auto) request(typed_call<Signature>& call) {
    if constexpr (takes_const_reference<T, Signature>())
      return call.request();
    else
      return call.take_request();
  }

  Storage storage_;
};

} // namespace troupe::deployment
