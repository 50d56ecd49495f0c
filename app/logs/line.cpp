#include <troupe/app/library/file.hpp>
#include <troupe/app/logs/line.hpp>
#include <troupe/messages/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace troupe::logs {

namespace {

using std::chrono::milliseconds;

/// A number of exactly `digits` digits at the front of `text`, which it takes away.
std::optional<int> digits_of(std::string_view& text, std::size_t digits) {
  int out = 0;
  if (text.size() < digits)
    return std::nullopt;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + digits, out);
  if (bad != std::errc{} || end != text.data() + digits || out < 0)
    return std::nullopt;
  text.remove_prefix(digits);
  return out;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos)
    return false;
  text.remove_prefix(1);
  return true;
}

std::optional<milliseconds> parse_span(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  constexpr std::int64_t most = 1'000'000;
  if (bad != std::errc{} || n < 0 || n > most)
    return std::nullopt;
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "ms")
    return milliseconds{n};
  if (unit == "s")
    return std::chrono::seconds{n};
  if (unit == "m")
    return std::chrono::minutes{n};
  if (unit == "h")
    return std::chrono::hours{n};
  if (unit == "d")
    return std::chrono::hours{24 * n};
  return std::nullopt;
}

/// "hh:mm"
std::optional<std::chrono::minutes> take_hours_and_minutes(std::string_view& x) {
  const auto hours = digits_of(x, 2);
  if (!hours || *hours > 23 || !take(x, ":"))
    return std::nullopt;
  const auto minutes = digits_of(x, 2);
  if (!minutes || *minutes > 59)
    return std::nullopt;
  return std::chrono::minutes{*hours * 60 + *minutes};
}

std::optional<time_point> parse_rfc3339(std::string_view x) {
  const auto year = digits_of(x, 4);
  if (!year || !take(x, "-"))
    return std::nullopt;
  const auto month = digits_of(x, 2);
  if (!month || !take(x, "-"))
    return std::nullopt;
  const auto day = digits_of(x, 2);
  if (!day || !take(x, "Tt "))
    return std::nullopt;
  const auto of_day = take_hours_and_minutes(x);
  if (!of_day || !take(x, ":"))
    return std::nullopt;
  const auto second = digits_of(x, 2);
  if (!second || *second > 60)
    return std::nullopt;
  milliseconds rest{0};
  if (take(x, ".")) {
    int weight = 100;
    std::size_t n = 0;
    for (; !x.empty() && x.front() >= '0' && x.front() <= '9'; ++n, weight /= 10) {
      rest += milliseconds{weight * (x.front() - '0')};
      x.remove_prefix(1);
    }
    if (n == 0)
      return std::nullopt;
  }
  std::chrono::minutes offset{0};
  if (!take(x, "Zz")) {
    const bool behind = !x.empty() && x.front() == '-';
    if (!take(x, "+-"))
      return std::nullopt;
    const auto away = take_hours_and_minutes(x);
    if (!away)
      return std::nullopt;
    offset = behind ? -*away : *away;
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                            std::chrono::day{static_cast<unsigned>(*day)}};
  if (!x.empty() || !date.ok())
    return std::nullopt;
  return sys_days{date} + *of_day + seconds{*second} + rest - offset;
}

} // namespace

std::string time_text(time_point x) {
  const auto ms = std::chrono::floor<milliseconds>(x.time_since_epoch()).count();
  const auto part = ((ms % 1000) + 1000) % 1000;
  const std::time_t seconds = (ms - part) / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(part));
  return text.data();
}

std::optional<time_point> parse_since(std::string_view text, time_point now) {
  if (const auto span = parse_span(text))
    return now - *span;
  return parse_rfc3339(text);
}

std::string format_line(time_point when, std::uint64_t revision, std::string_view replica, channel from,
                        std::string_view text) {
  auto out = time_text(when) + " r" + std::to_string(revision) + " ";
  out.append(replica).append(from == channel::err ? " err " : " out ");
  for (std::size_t i = 0; i < text.size();) {
    const auto c = utf8_at(text, i);
    const auto n = std::max<std::size_t>(c.length, 1);
    out += c.length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(i, n); // U+FFFD
    i += n;
  }
  return out += '\n';
}

std::string file_name_of(std::string_view name) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  constexpr std::size_t most = 200; // with ".log.99" below NAME_MAX
  constexpr std::size_t digits = 16;
  std::string out;
  for (const char c : name)
    if (plain.find(c) != std::string_view::npos || (c == '.' && !out.empty()))
      out += c;
    else
      out += "%" + library::hex_of({&c, 1});
  if (out.size() > most)
    out = out.substr(0, most - digits - 1) + "~" + library::sha256(name).substr(0, digits);
  return out;
}

std::filesystem::path root_of(const std::filesystem::path& data_dir) { return data_dir / "logs"; }

std::filesystem::path folder_of(const std::filesystem::path& data_dir, std::string_view application,
                                std::string_view deployment) {
  return root_of(data_dir) / file_name_of(application) / file_name_of(deployment);
}

} // namespace troupe::logs
