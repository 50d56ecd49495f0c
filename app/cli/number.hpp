// Whole numbers among the options of a command.
#pragma once

#include <troupe/app/cli/command.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace troupe::cli {

/// Nothing where it is not given; throws `failure` that names it where it is out of bounds.
template <class Int>
std::optional<Int> number(const invocation& in, const char* option, Int least, Int most) {
  if (!in.has(option))
    return std::nullopt;
  const auto n = in.get<std::int64_t>(option);
  if (n < 0 || std::cmp_less(n, least) || std::cmp_greater(n, most))
    throw failure{exit_code::usage, "--" + std::string(option) + " takes an integer from " + std::to_string(least) +
                                        " to " + std::to_string(most) + ", not " + std::to_string(n)};
  return static_cast<Int>(n);
}

} // namespace troupe::cli
