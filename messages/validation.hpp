// Checks deployment specs, and reads them from JSON; reports every bad field at once.
#pragma once

#include <troupe/messages/deployment_spec.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Limits on what may be deployed.
inline constexpr std::uint32_t max_num_replicas = 10'000'000;
inline constexpr std::size_t max_name_length = 128;                         // characters
inline constexpr std::size_t max_version_length = 256;                      // characters
inline constexpr std::size_t max_document_bytes = 1U << 20U;                // init_args, user_config: as compact text
inline constexpr milliseconds max_duration = std::chrono::hours{24 * 3650}; // ten years

/// One bad field.
struct field_error {
  std::string path;    ///< In the JSON form's names: `rolling_update.max_surge`, `user_config`.
  std::string value;   ///< What was given, as JSON, at most 100 characters.
  std::string allowed; ///< What may stand there.
  friend bool operator==(const field_error&, const field_error&) = default;
};

/// "path: value is not allowed; expected allowed", joined by newlines.
std::string to_string(const std::vector<field_error>& errors);

/// All bad fields of `spec`; empty when it may be deployed.
std::vector<field_error> validate(const deployment_spec& spec);

/// Whether `name` may name an application or a deployment; else what is allowed.
std::optional<std::string> name_problem(std::string_view name);

/// Every option of `spec`, defaults included. Durations are numbers in seconds, shares "20%" or a count; a
/// `reconfigure_wave` that is not set is null.
json to_json(const deployment_spec& spec);

struct spec_from_json {
  deployment_spec spec;             ///< Meaningful when `errors` is empty.
  std::vector<field_error> errors;  ///< Unknown and wrong-typed options, and all that `validate` finds.
  std::vector<field_error> unknown; ///< Names of no option, where these are not errors.
};

/// Reads an object in the form of `to_json`; what it leaves out is at its default. Options that this release refuses
/// (`autoscaling_config`, `num_replicas: "auto"`, ...) are errors by name. Accepts Ray Serve's names where it has one.
spec_from_json read_spec(const json& object);

/// How `read_spec` treats what a whole spec of ours must not have.
struct read_rules {
  bool is_whole = true;       ///< Else `object` is a part of a spec: no rules across options, and no name is needed.
  bool refuse_unknown = true; ///< Else names of no option at the top are listed in `unknown`, as Ray ignores them.
};

/// The same over `defaults`: what `object` leaves out, or gives as null where null says "not given", is as there.
spec_from_json read_spec(const json& object, const deployment_spec& defaults, read_rules rules = {});

} // namespace troupe
