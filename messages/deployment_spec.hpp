// What an operator asks for: the whole target of one deployment, every option with unit, default and bounds.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/placement_options.hpp>
#include <troupe/messages/resources.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

using std::chrono::milliseconds;

/// A share of the replicas: a percentage (1 to 100) or a count (at least 1).
struct replica_share {
  bool is_percent = true;
  std::uint32_t value = 20;

  static constexpr replica_share percent(std::uint32_t p) { return {true, p}; }
  static constexpr replica_share count(std::uint32_t n) { return {false, n}; }

  /// Replicas that this is of `n`: rounds down in integers, at least 1, never above `n` (0 of 0).
  /// 20 % of 10 is 2, of 4 is 1 (0.8 -> at least 1), of 29 is 5 (5.8).
  constexpr std::uint32_t of(std::uint32_t n) const {
    const auto raw = is_percent ? static_cast<std::uint32_t>(std::uint64_t{n} * value / 100U) : value;
    return std::min(n, std::max<std::uint32_t>(raw, 1U));
  }
  friend bool operator==(const replica_share&, const replica_share&) = default;
};
TROUPE_INSPECT(replica_share, x.is_percent, x.value)

/// Where a replica's handlers run. Travels: never renumber.
enum class execution_mode : std::uint8_t {
  pool = 0,    ///< CAF's scheduler.
  inlined = 1, ///< "inline": on the thread that brought the request; for handlers that promise not to block.
  thread = 2,  ///< An own thread per replica, for blocking code.
};
std::string to_string(execution_mode x);
constexpr execution_mode last_enumerator(execution_mode) { return execution_mode::thread; }

/// What a crash of user code takes along. Travels: never renumber.
enum class isolation_mode : std::uint8_t {
  none = 0,    ///< Replicas run in the runtime's own process: a crash ends it.
  process = 1, ///< In worker processes: a crash costs one worker. Needs code from a library (the daemon's).
};
std::string to_string(isolation_mode x);
constexpr isolation_mode last_enumerator(isolation_mode) { return isolation_mode::process; }

/// Travels: never renumber.
enum class rollout_strategy : std::uint8_t { start_first = 0, stop_first = 1 };
std::string to_string(rollout_strategy x);
constexpr rollout_strategy last_enumerator(rollout_strategy) { return rollout_strategy::stop_first; }

/// Knobs of a rolling update (SPEC 1.3). All are light: a change touches no replica.
struct rolling_update {
  rollout_strategy strategy = rollout_strategy::start_first;
  replica_share max_surge;       ///< W of start_first waves. Default 20 %.
  replica_share max_unavailable; ///< W of stop_first waves, of the fall-back and of reconfigure waves. Default 20 %.
  bool has_reconfigure_wave = false;
  replica_share reconfigure_wave; ///< W of reconfigure waves where `has_reconfigure_wave`; else `max_unavailable`.
  bool surge_fallback = true;     ///< Without room for even one surge replica run the wave as stop_first; else wait.
  milliseconds min_ready{0};      ///< A started replica counts as available after this long healthy. >= 0.
  milliseconds bake{0};           ///< Wait after each wave. >= 0.
  milliseconds progress_deadline{600'000}; ///< Longest wait without progress; > min_ready + startup_timeout.
  bool auto_rollback = true;               ///< A failed rollout returns to the base by itself.
  std::uint32_t canary = 0; ///< Pause after this many new replicas; 0 = none; at most W (stop_first: also < N).

  constexpr replica_share reconfigure_share() const {
    return has_reconfigure_wave ? reconfigure_wave : max_unavailable;
  }
  friend bool operator==(const rolling_update&, const rolling_update&) = default;
};
TROUPE_INSPECT(rolling_update, x.strategy, x.max_surge, x.max_unavailable, x.has_reconfigure_wave, x.reconfigure_wave,
               x.surge_fallback, x.min_ready, x.bake, x.progress_deadline, x.auto_rollback, x.canary)

/// The target of a deployment. Whole: an option left out is back at its default. A value; shareable when const.
struct deployment_spec {
  std::string application = "default"; ///< 1 to 128 characters, no control characters, no '#', no '/'.
  std::string name;                    ///< As `application`.

  // Code-level: a change replaces all replicas, in waves (SPEC 1.2).
  std::string version; ///< Empty = none given: every deploy is a new version. At most 256 characters.
  json_doc init_args;  ///< Any JSON; handed to the constructor that takes it.
  execution_mode execution = execution_mode::pool;
  isolation_mode isolation = isolation_mode::none;
  std::uint32_t replicas_per_worker = 1; ///< With `isolation: process`: how many share one. 1 to 1000.
  json_doc runtime_env;                  ///< What its workers run in (runtime_env.hpp); null or an object.
  resources per_replica;   ///< What each replica holds of the machine from its start to its end. Default: nothing.
  placement_options where; ///< On which nodes. Default: on any.

  // The configuration: a change reaches running replicas by `reconfigure` (SPEC 1.4).
  json_doc user_config; ///< Any JSON; null = none.

  // Light: a change touches no replica's user code.
  std::uint32_t num_replicas = 1;                 ///< 1 to 10'000'000 when deployed; `scale` also takes 0.
  std::uint32_t max_ongoing_requests = 5;         ///< Begun or sent requests per replica; 1 to 1'000'000.
  std::int64_t max_queued_requests = -1;          ///< Waiting requests per router; -1 = no bound, else >= 1.
  std::uint32_t backpressure_status = 503;        ///< 503 or 429, for HTTP.
  std::uint32_t backpressure_retry_after_s = 0;   ///< Retry-After in seconds; 0 = none.
  milliseconds graceful_shutdown_timeout{20'000}; ///< Longest drain; then killed or given up. >= 0.
  milliseconds health_check_period{10'000};       ///< > 0.
  milliseconds health_check_timeout{30'000};      ///< > 0.
  milliseconds startup_timeout{60'000};           ///< Longest constructor, and longest reconfigure. > 0.
  milliseconds stuck_after{300'000};              ///< A handler that runs longer makes its replica unhealthy. > 0.
  std::uint32_t max_start_attempts = 3;           ///< Failed starts of one slot that fail a rollout. 1 to 1000.
  bool idempotent = false;                        ///< Begun requests of a dead replica are tried again, at most twice.
  rolling_update rollout;

  /// `[application/]name`; the application is left out when it is "default".
  std::string full_name() const { return application == "default" ? name : application + "/" + name; }
  friend bool operator==(const deployment_spec&, const deployment_spec&) = default;
};
TROUPE_INSPECT(deployment_spec, x.application, x.name, x.version, x.init_args, x.execution, x.isolation,
               x.replicas_per_worker, x.runtime_env, x.user_config, x.num_replicas, x.max_ongoing_requests,
               x.max_queued_requests, x.backpressure_status, x.backpressure_retry_after_s, x.graceful_shutdown_timeout,
               x.health_check_period, x.health_check_timeout, x.startup_timeout, x.stuck_after, x.max_start_attempts,
               x.idempotent, x.rollout, x.per_replica, x.where)

} // namespace troupe
