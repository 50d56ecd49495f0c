// A config text as JSON together with where each part of it stands.
#pragma once

#include <troupe/app/config/problem.hpp>
#include <troupe/messages/json_doc.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// How a text is read.
enum class syntax : std::uint8_t {
  by_name, ///< JSON if the name ends in ".json", YAML if in ".yaml" or ".yml"; else JSON if it begins with '{'.
  yaml,    ///< YAML 1.2, core schema, one document; anchors, aliases and merge keys (`<<`).
  json,
};

/// Limits on a text.
inline constexpr std::size_t max_text_bytes = 10'000'000;
inline constexpr int max_text_depth = json_doc::max_depth; ///< Levels of lists and mappings.
/// What all anchors and aliases together may copy, in bytes of text plus 32 per value.
inline constexpr std::size_t max_copied_bytes = std::size_t{16} << 20U;

/// Where a value stands, and its parts down to `max_levels`. A value.
struct place {
  static constexpr int max_levels = 8;              ///< What lies deeper has the place of what it is in.
  static constexpr std::size_t max_count = 100'000; ///< Likewise for what comes after so many.

  std::uint32_t line = 0; ///< From 1; 0 = not known.
  std::uint32_t column = 0;
  std::string key; ///< In a mapping: its name there.
  std::vector<place> parts;
};

/// A text that was read. A value.
struct source {
  std::string name;
  json value;
  place root;
};

struct source_result {
  config::source source;
  std::vector<problem> errors; ///< Of syntax and limits.
  bool is_readable = true;     ///< `source.value` is meaningful: there are at most keys that are given twice.
};

/// Reads `text`, called `name` in errors. Refuses what is too large or too deep, is not UTF-8, has control characters,
/// says a key twice, holds more than one document, or numbers that JSON does not have (NaN, infinity).
source_result read_source(std::string_view text, std::string name, syntax how = syntax::by_name);

/// The place of `path` (`applications[0].name`), or of the closest thing around it.
const place& locate(const place& root, std::string_view path);

} // namespace troupe::config
