// Private to app/config: the two parsers behind `read_source`.
#pragma once

#include <troupe/app/config/source.hpp>

#include <optional>
#include <string_view>

namespace troupe::config {

struct position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

/// Of the byte at `offset`.
position position_of(std::string_view text, std::size_t offset);

/// A fault of syntax at `at`: a whole sentence.
problem syntax_problem(const source& in, position at, std::string sentence);

/// Set `to.value` and `to.root` from `text`, which is UTF-8 without control characters; add what is wrong.
/// False when there is no value; keys given twice alone leave one, with the last one's (JSON) or first one's (YAML)
/// value.
bool parse_json(std::string_view text, source& to, std::vector<problem>& errors);
bool parse_yaml(std::string_view text, source& to, std::vector<problem>& errors);

/// What a plain scalar is by the core schema of YAML 1.2 (section 10.3.2): null, a boolean, a number or a text.
/// Nothing for numbers that JSON does not have.
std::optional<json> core_scalar(std::string_view text);

} // namespace troupe::config
