// Splits and decodes request targets.
#include <troupe/app/http/target.hpp>

#include <algorithm>

namespace troupe::http {

namespace {

constexpr int hex(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool belongs(char c) noexcept { return c > ' ' && c < '\x7f' && c != '#'; }

/// The part of an absolute form that an origin form would have; none when it is not one.
std::optional<std::string_view> behind_authority(std::string_view target) {
  const auto colon = target.find("://");
  if (colon == std::string_view::npos)
    return std::nullopt;
  const auto scheme = target.substr(0, colon);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))
    return std::nullopt;
  const auto rest = target.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  if (end == 0 || rest.substr(0, end).find('@') != std::string_view::npos)
    return std::nullopt;
  return rest.substr(end);
}

} // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    const auto high = hex(text[i + 1]);
    const auto low = hex(text[i + 2]);
    const auto byte = high * 16 + low;
    if (high < 0 || low < 0 || byte < ' ' || byte == '\x7f')
      return std::nullopt;
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

bool read_target(std::string_view target, request& into) {
  if (target.empty() || !std::all_of(target.begin(), target.end(), belongs))
    return false;
  into.target.assign(target);
  auto rest = target;
  if (target == "*") {
    into.path = "*";
    return into.method == "OPTIONS";
  }
  if (target.front() != '/') {
    const auto found = behind_authority(target);
    if (!found)
      return false;
    rest = *found;
  }
  const auto mark = rest.find('?');
  if (mark != std::string_view::npos)
    into.query.assign(rest.substr(mark + 1));
  const auto path = rest.substr(0, mark);
  if (path.empty()) {
    into.path = "/";
  } else if (path.find('%') == std::string_view::npos) {
    into.path.assign(path);
  } else {
    auto decoded = percent_decoded(path);
    if (!decoded)
      return false;
    into.path = std::move(*decoded);
  }
  return true;
}

} // namespace troupe::http
