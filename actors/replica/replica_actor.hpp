// Spawns replicas: one actor that owns one user object, answers its requests and obeys its DeploymentState.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/control/watchdog.hpp>
#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/router/cell.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/replica.hpp>

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>

namespace troupe {
class router;
}

namespace troupe::replica {

/// All that a new replica needs.
struct boot {
  replica_ref ref{};
  std::uint64_t revision = 0; ///< Of the target that it is started for; for people. 0 = not known.
  std::shared_ptr<const code> user_code{};
  json_doc init_args{};
  json_doc user_config{};          ///< null = none; else `reconfigure` runs before `replica_started`.
  std::shared_ptr<router> calls{}; ///< The router that `where` belongs to.
  cell* where = nullptr;       ///< From `router::acquire`; the caller sets its `actor` to what `spawn_replica` returns.
  replica_owner_actor owner{}; ///< Gets all facts; a DeploymentState also `replica_stuck` from the watchdog.
  execution_mode execution = execution_mode::pool;
  std::shared_ptr<const deployment_spec> spec{}; ///< For those who give it its place elsewhere; may be null here.
  std::shared_ptr<const control::watched_deployment>
      deployment{}; ///< Name and `stuck_after`, shared by all its replicas.
};

/// Another owner takes the replica up as one that it starts: it reports to that owner from now on, `replica_started`
/// first, when what it has begun has ended. Local.
struct adopt_replica {
  replica_ref ref{};
  std::uint64_t revision = 0;
  replica_owner_actor owner{};
};

/// To one that `spawn_replica` made in this process. Any thread.
void adopt(const replica_actor& which, adopt_replica by);

/// Starts a replica. Construction is its first message, on its own thread or in the scheduler. Any thread.
///
/// Whatever happens to it (killed, killed before it ran, unreachable, an error of its own), its last word to the owner
/// is one `replica_stopped`. Before that it has called `router::abandon` on its cell and destroyed its object; after
/// that the owner calls `router::release`.
///
/// The owner ends its replicas before it ends itself, by `stop_replica` or an exit message: owner and replica hold each
/// other. Exit reason `user_shutdown` (or nobody has a handle any more) is reported as `owner_gone`, others as
/// `killed`. Exit messages do not overtake requests in hand and cannot interrupt user code.
replica_actor spawn_replica(const control::environment_ptr& env, boot b);

} // namespace troupe::replica

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::replica::adopt_replica)
