// The table of statuses.
#include <troupe/app/http/status.hpp>

#include <algorithm>
#include <array>

namespace troupe::http {

namespace {

struct entry {
  std::uint16_t status;
  std::string_view line; // "HTTP/1.1 200 OK\r\n"
};

constexpr std::array entries = {
    entry{200, "HTTP/1.1 200 OK\r\n"},
    entry{201, "HTTP/1.1 201 Created\r\n"},
    entry{202, "HTTP/1.1 202 Accepted\r\n"},
    entry{204, "HTTP/1.1 204 No Content\r\n"},
    entry{206, "HTTP/1.1 206 Partial Content\r\n"},
    entry{301, "HTTP/1.1 301 Moved Permanently\r\n"},
    entry{302, "HTTP/1.1 302 Found\r\n"},
    entry{303, "HTTP/1.1 303 See Other\r\n"},
    entry{304, "HTTP/1.1 304 Not Modified\r\n"},
    entry{307, "HTTP/1.1 307 Temporary Redirect\r\n"},
    entry{308, "HTTP/1.1 308 Permanent Redirect\r\n"},
    entry{400, "HTTP/1.1 400 Bad Request\r\n"},
    entry{401, "HTTP/1.1 401 Unauthorized\r\n"},
    entry{403, "HTTP/1.1 403 Forbidden\r\n"},
    entry{404, "HTTP/1.1 404 Not Found\r\n"},
    entry{405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    entry{406, "HTTP/1.1 406 Not Acceptable\r\n"},
    entry{408, "HTTP/1.1 408 Request Timeout\r\n"},
    entry{409, "HTTP/1.1 409 Conflict\r\n"},
    entry{410, "HTTP/1.1 410 Gone\r\n"},
    entry{411, "HTTP/1.1 411 Length Required\r\n"},
    entry{412, "HTTP/1.1 412 Precondition Failed\r\n"},
    entry{413, "HTTP/1.1 413 Content Too Large\r\n"},
    entry{414, "HTTP/1.1 414 URI Too Long\r\n"},
    entry{415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    entry{417, "HTTP/1.1 417 Expectation Failed\r\n"},
    entry{421, "HTTP/1.1 421 Misdirected Request\r\n"},
    entry{422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    entry{428, "HTTP/1.1 428 Precondition Required\r\n"},
    entry{429, "HTTP/1.1 429 Too Many Requests\r\n"},
    entry{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    entry{499, "HTTP/1.1 499 Client Closed Request\r\n"},
    entry{500, "HTTP/1.1 500 Internal Server Error\r\n"},
    entry{501, "HTTP/1.1 501 Not Implemented\r\n"},
    entry{502, "HTTP/1.1 502 Bad Gateway\r\n"},
    entry{503, "HTTP/1.1 503 Service Unavailable\r\n"},
    entry{504, "HTTP/1.1 504 Gateway Timeout\r\n"},
    entry{505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

constexpr std::size_t code_ends = 13; // "HTTP/1.1 200 "

} // namespace

std::string_view status_line_of(std::uint16_t status) noexcept {
  if (status == 200)
    return entries[0].line;
  const auto* found = std::lower_bound(entries.begin(), entries.end(), status,
                                       [](const entry& e, std::uint16_t x) { return e.status < x; });
  return found != entries.end() && found->status == status ? found->line : std::string_view{};
}

std::string_view reason_of(std::uint16_t status) noexcept {
  const auto line = status_line_of(status);
  return line.empty() ? line : line.substr(code_ends, line.size() - code_ends - 2);
}

} // namespace troupe::http
