// Private to messages/: the names of options that a JSON spec may have, those refused by name, and guesses for the
// rest.
#pragma once

#include <troupe/messages/validation.hpp>

#include <string_view>
#include <vector>

namespace troupe::spec_keys {

/// What stands at `path` ("name" or "group.name"), or nullptr.
const json* find(const json& object, std::string_view path);

/// Whether `value` of `path` is not read as the option's own type: `num_replicas` or `max_replicas_per_node` null (not
/// given, as in Ray), or `num_replicas` "auto" (refused by `check`).
bool is_told_apart(std::string_view path, const json& value);

/// Adds an error for each name that is refused, each group that is no object, and each name of no option: those of the
/// spec itself to `unknown` (which may be `errors`), those within a group to `errors`.
void check(const json& object, std::vector<field_error>& errors, std::vector<field_error>& unknown);

} // namespace troupe::spec_keys
