// What a shared library and the program that loads it must have in common, as text that the compiler writes into both.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/replica/frame.hpp>
#include <troupe/actors/router/call.hpp>
#include <troupe/actors/router/request_context.hpp>
#include <troupe/app/deployment/promise.hpp>
#include <troupe/app/handle/call_options.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/library/peers.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/http.hpp>

#include <caf/config.hpp>
#include <caf/event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::library {

/// Counts incompatible changes of what libraries are compiled against (headers of messages/, actors/, app/) that sizes
/// do not show: the order of virtual functions, the meaning of a field. Raise it with such a change.
inline constexpr std::uint64_t abi_epoch = 1;

/// Lines "what=value", NUL-terminated, zero-padded. One lies in the section `abi_section` for each entry of a library,
/// where it is read before any of the library's code runs.
struct abi_tag {
  static constexpr std::size_t capacity = 512;
  char text[capacity] = {}; // NOLINT: the layout is the format
};

#define TROUPE_ABI_SECTION ".troupe_abi"

namespace detail {

struct tag_writer {
  abi_tag tag;
  std::size_t used = 0;

  constexpr void put(std::string_view text) {
    for (const char c : text)
      tag.text[used++] = c; // beyond the end: does not compile
  }
  constexpr void number(std::uint64_t x) {
    if (x >= 10)
      number(x / 10);
    const char digit[] = {static_cast<char>('0' + x % 10)};
    put({digit, 1});
  }
  constexpr void line(std::string_view what, std::string_view value) {
    put(what);
    put("=");
    put(value);
    put("\n");
  }
  constexpr void line(std::string_view what, std::uint64_t value) {
    put(what);
    put("=");
    number(value);
    put("\n");
  }
};

template <class... Ts>
consteval std::uint64_t layout_of() {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::uint64_t x) { hash = (hash ^ x) * 0x100000001b3U; };
  ((add(sizeof(Ts)), add(alignof(Ts))), ...);
  return hash;
}

/// Sizes and alignments of what crosses the border, in either direction.
consteval std::uint64_t layout_of_border() {
  using sample = int(std::string);
  return layout_of<std::string, std::vector<std::string>, std::shared_ptr<int>, std::function<void()>, json, json_doc,
                   error, deployment_spec, rolling_update, signature_info, code_traits, code, instance, handler_frame,
                   request_context, call_base, typed_call<sample>, result<std::string>, call_options, promise<int>,
                   handle<sample>, peers, request, response, header_field, caf::event_based_actor>();
}

} // namespace detail

/// The tag of the code that is being compiled.
consteval abi_tag this_abi() {
  detail::tag_writer w;
  w.line("troupe's ABI epoch", abi_epoch);
  w.line("CAF", CAF_VERSION);
  w.put("nlohmann_json=");
  w.number(NLOHMANN_JSON_VERSION_MAJOR);
  w.put(".");
  w.number(NLOHMANN_JSON_VERSION_MINOR);
  w.put(".");
  w.number(NLOHMANN_JSON_VERSION_PATCH);
  w.put("\n");
#if defined(__clang__)
  w.line("compiler", "clang");
  w.line("major version of the compiler", __clang_major__);
#else
  w.line("compiler", "gcc");
  w.line("major version of the compiler", __GNUC__);
#endif
#if defined(_GLIBCXX_RELEASE)
  w.line("libstdc++", _GLIBCXX_RELEASE);
  w.line("_GLIBCXX_USE_CXX11_ABI", _GLIBCXX_USE_CXX11_ABI);
#else
  w.line("libstdc++", 0);
#endif
#if defined(_GLIBCXX_DEBUG)
  w.line("_GLIBCXX_DEBUG", 1);
#else
  w.line("_GLIBCXX_DEBUG", 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
  w.line("sanitizer", "address");
#elif defined(__SANITIZE_THREAD__)
  w.line("sanitizer", "thread");
#else
  w.line("sanitizer", "none");
#endif
  w.line("sizes of the types at the border", detail::layout_of_border());
  return w.tag;
}

} // namespace troupe::library
