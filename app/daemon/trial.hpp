// Whether what a deployment runs has shown yet that it does not end the process (SPEC 4). Durable, one per deployment.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/json_doc.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace troupe::daemon {

/// A value. Stored before the code that it is about first runs.
struct trial {
  static constexpr milliseconds length{30'000}; ///< Fully available for so long without a break, and it has stood it.

  std::string what;          ///< `identity_of` what is on trial, or has stood it.
  bool open = false;         ///< It is on trial.
  std::int64_t since_ms = 0; ///< Unix time of its begin, or of the last clean stop: earlier crashes do not count.
  std::uint64_t before = 0; ///< Revision that a quarantine may go back to: the last that stood its trial, else what was
                            ///< the base when this one began; 0 = none.
  std::string quarantined;  ///< Why it is not run any more; empty: it is.
};

json to_json(const trial& x);
/// What is missing has its default.
trial trial_from_json(const json& x);

/// The same for the same code, arguments and user_config.
std::string identity_of(const std::string& code_name, const deployment_spec& spec);

/// How long each has been fully available. Confined to its owner.
class trial_clock {
public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Whether `revision` has been whole for `trial::length`; then it is forgotten. A look that finds another one, or
  /// none (0), begins anew.
  bool look(const deployment_name& name, std::uint64_t revision, time_point now);

private:
  struct entry {
    std::uint64_t revision = 0;
    time_point since;
  };
  std::map<deployment_name, entry> whole_;
};

} // namespace troupe::daemon
