// Spawns replicas whose user code runs in a worker process.
#pragma once

#include <troupe/actors/replica/replica_actor.hpp>
#include <troupe/actors/replica/workers.hpp>

namespace troupe::replica {

/// As `spawn_replica`, for `remote_code`: the same actor to its owner and router, with one replica actor in a worker
/// that it stands for. A request has begun when it is sent to the worker. When the worker is lost the replica ends as
/// `killed`, or `start_failed` before it was constructed; killed itself, it has its worker killed.
replica_actor spawn_remote_replica(const control::environment_ptr& env, boot b,
                                   std::shared_ptr<const remote_code> what);

} // namespace troupe::replica
