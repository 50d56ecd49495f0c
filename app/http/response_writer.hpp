// Responses to bytes.
#pragma once

#include <troupe/messages/http.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::http {

/// How the end of a body is told.
enum class framing : std::uint8_t { length, chunked, until_close };

/// What the head of one response says about itself.
struct head_options {
  std::string_view common;         ///< Whole lines: "Date: ...\r\n".
  framing frame = framing::length; ///< Ignored for statuses without a body.
  bool keep_alive = true;
  bool is_http_1_0 = false; ///< The client's version.
};

/// Appends status line and fields, and the empty line. The response's own Content-Length, Transfer-Encoding,
/// Connection, Date, and fields with forbidden bytes are left out. Precondition: the status is in 200 to 599.
void write_head(std::string& out, const response& x, const head_options& how);

/// The line before a chunk; behind its data comes "\r\n". A chunk is not empty: that would be the last.
void write_chunk_size(std::string& out, std::size_t size);

/// "Date: Tue, 24 Nov 2026 13:00:00 GMT\r\n" for a time in seconds since 1970.
std::string date_line(std::int64_t unix_seconds);

} // namespace troupe::http
