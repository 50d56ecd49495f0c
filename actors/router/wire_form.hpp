// How requests and answers leave the process: as CAF's binary form of what their `inspect` lists.
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

/// Whether values of T can leave the process.
template <class T>
inline constexpr bool can_travel =
    std::is_default_constructible_v<T>&& caf::detail::is_inspectable<caf::binary_serializer, T>::value&&
        caf::detail::is_inspectable<caf::binary_deserializer, T>::value;

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
