// Call signatures `answer(request)`: their keys, readable names, and lists of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace troupe {

/// Tells call operators apart at run time: a hash of the types' names, equal in all files of one build.
using signature_key = std::uint64_t;

namespace detail {

/// The compiler's spelling of `T`, as "pong(ping)" for a function type.
template <class T>
constexpr std::string_view spelled() noexcept {
  constexpr std::string_view whole = __PRETTY_FUNCTION__; // "... spelled() [with T = X; ...]" (GCC), "[T = X]" (clang)
  constexpr auto from = whole.find("T = ") + 4;
  constexpr auto to = whole.find_first_of(";]", from);
  return whole.substr(from, to - from);
}

constexpr std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

} // namespace detail

/// `signature_traits<pong(ping)>`: `response` is pong, `request` is ping.
template <class Signature>
struct signature_traits {
  static_assert(std::is_function_v<Signature>,
                "a call signature is written like a function type: `answer(request)`, for example `pong(ping)`");
};

template <class Response, class... Requests>
struct signature_traits<Response(Requests...)> {
  static_assert(sizeof...(Requests) == 1, "a call signature has one argument, a struct: `answer(request)`");
};

template <class Response, class Request>
struct signature_traits<Response(Request)> {
  static_assert(std::is_object_v<Response>,
                "a call signature answers with a value; write `struct done {};` where there is nothing to say");
  static_assert(std::is_move_constructible_v<Response>, "an answer must be movable");
  using response = Response;
  using request = std::remove_cvref_t<Request>;
  static_assert(std::is_object_v<request> && std::is_move_constructible_v<request>, "a request must be movable");
};

template <class Signature>
using response_of = typename signature_traits<Signature>::response;

template <class Signature>
using request_of = typename signature_traits<Signature>::request;

template <class Signature>
inline constexpr signature_key key_of = detail::fnv1a(detail::spelled<Signature>());

/// For people, as "pong(ping)".
template <class Signature>
inline constexpr std::string_view name_of = detail::spelled<Signature>();

/// The call operators of a deployment's class: `using calls = troupe::signatures<pong(ping), b(a)>;`.
template <class... Signatures>
struct signatures {
  static constexpr std::size_t size = sizeof...(Signatures);
};

/// The signature in `List` whose request is `Request`; void when there is none.
template <class Request, class... List>
struct signature_for {
  using type = void;
};

template <class Request, class First, class... Rest>
struct signature_for<Request, First, Rest...> {
  using type = typename std::conditional_t<std::is_same_v<request_of<First>, std::remove_cvref_t<Request>>,
                                           std::type_identity<First>, signature_for<Request, Rest...>>::type;
};

} // namespace troupe
