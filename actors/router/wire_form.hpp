// How requests and answers leave the process: in CAF's binary form.
#pragma once

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/detail/type_traits.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe::wire {

/// What needs no `inspect`.
template <class T>
inline constexpr bool is_bare = std::is_arithmetic_v<T> || std::is_same_v<T, std::string>;
template <class T>
inline constexpr bool is_bare<std::vector<T>> = is_bare<T> && !std::is_same_v<T, bool>;

/// Whether values of T can leave the process: numbers, strings, vectors of either (or of such vectors), and what has an
/// `inspect`.
template <class T>
inline constexpr bool can_travel = is_bare<T> || (std::is_default_constructible_v<T> &&
                                                  caf::detail::is_inspectable<caf::binary_serializer, T>::value &&
                                                  caf::detail::is_inspectable<caf::binary_deserializer, T>::value);

/// Nothing when T cannot travel.
template <class T>
std::optional<std::string> write([[maybe_unused]] const T& x) {
  if constexpr (can_travel<T>) {
    std::vector<char> bytes;
    caf::binary_serializer sink{nullptr, bytes};
    if (!sink(const_cast<T&>(x))) // it only reads
      return std::string{bytes.data(), bytes.size()};
  }
  return std::nullopt;
}

/// Nothing unless `bytes` are exactly one T.
template <class T>
std::optional<T> read([[maybe_unused]] std::string_view bytes) {
  if constexpr (can_travel<T>) {
    T x{};
    caf::binary_deserializer source{nullptr, bytes.data(), bytes.size()};
    if (!source(x) && source.remaining() == 0)
      return x;
  }
  return std::nullopt;
}

} // namespace troupe::wire
