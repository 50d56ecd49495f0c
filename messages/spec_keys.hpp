// Private to messages/: the names of options that a JSON spec may have, those refused by name, and guesses for the
// rest.
#pragma once

#include <troupe/messages/validation.hpp>

#include <string_view>
#include <vector>

namespace troupe::spec_keys {

/// What stands at `path` ("name" or "group.name"), or nullptr.
const json* find(const json& object, std::string_view path);

/// Whether `value` of `path` is not read as the option's own type: `num_replicas` null (not given, as in Ray) or "auto"
/// (refused by `check`).
bool is_told_apart(std::string_view path, const json& value);

/// Adds an error for each name that no option has, each that is refused, and each group that is no object.
void check(const json& object, std::vector<field_error>& errors);

} // namespace troupe::spec_keys
