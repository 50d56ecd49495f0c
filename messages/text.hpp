// What is true of texts from outside: characters of UTF-8, and how deep JSON nests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe {

/// One character. A value.
struct utf8_character {
  std::size_t length = 0; ///< In bytes, 1 to 4; 0: not UTF-8 (overlong forms and surrogates included).
  std::uint32_t code = 0;
};

/// The character that begins at `text[i]`. Precondition: `i` is less than the size.
utf8_character utf8_at(std::string_view text, std::size_t i) noexcept;

/// Where JSON `text` first nests deeper than `levels`, or npos. Exact for JSON; what is none a parser refuses after.
std::size_t find_deeper_than(std::string_view text, int levels) noexcept;

} // namespace troupe
