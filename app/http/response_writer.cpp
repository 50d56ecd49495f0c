// Heads of responses.
#include <troupe/app/http/response_writer.hpp>
#include <troupe/app/http/status.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace troupe::http {

namespace {

bool is_token(std::string_view x) noexcept {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-_!#$%&'*+.^`|~"}.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view x) noexcept {
  return std::none_of(x.begin(), x.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != '\t') || c == '\x7f';
  });
}

/// Fields that the server writes itself.
bool is_ours(std::string_view name) noexcept {
  switch (name.size()) {
  case 4:
    return equals_ignoring_case(name, "Date");
  case 10:
    return equals_ignoring_case(name, "Connection") || equals_ignoring_case(name, "Keep-Alive");
  case 14:
    return equals_ignoring_case(name, "Content-Length");
  case 17:
    return equals_ignoring_case(name, "Transfer-Encoding");
  default:
    return false;
  }
}

void append_number(std::string& out, std::size_t x, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x, base).ptr;
  out.append(digits.data(), end);
}

} // namespace

void write_head(std::string& out, const response& x, const head_options& how) {
  const auto status = x.status;
  if (const auto line = status_line_of(status); !line.empty()) {
    out += line;
  } else {
    out += "HTTP/1.1 ";
    append_number(out, status);
    out += " \r\n";
  }
  out += how.common;
  for (const auto& field : x.headers) {
    if (is_ours(field.name) || !is_token(field.name) || !is_value(field.value))
      continue;
    out += field.name;
    out += ": ";
    out += field.value;
    out += "\r\n";
  }
  if (!is_bodiless(status)) {
    if (how.frame == framing::length) {
      out += "Content-Length: ";
      append_number(out, x.body.size());
      out += "\r\n";
    } else if (how.frame == framing::chunked) {
      out += "Transfer-Encoding: chunked\r\n";
    }
  }
  if (!how.keep_alive)
    out += "Connection: close\r\n";
  else if (how.is_http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
}

void write_chunk_size(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out += "\r\n";
}

std::string date_line(std::int64_t unix_seconds) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> text{}; // not strftime: that asks the locale
  std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
                days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday, months[static_cast<std::size_t>(utc.tm_mon)],
                utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text.data();
}

} // namespace troupe::http
