// What an operator sees: states with their wire names (SPEC 1.7), replicas, rollout progress, whole deployments.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Travels: never renumber.
enum class deployment_state_name : std::uint8_t {
  updating = 0,
  healthy = 1,
  unhealthy = 2,
  upscaling = 3,
  downscaling = 4,
  deploy_failed = 5,
  rolling_back = 6,
  paused = 7,
};
std::string to_string(deployment_state_name x); ///< "UPDATING" ...
constexpr deployment_state_name last_enumerator(deployment_state_name) { return deployment_state_name::paused; }

/// Travels: never renumber.
enum class application_state_name : std::uint8_t {
  not_started = 0,
  deploying = 1,
  deploy_failed = 2,
  running = 3,
  unhealthy = 4,
  deleting = 5,
};
std::string to_string(application_state_name x);
constexpr application_state_name last_enumerator(application_state_name) { return application_state_name::deleting; }

/// Travels: never renumber. `recovering` and `pending_migration` come with nodes.
enum class replica_state_name : std::uint8_t {
  starting = 0,
  updating = 1,
  recovering = 2,
  running = 3,
  stopping = 4,
  stopped = 5,
  pending_migration = 6,
};
std::string to_string(replica_state_name x);
constexpr replica_state_name last_enumerator(replica_state_name) { return replica_state_name::pending_migration; }

/// Why a rollout failed or waits; text is derived (`to_string`). Travels: never renumber.
enum class rollout_reason : std::uint8_t {
  none = 0,
  start_failed = 1,       ///< A slot failed `max_start_attempts` times, or the first deployment's budget is spent.
  progress_deadline = 2,  ///< No progress for `progress_deadline`.
  reconfigure_failed = 3, ///< A `reconfigure` threw or took longer than `startup_timeout`.
  waiting_for_room = 4,
  operator_pause = 5,
  canary_pause = 6,
  baking = 7,
  held_at_zero = 8, ///< Scaled to 0.
  operator_abort = 9,
};
std::string to_string(rollout_reason x);
constexpr rollout_reason last_enumerator(rollout_reason) { return rollout_reason::operator_abort; }

/// Where the rollout stands. Travels: never renumber.
enum class rollout_phase : std::uint8_t {
  complete = 0, ///< The target is the base: all replicas are of it.
  rolling = 1,  ///< A wave runs, or the next one waits for its conditions.
  baking = 2,
  paused = 3,
  failed = 4, ///< No further wave begins until the next accepted target.
};
std::string to_string(rollout_phase x);
constexpr rollout_phase last_enumerator(rollout_phase) { return rollout_phase::failed; }

struct replica_status {
  std::uint64_t id = 0;
  std::string version;
  std::uint64_t revision = 0;        ///< Revision that brought its code.
  std::uint64_t config_revision = 0; ///< Revision that brought its user_config.
  replica_state_name state = replica_state_name::starting;
  bool available = false;
  bool given_up = false;
  std::string node = "local";
  milliseconds since{0};      ///< How long it is in this state.
  std::uint32_t restarts = 0; ///< Failed or replaced starts of its slot before it.
  std::uint32_t ongoing = 0;  ///< Requests sent to it and not yet answered.
};
TROUPE_INSPECT(replica_status, x.id, x.version, x.revision, x.config_revision, x.state, x.available, x.given_up, x.node,
               x.since, x.restarts, x.ongoing)

struct rollout_status {
  rollout_phase phase = rollout_phase::complete;
  bool rolling_back = false;
  std::uint64_t target_revision = 0;
  std::uint64_t base_revision = 0; ///< 0 = none yet.
  std::uint32_t wave = 0;          ///< k of `waves`, counted from 1; 0 before the first.
  std::uint32_t waves = 0;         ///< Estimate: waves done plus those that remain.
  std::uint32_t done = 0;          ///< Available replicas that match the target, config included.
  std::uint32_t in_flight = 0;     ///< Started or reconfiguring, not yet available.
  rollout_reason reason = rollout_reason::none;
  std::string message; ///< Of the last failure; empty when none.
};
TROUPE_INSPECT(rollout_status, x.phase, x.rolling_back, x.target_revision, x.base_revision, x.wave, x.waves, x.done,
               x.in_flight, x.reason, x.message)

struct deployment_status {
  std::string application;
  std::string name;
  deployment_state_name state = deployment_state_name::updating;
  bool deleting = false;
  std::string message;
  std::uint32_t num_replicas = 0; ///< Target count N.
  std::uint32_t available = 0;
  std::uint32_t starting = 0;
  std::uint32_t reconfiguring = 0;
  std::uint32_t stopping = 0;
  std::uint32_t given_up = 0;
  std::uint32_t waiting_for_room = 0; ///< Replicas that lack room.
  std::uint64_t queued = 0;           ///< Requests that wait for a replica.
  std::uint64_t ongoing = 0;          ///< Requests sent to replicas and not yet finished, overdue ones included.
  std::uint64_t overdue = 0;          ///< Handlers still running though the caller has its outcome.
  rollout_status rollout;
  std::vector<replica_status> replicas; ///< Oldest first; empty when the query did not ask for them.
};
TROUPE_INSPECT(deployment_status, x.application, x.name, x.state, x.deleting, x.message, x.num_replicas, x.available,
               x.starting, x.reconfiguring, x.stopping, x.given_up, x.waiting_for_room, x.queued, x.ongoing, x.overdue,
               x.rollout, x.replicas)

/// One line of a deployment's history (SPEC 1.3, revisions).
struct revision_info {
  std::uint64_t number = 0;
  std::string cause; ///< "deploy", "rollback to R3", "restart".
  std::string version;
  bool is_target = false;
  bool is_base = false;
  deployment_spec spec;
};
TROUPE_INSPECT(revision_info, x.number, x.cause, x.version, x.is_target, x.is_base, x.spec)

struct application_status {
  std::string name;
  application_state_name state = application_state_name::not_started;
  std::string message;
  std::vector<deployment_status> deployments;
};
TROUPE_INSPECT(application_status, x.name, x.state, x.message, x.deployments)

/// Worst of its deployments: DEPLOY_FAILED > UNHEALTHY > DEPLOYING > RUNNING; all deleting = DELETING; none =
/// NOT_STARTED.
application_state_name application_state_of(const std::vector<deployment_status>& deployments);

} // namespace troupe
