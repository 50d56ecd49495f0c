// JSON as YAML, such that our reader gets the same JSON back.
#pragma once

#include <troupe/messages/json_doc.hpp>

#include <string>

namespace troupe::cli {

/// `value` must nest at most `json_doc::max_depth` levels.
std::string yaml_text(const json& value);

} // namespace troupe::cli
