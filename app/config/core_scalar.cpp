// Plain scalars by the core schema of YAML 1.2 (section 10.3.2).
#include <troupe/app/config/parsers.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace troupe::config {
namespace {

template <std::size_t N>
bool one_of(std::string_view text, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+'))
    text.remove_prefix(1);
  return text;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool looks_like_number(std::string_view text) {
  text = without_sign(text);
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    if (!are_digits(without_sign(text.substr(e + 1))))
      return false;
    text = text.substr(0, e);
  }
  const auto dot = text.find('.');
  if (dot == std::string_view::npos)
    return are_digits(text);
  const auto before = text.substr(0, dot);
  const auto after = text.substr(dot + 1);
  return before.empty() ? are_digits(after) : are_digits(before) && (after.empty() || are_digits(after));
}

template <class T>
std::optional<T> convert(std::string_view text, int base) {
  T x{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x, base);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return x;
}

std::optional<json> to_double(std::string_view text) {
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt; // too large, or too close to 0
  return json(x);
}

// An integer that 64 bits do not hold becomes a floating point number, as in JSON.
std::optional<json> to_number(std::string_view text) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  if (are_digits(without_sign(text))) {
    if (const auto x = convert<std::int64_t>(text, 10))
      return json(*x);
    if (const auto x = convert<std::uint64_t>(text, 10))
      return json(*x);
  }
  return to_double(text);
}

std::optional<json> to_unsigned(std::string_view digits, int base) {
  if (const auto x = convert<std::uint64_t>(digits, base))
    return json(*x);
  return std::nullopt;
}

} // namespace

std::optional<json> core_scalar(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"}))
    return json(nullptr);
  if (one_of(text, {"true", "True", "TRUE"}))
    return json(true);
  if (one_of(text, {"false", "False", "FALSE"}))
    return json(false);
  if (one_of(without_sign(text), {".inf", ".Inf", ".INF"}) || one_of(text, {".nan", ".NaN", ".NAN"}))
    return std::nullopt;
  constexpr std::string_view octal = "01234567";
  constexpr std::string_view hexadecimal = "0123456789abcdefABCDEF";
  if (text.size() > 2 && text.starts_with("0o") && text.find_first_not_of(octal, 2) == std::string_view::npos)
    return to_unsigned(text.substr(2), 8);
  if (text.size() > 2 && text.starts_with("0x") && text.find_first_not_of(hexadecimal, 2) == std::string_view::npos)
    return to_unsigned(text.substr(2), 16);
  if (looks_like_number(text))
    return to_number(text);
  return json(std::string(text));
}

} // namespace troupe::config
