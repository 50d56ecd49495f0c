// What outlives a crash of the process: targets, revisions and rollout position of one deployment.
#pragma once

#include <troupe/messages/control.hpp>

#include <vector>

namespace troupe {

/// One kept revision. Two with one `code_id` run the same code; two with one `config_id` have the same user_config.
struct stored_release {
  std::uint64_t revision = 0;
  std::uint32_t code_id = 0;
  std::uint32_t config_id = 0;
  std::uint64_t code_revision = 0;
  std::uint64_t config_revision = 0;
  std::string cause;
  deployment_spec spec;
  code_ref user_code; ///< Stored by its name; whoever restores it sets `local` where replicas are to run it.
  bool can_reconfigure = false;
  bool can_check = false;
};

/// A snapshot, whole: restoring it needs nothing else. A value.
struct stored_deployment {
  deployment_name name;
  std::vector<stored_release> releases; ///< Oldest first; has the target and the base.
  std::uint64_t target = 0;             ///< Revision.
  std::uint64_t base = 0;               ///< Revision; 0 = none yet.
  std::uint64_t next_revision = 1;
  std::uint32_t next_code = 1;
  std::uint32_t next_config = 1;
  std::uint32_t num_replicas = 0; ///< N, `scale` included.
  std::uint32_t of_target = 0;    ///< Rollout position: available replicas that matched the target, at most N.
  std::uint32_t held = ~0U;       ///< So many of N had room; more than N where that was not limited.
  rollout_phase phase = rollout_phase::complete;
  rollout_reason reason = rollout_reason::none;
  bool rolling_back = false;
  bool replace_stale = false; ///< Going back by reconfigure has thrown.
  bool first_wave_up = false;
  bool canary_done = false;
  bool deleting = false;
  std::uint32_t waves_done = 0;
  std::string failure; ///< Of the last failed rollout.

  /// The kept revision with this number; null when there is none.
  const stored_release* find(std::uint64_t revision) const;
  stored_release* find(std::uint64_t revision);
};

/// The stored form.
json to_json(const stored_deployment& x);
/// Throws `std::runtime_error` saying which part is missing or wrong.
stored_deployment stored_deployment_from_json(const json& x);

} // namespace troupe
