// What is wrong with a config text: where it stands, what was given, what is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// One fault. A value. Lines and columns count from 1, columns in bytes; 0 where there is no text (`read_json`).
struct problem {
  std::string file; ///< As named by the caller; empty where there is none.
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string path;    ///< `applications[0].deployments[1].num_replicas`; empty for faults of the text as a whole.
  std::string value;   ///< What was given, as JSON, at most 100 characters; empty for faults of syntax.
  std::string allowed; ///< What may stand there; for faults of syntax the whole sentence.
  friend bool operator==(const problem&, const problem&) = default;
};

/// "app.yaml:3:7: applications[0].name: "" is not allowed; expected ...", without what is not known.
std::string to_string(const problem& x);
/// One line each.
std::string to_string(const std::vector<problem>& problems);

/// More are not listed; a last one then tells how many there are.
inline constexpr std::size_t max_problems = 100;

} // namespace troupe::config
