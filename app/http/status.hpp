// Status lines and reason phrases (RFC 9110 section 15).
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::http {

/// "Not Found"; empty for a status that has no name.
std::string_view reason_of(std::uint16_t status) noexcept;

/// "HTTP/1.1 404 Not Found\r\n" for the usual ones; empty for others.
std::string_view status_line_of(std::uint16_t status) noexcept;

/// Such an answer never has a body.
constexpr bool is_bodiless(std::uint16_t status) noexcept { return status < 200 || status == 204 || status == 304; }

} // namespace troupe::http
