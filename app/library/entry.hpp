// What a shared library exports, one per TROUPE_APPLICATION: a C struct that stays the same for ever.
#pragma once

#include <troupe/app/library/abi_tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace troupe::library {

/// The exported symbol is called `entry_prefix` and the application's name.
inline constexpr std::string_view entry_prefix = "troupe_application_";

/// Constant data of the library. New members go to the end; `size` tells which are there.
struct entry {
  static constexpr std::uint32_t format = 1;

  std::uint32_t size;        ///< Of this struct, as the library knows it.
  std::uint32_t format_used; ///< `format`; another one is not understood.
  const char* abi;           ///< The library's `abi_tag`.
  /// Fills an `application_builder`. 0, or 1 with a text in `why`, of at most `capacity` bytes with its NUL. To be
  /// called only when the tags are equal.
  std::int32_t (*build)(void* builder, char* why, std::size_t capacity) noexcept;
};
static_assert(std::is_standard_layout_v<entry> && std::is_trivial_v<entry>);

/// Runs `f`; what it throws becomes a text in `why`. Returns as `entry::build`.
template <class F>
std::int32_t guarded(F&& f, char* why, std::size_t capacity) noexcept {
  const auto say = [&](const char* text) {
    const auto length = std::min(std::strlen(text), capacity - 1);
    std::memcpy(why, text, length);
    why[length] = '\0';
    return std::int32_t{1};
  };
  try {
    f();
    return 0;
  } catch (const std::exception& e) {
    return say(e.what());
  } catch (const std::string& text) {
    return say(text.c_str());
  } catch (const char* text) {
    return say(text ? text : "a null pointer");
  } catch (...) {
    return say("an exception that is not a std::exception");
  }
}

} // namespace troupe::library
