// HTTP as user code sees it: a class with `response operator()(const request&)` answers requests of the ingress.
#pragma once

#include <troupe/messages/caf_compat.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// A line of a message's head. Names are as they were sent; they compare without regard to case.
struct header_field {
  std::string name;
  std::string value;
  friend bool operator==(const header_field&, const header_field&) = default;
};
TROUPE_INSPECT(header_field, x.name, x.value)

/// The value of the first field of that name; empty when there is none. Valid as long as `fields`.
std::string_view find_header(const std::vector<header_field>& fields, std::string_view name) noexcept;

/// A request as it came in. A value.
struct request {
  std::string method;       ///< As sent: "GET".
  std::string target;       ///< As sent: "/a/b%20c?d=1".
  std::string path;         ///< Decoded and whole: "/a/b c".
  std::string query;        ///< As sent, behind the '?': "d=1".
  std::string route_prefix; ///< Of the route that was taken: "/a", or "/".
  std::string peer;         ///< Who is connected: "127.0.0.1:40522".
  std::vector<header_field> headers;
  std::string body;

  std::string_view header(std::string_view name) const noexcept { return find_header(headers, name); }
  /// The path below the route: "/b c"; "/" when the path is the prefix.
  std::string_view sub_path() const noexcept;
  friend bool operator==(const request&, const request&) = default;
};
TROUPE_INSPECT(request, x.method, x.target, x.path, x.query, x.route_prefix, x.peer, x.headers, x.body)

/// What is answered. The ingress adds Date, Content-Length and Connection itself, and leaves out fields with bytes that
/// HTTP does not allow. A value.
struct response {
  std::uint16_t status = 200; ///< 200 to 599; anything else is sent as 500.
  std::vector<header_field> headers;
  std::string body;

  std::string_view header(std::string_view name) const noexcept { return find_header(headers, name); }
  static response text(std::uint16_t status, std::string body); ///< text/plain, UTF-8.
  static response json(std::uint16_t status, std::string body); ///< `body` is JSON already.
  friend bool operator==(const response&, const response&) = default;
};
TROUPE_INSPECT(response, x.status, x.headers, x.body)

/// Whether two names are equal but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

} // namespace troupe
