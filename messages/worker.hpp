// What the daemon and its worker processes say to each other, over CAF's network layer on the loopback interface.
//
// A worker connects to the port that it was told, and says `worker_hello` to the door there. Its host then starts
// replicas, each an ordinary replica actor, which obeys and reports to the replica actor that stands for it in the
// daemon.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/replica.hpp>
#include <troupe/messages/request.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Both sides are one program, but a package update may replace the file while the daemon runs. Another number wherever
/// a struct that goes between them gets another shape.
inline constexpr std::uint32_t worker_wire_version = 5;

// -- requests: between a router's process and the port of one replica in another

/// One request. `id` is unique among those of its sender.
struct worker_call {
  std::uint64_t id = 0;
  std::uint64_t key = 0; ///< `signature_key`
  wire_context context;
  std::string request; ///< `call_base::write_request`
};
TROUPE_INSPECT(worker_call, x.id, x.key, x.context, x.request)

struct worker_calls {
  std::uint64_t from = 0; ///< `open_port::from`
  /// Of the deployment, as the sender's router has it: what would be above it is refused.
  std::uint32_t max_ongoing = 0;
  std::vector<worker_call> calls;
};
TROUPE_INSPECT(worker_calls, x.from, x.max_ongoing, x.calls)

struct worker_answer {
  std::uint64_t id = 0;
  std::uint8_t code = 0; ///< `errc`; 0 = answered.
  std::string content;   ///< The answer's bytes, or the error's text.
};
TROUPE_INSPECT(worker_answer, x.id, x.code, x.content)

struct worker_answers {
  std::vector<worker_answer> answers;
};
TROUPE_INSPECT(worker_answers, x.answers)

/// These have not begun and will not: there is no room, or the replica stops. No more are wanted until `port_has_room`;
/// without ids: for ever.
struct calls_refused {
  std::vector<std::uint64_t> ids;
};
TROUPE_INSPECT(calls_refused, x.ids)

/// To who was refused for want of room: there is some. Answered by requests, or by `room_not_needed`.
struct port_has_room {};
TROUPE_INSPECT(port_has_room)

using port_caller_actor = caf::typed_actor<takes<worker_answers>, takes<calls_refused>, takes<port_has_room>>;

/// The first word to a port. It is watched: with the caller goes what was promised to it.
struct open_port {
  std::uint64_t from = 0; ///< Of the caller; drawn at random, as callers of several processes have one port.
  port_caller_actor caller;
};
TROUPE_INSPECT(open_port, x.from, x.caller)

struct room_not_needed {
  std::uint64_t from = 0;
};
TROUPE_INSPECT(room_not_needed, x.from)

/// From the owner, behind its calls: the replica is to stop. What has not begun is refused, and what still comes.
struct close_intake {};
TROUPE_INSPECT(close_intake)

/// Where requests to one replica come in, from whichever process. Lives as long as the user's object, whoever owns
/// that.
using replica_port_actor =
    caf::typed_actor<takes<open_port>, takes<worker_calls>, takes<room_not_needed>, takes<close_intake>>;

// -- replicas

/// The replica is made, its constructor runs or will.
struct worker_replica_made {
  replica_actor replica;
  replica_port_actor port;
  std::uint64_t port_number = 0; ///< Never reused in its process.
};
TROUPE_INSPECT(worker_replica_made, x.replica, x.port, x.port_number)

/// Towards the replica actor in the daemon that stands for one in a worker.
using worker_replica_owner_actor =
    replica_owner_actor::extend<takes<worker_answers>, takes<calls_refused>, takes<port_has_room>,
                                takes<worker_replica_made>, takes<replica_stuck>>;

struct start_worker_replica {
  std::uint64_t place = 0; ///< Never reused.
  replica_ref replica;
  std::uint64_t revision = 0;
  std::string deployment; ///< As the library declares it.
  std::string full_name;  ///< `[application/]name`
  json_doc init_args;
  execution_mode execution = execution_mode::pool;
  milliseconds stuck_after{300'000};
  worker_replica_owner_actor owner;
  replica_kind kind;
  bool configures = false; ///< A `config_update` follows.
};
TROUPE_INSPECT(start_worker_replica, x.place, x.replica, x.revision, x.deployment, x.full_name, x.init_args,
               x.execution, x.stuck_after, x.owner, x.kind, x.configures)

/// What is left of it ends as a dead replica's.
struct drop_worker_replica {
  std::uint64_t place = 0;
};
TROUPE_INSPECT(drop_worker_replica, x.place)

/// It was given up: its actor is killed, and what is left of it is dropped when its user code lets go. Where a process
/// is shared by several kinds of code.
struct abandon_worker_replica {
  std::uint64_t place = 0;
};
TROUPE_INSPECT(abandon_worker_replica, x.place)

/// The process ends, exit code 0.
struct end_worker {};
TROUPE_INSPECT(end_worker)

// -- in a node's process, between its agent and its hosts --

/// What is on a host that has replicas without an owner; they answer requests. `user` as in `orphan_replicas`.
struct worker_orphans {
  std::uint64_t user = 0;
  std::vector<replica_kind> kinds; ///< One element for each.
};
TROUPE_INSPECT(worker_orphans, x.user, x.kinds)

/// A replica that was to be started took up one of these.
struct orphan_adopted {
  std::uint64_t user = 0;
};
TROUPE_INSPECT(orphan_adopted, x.user)

using orphan_keeper_actor = caf::typed_actor<takes<worker_orphans>, takes<orphan_adopted>>;

/// The host's replicas have no owner any more: what can be adopted is kept until `drop_orphans`, the rest ends.
/// Answered by `worker_orphans`.
struct orphan_replicas {
  std::uint64_t user = 0; ///< The host's name with its agent.
  orphan_keeper_actor to;
};
TROUPE_INSPECT(orphan_replicas, x.user, x.to)

/// Those that nobody has adopted end.
struct drop_orphans {};
TROUPE_INSPECT(drop_orphans)

using worker_host_actor =
    caf::typed_actor<takes<start_worker_replica>, takes<drop_worker_replica>, takes<abandon_worker_replica>,
                     takes<end_worker>, takes<orphan_replicas>, takes<drop_orphans>>;

/// A worker's first word. One with another secret, or for a worker that has said it, is not heard.
struct worker_hello {
  std::uint64_t worker = 0;
  std::string secret;
  std::uint32_t wire_version = 0;
  std::string failure; ///< Why the library cannot be loaded; empty = it is.
  std::uint8_t failure_code = 0;
  json_doc offer; ///< What the library declares (worker_offer.hpp).
  worker_host_actor host;
};
TROUPE_INSPECT(worker_hello, x.worker, x.secret, x.wire_version, x.failure, x.failure_code, x.offer, x.host)

using worker_door_actor = caf::typed_actor<takes<worker_hello>>;

} // namespace troupe
