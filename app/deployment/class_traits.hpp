// What a user's class offers, found out at compile time, and what it must be told when it offers too little.
#pragma once

#include <troupe/actors/router/request_context.hpp>
#include <troupe/actors/router/signature.hpp>
#include <troupe/app/deployment/promise.hpp>
#include <troupe/messages/json_doc.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace troupe::deployment {

// -- the list of call operators

template <class T>
inline constexpr bool is_signatures = false;
template <class... Sigs>
inline constexpr bool is_signatures<signatures<Sigs...>> = true;

/// The signature of one call operator, from its type.
template <class F>
struct deduced {
  using type = void;
};
template <class Last, class Response, class Request>
struct deduce_answer { // the answer is what is returned
  using type = Response(std::remove_cvref_t<Request>);
};
template <class Response, class Request>
struct deduce_answer<promise<Response>, void, Request> { // or what the promise takes
  using type = Response(std::remove_cvref_t<Request>);
};
template <class T, class Response, class Request>
struct deduced<Response (T::*)(Request)> : deduce_answer<void, Response, Request> {};
template <class T, class Response, class Request, class Second>
struct deduced<Response (T::*)(Request, Second)> : deduce_answer<std::remove_cvref_t<Second>, Response, Request> {};
template <class T, class Response, class Request, class Third>
struct deduced<Response (T::*)(Request, const request_context&, Third)>
    : deduce_answer<std::remove_cvref_t<Third>, Response, Request> {};
// noexcept and const call operators
template <class T, class R, class... Args>
struct deduced<R (T::*)(Args...) const> : deduced<R (T::*)(Args...)> {};
template <class T, class R, class... Args>
struct deduced<R (T::*)(Args...) noexcept> : deduced<R (T::*)(Args...)> {};
template <class T, class R, class... Args>
struct deduced<R (T::*)(Args...) const noexcept> : deduced<R (T::*)(Args...)> {};

template <class T>
concept has_calls = requires {
  typename T::calls;
};
template <class T>
concept has_one_operator = requires {
  &T::operator();
};

template <class T>
consteval auto find_calls() {
  if constexpr (has_calls<T>) {
    static_assert(
        is_signatures<typename T::calls>,
        "`calls` must list the class's call operators: `using calls = troupe::signatures<pong(ping), b(a)>;`");
    return std::type_identity<typename T::calls>{};
  } else if constexpr (has_one_operator<T>) {
    using signature = typename deduced<decltype(&T::operator())>::type;
    static_assert(std::is_function_v<signature>,
                  "the call operator must be `pong operator()(ping)`, `pong operator()(ping, const "
                  "troupe::request_context&)` or `void operator()(ping, troupe::promise<pong>)`");
    return std::type_identity<signatures<signature>>{};
  } else {
    static_assert(
        has_one_operator<T>,
        "a deployment's class needs a public call operator: write `pong operator()(ping)`; if it has several, "
        "list them: `using calls = troupe::signatures<pong(ping), b(a)>;`");
    return std::type_identity<signatures<>>{};
  }
}

/// `signatures<...>` of the class.
template <class T>
using calls_of = typename decltype(find_calls<T>())::type;

// -- one call operator

enum class operator_form { none, value, value_with_context, with_promise, with_context_and_promise };

template <class T, class Signature>
consteval operator_form form_of() {
  using request = request_of<Signature>;
  using response = response_of<Signature>;
  using context = const request_context&;
  if constexpr (std::is_invocable_r_v<response, T&, request>)
    return operator_form::value;
  else if constexpr (std::is_invocable_r_v<response, T&, request, context>)
    return operator_form::value_with_context;
  else if constexpr (std::is_invocable_v<T&, request, promise<response>>)
    return operator_form::with_promise;
  else if constexpr (std::is_invocable_v<T&, request, context, promise<response>>)
    return operator_form::with_context_and_promise;
  else
    return operator_form::none;
}

/// Whether there is an operator with exactly these parameters: then a request by const reference need not be moved.
template <class T, class R, class... Args>
concept has_operator = requires {
  static_cast<R (T::*)(Args...)>(&T::operator());
}
|| requires { static_cast<R (T::*)(Args...) const>(&T::operator()); };

template <class T, class Signature>
consteval bool takes_const_reference() {
  using request = const request_of<Signature>&;
  using response = response_of<Signature>;
  using context = const request_context&;
  return has_operator<T, response, request> || has_operator<T, response, request, context> ||
         has_operator<T, void, request, promise<response>> ||
         has_operator<T, void, request, context, promise<response>>;
}

// -- construction

/// Converts to `const json&` and, unlike json itself, to nothing else.
struct init_args_probe {
  operator const json&() const;
};

template <class T>
inline constexpr bool takes_init_args = std::is_constructible_v<T, init_args_probe>;

// -- the optional members

template <class T>
inline constexpr bool has_reconfigure = requires(T& x, const init_args_probe& config) {
  x.reconfigure(config);
};
template <class T>
inline constexpr bool has_check_health = requires(T& x) {
  x.check_health();
};

template <class First, class... Rest>
consteval bool unique_requests(signatures<First, Rest...>) {
  if constexpr (sizeof...(Rest) == 0)
    return true;
  else
    return (!std::is_same_v<request_of<First>, request_of<Rest>> && ...) && unique_requests(signatures<Rest...>{});
}
consteval bool unique_requests(signatures<>) { return true; }

template <class T, class Signature>
consteval bool check_operator() {
  static_assert(form_of<T, Signature>() != operator_form::none,
                "the class lacks a public call operator for a signature in its `calls`: for `pong(ping)` write `pong "
                "operator()(ping)`, `pong operator()(ping, const troupe::request_context&)` or `void operator()(ping, "
                "troupe::promise<pong>)`");
  return true;
}

template <class T, class... Sigs>
consteval bool check_operators(signatures<Sigs...>) {
  return (check_operator<T, Sigs>() && ...);
}

/// Fails with a sentence that says what to write; true otherwise.
template <class T>
consteval bool check_class() {
  static_assert(std::is_class_v<T> && std::is_same_v<T, std::remove_cvref_t<T>>,
                "a deployment's code is a class: `make_code<my_class>()`");
  using calls = calls_of<T>;
  static_assert(calls::size > 0, "`calls` must list at least one signature: `troupe::signatures<pong(ping)>`");
  static_assert(unique_requests(calls{}),
                "two signatures in `calls` have the same request type; give each its own struct");
  check_operators<T>(calls{});
  if constexpr (requires { &T::reconfigure; })
    static_assert(has_reconfigure<T>, "`reconfigure` must be public and `void reconfigure(const troupe::json&)`");
  if constexpr (requires { &T::check_health; })
    static_assert(has_check_health<T>, "`check_health` must be public and `void check_health()`; throw when unhealthy");
  return true;
}

} // namespace troupe::deployment
