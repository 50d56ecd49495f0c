// Parses what command lines say about places and amounts.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/command.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace troupe::cli {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& text, const std::string& allowed) {
  throw failure{exit_code::usage, option + " takes " + allowed + ", not \"" + text + "\""};
}

template <class Int>
std::optional<Int> to_number(std::string_view text) {
  Int x{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return x;
}

} // namespace

daemon::endpoint parse_endpoint(const std::string& text, const std::string& option) {
  constexpr auto allowed = "an address like 127.0.0.1:8265 or [::1]:8265";
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    if (rest.ends_with('/'))
      rest.remove_suffix(1);
  }
  const auto colon = rest.rfind(':');
  const auto port = to_number<std::uint16_t>(colon == std::string_view::npos ? rest : rest.substr(colon + 1));
  auto host = colon == std::string_view::npos ? std::string_view{} : rest.substr(0, colon);
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets)
    host = host.substr(1, host.size() - 2);
  const bool is_bad = host.find_first_of("/[]@ ") != std::string_view::npos ||
                      (!in_brackets && host.find(':') != std::string_view::npos);
  if (!port || is_bad)
    refuse(option, text, allowed);
  return {host.empty() ? "127.0.0.1" : std::string(host), *port};
}

std::string to_string(const daemon::endpoint& x) {
  return (x.host.find(':') == std::string::npos ? x.host : '[' + x.host + ']') + ':' + std::to_string(x.port);
}

std::size_t parse_bytes(const std::string& text, const std::string& option) {
  constexpr auto allowed = "a number of bytes like 65536, 64KiB, 256MiB, 1GiB or 2TiB";
  std::string_view digits = text;
  unsigned shift = 0;
  const struct {
    std::string_view name;
    unsigned shift;
  } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (const auto& unit : units)
    if (digits.ends_with(unit.name)) {
      digits.remove_suffix(unit.name.size());
      shift = unit.shift;
      break;
    }
  const auto n = to_number<std::size_t>(digits);
  if (!n || *n == 0 || *n > (std::numeric_limits<std::size_t>::max() >> shift))
    refuse(option, text, allowed);
  return *n << shift;
}

std::chrono::milliseconds parse_seconds(double seconds, const std::string& option) {
  constexpr double ten_years = 315'360'000;
  if (!(seconds >= 0 && seconds <= ten_years))
    refuse(option, std::to_string(seconds), "seconds, at least 0");
  return std::chrono::milliseconds{std::llround(seconds * 1000)};
}

std::filesystem::path data_dir(const std::string& given, const world& w) {
  if (!given.empty())
    return given;
  const auto from = [&](const char* name) { return w.environment(name).value_or(""); };
  if (const auto dir = from("TROUPE_DATA_DIR"); !dir.empty())
    return dir;
  // Relative paths there are to be ignored (XDG Base Directory Specification).
  if (const std::filesystem::path state = from("XDG_STATE_HOME"); state.is_absolute())
    return state / "troupe";
  if (const std::filesystem::path home = from("HOME"); !home.empty())
    return home / ".local" / "state" / "troupe";
  throw failure{exit_code::usage, "there is no data directory: give --data-dir, or set TROUPE_DATA_DIR"};
}

daemon::log_level parse_level(const std::string& name, const std::string& option) {
  using daemon::log_level;
  for (const auto& [known, level] : {std::pair{"error", log_level::error},
                                     {"warning", log_level::warning},
                                     {"info", log_level::info},
                                     {"debug", log_level::debug}})
    if (name == known)
      return level;
  throw failure{exit_code::usage, option + " takes error, warning, info or debug, not \"" + name + "\"" +
                                      did_you_mean(name, {"error", "warning", "info", "debug"})};
}

} // namespace troupe::cli
