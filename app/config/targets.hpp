// From an application's config and what its code declares to the targets of its deployments, versions included.
#pragma once

#include <troupe/app/config/document.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// One deployment to deploy. A value.
struct target {
  deployment_spec spec;            ///< Complete; its version is never empty.
  bool version_is_written = false; ///< In the config or in the code; else derived.
  /// Of the code-level fields that are no part of `spec`: import_path, args, and unless the version is
  /// written the library's digest. Equal for equal ones; 12 hexadecimal digits.
  std::string fingerprint;
};

struct targets_result {
  std::vector<target> targets; ///< In the order of the code; meaningful when `errors` is empty.
  std::vector<problem> errors; ///< Paths are within the application: `deployments[0].num_replicas`.
  bool ok() const noexcept { return errors.empty(); }
};

/// What the config says over what the code declares (`defaults`, by name; their `application` is not looked at).
/// A deployment that the code does not declare is an error. `digest` is the library's SHA-256.
targets_result targets_for(const application& app, const std::vector<deployment_spec>& defaults,
                           std::string_view digest);

/// The version of a deployment for which none is written: the first 12 hexadecimal digits of the SHA-256 over its
/// code-level fields (SPEC 1.2): equal exactly when no replica has to be replaced.
std::string derived_version(const application& app, const deployment_spec& spec, std::string_view digest);

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

} // namespace troupe::config
