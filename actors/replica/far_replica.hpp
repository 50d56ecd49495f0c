// What stands for a replica of another process in that of a router which does not own it.
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/messages/worker.hpp>

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>

namespace troupe::replica {

/// It takes no more requests: what has begun ends, then the actor does. Local.
struct close_far_replica {};

using far_replica_actor = port_caller_actor::extend<takes<close_far_replica>>;

struct far_boot {
  std::shared_ptr<router> calls;
  cell* where = nullptr; ///< Acquired, and not opened: the actor does that, and releases it.
  replica_port_actor port;
  /// Once, on any thread: it has ended. False: the port is gone, or its process is out of reach.
  std::function<void(bool was_closed)> on_end;
};

/// Any thread. The port's end is the replica's: what had begun there fails as `replica_died`, or is tried again.
far_replica_actor spawn_far_replica(const std::shared_ptr<const control::environment>& env, far_boot b);

} // namespace troupe::replica

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::replica::close_far_replica)
