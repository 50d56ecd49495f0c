// Puts one value into an otherwise good spec and says how that must end.
#pragma once

#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>

namespace troupe {

inline json with(std::string_view path, json value) {
  json object{{"name", "d"}};
  const auto dot = path.find('.');
  if (dot == std::string_view::npos)
    object[std::string(path)] = std::move(value);
  else
    object[std::string(path.substr(0, dot))][std::string(path.substr(dot + 1))] = std::move(value);
  return object;
}

inline void accepts(std::string_view path, const json& value) {
  CAPTURE(path);
  CAPTURE(value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 200));
  CHECK(to_string(read_spec(with(path, value)).errors) == "");
}

// Exactly one error, about `path`.
inline field_error rejects(std::string_view path, const json& value) {
  CAPTURE(path);
  CAPTURE(value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 200));
  const auto errors = read_spec(with(path, value)).errors;
  REQUIRE_MESSAGE(errors.size() == 1, to_string(errors));
  CHECK(errors[0].path == path);
  CHECK_FALSE(errors[0].allowed.empty());
  CHECK(errors[0].value.size() <= 100);
  return errors[0];
}

inline json nested(int levels) {
  json result = json::array();
  for (int i = 1; i < levels; ++i)
    result = json::array({std::move(result)});
  return result;
}

inline constexpr double ten_years = 315'360'000;
inline const json nan_value = std::numeric_limits<double>::quiet_NaN();
inline const json infinity = std::numeric_limits<double>::infinity();

inline std::string repeat(std::string_view text, std::size_t n) {
  std::string result;
  for (std::size_t i = 0; i < n; ++i)
    result += text;
  return result;
}

} // namespace troupe
