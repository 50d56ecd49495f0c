// What a new target would change: field by field, with what that does to replicas (SPEC 1.2). Pure.
#pragma once

#include <troupe/app/config/document.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// What a change of a field does to running replicas.
enum class field_class : std::uint8_t {
  code,   ///< All are replaced, in waves.
  config, ///< They are reconfigured in place, in waves.
  count,  ///< Some are started or stopped.
  light,  ///< Nothing.
};
std::string_view to_string(field_class x);

/// A value.
struct field_change {
  std::string path; ///< As in the config: `rolling_update.max_surge`; `digest` for the library's bytes.
  json from;
  json to;
  field_class kind = field_class::light;
  friend bool operator==(const field_change&, const field_change&) = default;
};

/// The code-level fields that stand at the application. A value.
struct code_source {
  std::string import_path;
  std::string digest;
  json args = json::object();
};

/// Fields that differ, in the order of the config. Names are not compared. From a `user_config` to none is code-level:
/// no call takes a config back.
std::vector<field_change> diff(const deployment_spec& from, const deployment_spec& to);
/// With what stands at the application. A digest that differs counts where the version is not written, which the specs'
/// versions then tell.
std::vector<field_change> diff(const deployment_spec& from, const code_source& from_code, const deployment_spec& to,
                               const code_source& to_code);

/// The heaviest of `changes`, as an accepted deploy would answer: code, config, count, light, none.
change_kind change_of(const std::vector<field_change>& changes);

/// One or two sentences for people: "replaces 10 replicas in 5 waves of at most 2, new ones first". `from` is null for
/// a new deployment.
std::string describe(const deployment_spec* from, const deployment_spec& to, const std::vector<field_change>& changes);

} // namespace troupe::config
