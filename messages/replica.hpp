// What a DeploymentState says to its replicas, and what they report.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/json_doc.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

/// A replica as its DeploymentState knows it. `id` is never reused; `slot` is where its record lies (reused).
struct replica_ref {
  std::uint64_t id = 0;
  std::uint32_t slot = 0;
  friend bool operator==(const replica_ref&, const replica_ref&) = default;
};
TROUPE_INSPECT(replica_ref, x.id, x.slot)

/// Why a replica actor ended. Travels: never renumber.
enum class stop_reason : std::uint8_t {
  asked = 0,        ///< `stop_replica`, drained in time.
  start_failed = 1, ///< The constructor or the first `reconfigure` threw; the message is its `what()`.
  killed = 2,       ///< Ended from outside, or by an error of the actor itself.
  owner_gone = 3,   ///< Its DeploymentState is gone.
};
std::string to_string(stop_reason x);
constexpr stop_reason last_enumerator(stop_reason) { return stop_reason::owner_gone; }

// -- commands (DeploymentState -> replica) -------------------------------------------------------------------------

/// Runs `reconfigure(user_config)` in place once what has begun has ended. `seq` counts the updates of one replica from
/// 1; a lower or equal one than the last seen is ignored (it was reordered or copied).
struct config_update {
  std::uint32_t seq = 0;
  json_doc user_config;
};
TROUPE_INSPECT(config_update, x.seq, x.user_config)

/// Runs `check_health()`; answered by `replica_checked` with the same `seq`.
struct check_replica {
  std::uint32_t seq = 0;
};
TROUPE_INSPECT(check_replica, x.seq)

/// No new requests; begun ones end; then the user object is destroyed and the actor ends. Idempotent.
struct stop_replica {
  std::uint64_t id = 0;
};
TROUPE_INSPECT(stop_replica, x.id)

// -- facts (replica -> DeploymentState) ----------------------------------------------------------------------------

/// Constructed, and configured where a config was given.
struct replica_started {
  replica_ref replica;
};
TROUPE_INSPECT(replica_started, x.replica)

/// A `config_update` has ended: `ok`, or `reconfigure` threw `message`.
struct replica_reconfigured {
  replica_ref replica;
  std::uint32_t seq = 0;
  bool ok = true;
  std::string message;
};
TROUPE_INSPECT(replica_reconfigured, x.replica, x.seq, x.ok, x.message)

struct replica_checked {
  replica_ref replica;
  std::uint32_t seq = 0;
  bool ok = true;
  std::string message;
};
TROUPE_INSPECT(replica_checked, x.replica, x.seq, x.ok, x.message)

/// The last word of every replica, however it ended. The user object is destroyed (or was never made).
struct replica_stopped {
  replica_ref replica;
  stop_reason reason = stop_reason::asked;
  std::string message;
};
TROUPE_INSPECT(replica_stopped, x.replica, x.reason, x.message)

using replica_actor = caf::typed_actor<takes<config_update>, takes<check_replica>, takes<stop_replica>>;
using replica_owner_actor = caf::typed_actor<takes<replica_started>, takes<replica_reconfigured>,
                                             takes<replica_checked>, takes<replica_stopped>>;

} // namespace troupe
