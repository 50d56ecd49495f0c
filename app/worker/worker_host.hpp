// The actor of a worker process that starts replicas and brings them their requests.
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/worker/replica_port.hpp>
#include <troupe/messages/worker.hpp>

#include <caf/allowed_unsafe_message_type.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace troupe::worker {

/// Replicas of one host, or of several. Thread-safe.
using replica_count = std::atomic<std::uint32_t>;

/// What the hosts of a process have in common; either may be null.
struct node_tables {
  std::shared_ptr<replica_count> replicas; ///< Those that were started and not dropped.
  std::shared_ptr<port_table> ports;
};

/// `on_end` is called once, by `end_worker`.
worker_host_actor spawn_worker_host(std::shared_ptr<const control::environment> env, library::application_code code,
                                    std::function<void()> on_end, node_tables tables = {});

// -- in a node's process, local

/// A replica was to be started in the place of one that was to be adopted, and none is left that can be.
struct orphan_missed {
  std::uint64_t user = 0;
};
/// What is to be adopted here goes to another host, of the same code.
struct hand_over_orphans {
  worker_host_actor to;
};
/// As `drop_orphans`, and the host ends when nothing is left there.
struct leave_when_empty {};
struct orphan_box;
struct take_orphans {
  std::shared_ptr<orphan_box> all;
};
/// To the keeper: they are with the host of this name.
struct orphans_taken {
  std::uint64_t user = 0;
};

/// What `spawn_worker_host` makes, for who owns it.
using node_host_actor =
    worker_host_actor::extend<takes<hand_over_orphans>, takes<take_orphans>, takes<leave_when_empty>>;
/// Who `orphan_replicas::to` is.
using orphan_watcher_actor = orphan_keeper_actor::extend<takes<orphan_missed>, takes<orphans_taken>>;

} // namespace troupe::worker

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::orphan_missed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::hand_over_orphans)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::leave_when_empty)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::take_orphans)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::orphans_taken)
