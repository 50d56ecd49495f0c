// Recognises the header fields that mean something to the ingress.
#include <troupe/app/ingress/request_fields.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::ingress {

namespace {

constexpr std::size_t longest_id = 256;
constexpr double longest_timeout_s = 1e7;

constexpr char folded(char c) noexcept {
  if (c == '_')
    return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// `name` is in lower case with dashes; underscores count as dashes.
bool is(std::string_view field, std::string_view name) noexcept {
  return field.size() == name.size() &&
         std::equal(field.begin(), field.end(), name.begin(), [](char a, char b) { return folded(a) == b; });
}

/// version "-" trace-id "-" parent-id "-" flags, in lower-case hexadecimal (W3C Trace Context, section 3.2).
bool is_traceparent(std::string_view x) noexcept {
  if (x.size() != 55)
    return false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool dash = i == 2 || i == 35 || i == 52;
    const bool hex = (x[i] >= '0' && x[i] <= '9') || (x[i] >= 'a' && x[i] <= 'f');
    if (dash ? x[i] != '-' : !hex)
      return false;
  }
  return true;
}

} // namespace

request_fields read_fields(const std::vector<header_field>& headers) noexcept {
  request_fields result;
  for (const auto& field : headers) {
    const std::string_view name = field.name;
    switch (name.size()) {
    case 10:
      if (is(name, "tracestate"))
        result.tracestate = field.value;
      break;
    case 11:
      if (is(name, "traceparent") && is_traceparent(field.value))
        result.traceparent = field.value;
      break;
    case 12:
      if (is(name, "x-request-id") && field.value.size() <= longest_id)
        result.request_id = field.value;
      else if (is(name, "x-session-id"))
        result.session_id = field.value;
      break;
    case 25:
      if (is(name, "x-request-timeout-seconds"))
        result.timeout = field.value;
      break;
    case 26:
      if (is(name, "serve-multiplexed-model-id"))
        result.model_id = field.value;
      break;
    case 29:
      if (is(name, "x-request-disconnect-disabled"))
        result.stays_when_gone = field.value == "?1";
      break;
    default:
      break;
    }
  }
  return result;
}

std::shared_ptr<const request_tags> request_fields::tags() const {
  if (!has_tags())
    return nullptr;
  auto result = std::make_shared<request_tags>();
  result->request_id = request_id;
  result->traceparent = traceparent;
  if (!traceparent.empty())
    result->tracestate = tracestate;
  result->session_id = session_id;
  result->model_id = model_id;
  return result;
}

std::optional<std::chrono::milliseconds> read_timeout(std::string_view seconds) noexcept {
  double value = 0;
  const auto [end, e] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  if (e != std::errc{} || end != seconds.data() + seconds.size() || !std::isfinite(value))
    return std::nullopt;
  if (value <= 0)
    return std::chrono::milliseconds{0};
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(std::min(value, longest_timeout_s) * 1000))};
}

} // namespace troupe::ingress
