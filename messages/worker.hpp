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
inline constexpr std::uint32_t worker_wire_version = 4;

/// One request that has begun. `id` is unique among those of its replica.
struct worker_call {
  std::uint64_t id = 0;
  std::uint64_t key = 0; ///< `signature_key`
  wire_context context;
  std::string request; ///< `call_base::write_request`
};
TROUPE_INSPECT(worker_call, x.id, x.key, x.context, x.request)

struct worker_calls {
  std::uint64_t place = 0; ///< `start_worker_replica::place`
  std::vector<worker_call> calls;
};
TROUPE_INSPECT(worker_calls, x.place, x.calls)

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

/// The replica is made, its constructor runs or will.
struct worker_replica_made {
  replica_actor replica;
};
TROUPE_INSPECT(worker_replica_made, x.replica)

/// Towards the replica actor in the daemon that stands for one in a worker.
using worker_replica_owner_actor =
    replica_owner_actor::extend<takes<worker_answers>, takes<worker_replica_made>, takes<replica_stuck>>;

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
};
TROUPE_INSPECT(start_worker_replica, x.place, x.replica, x.revision, x.deployment, x.full_name, x.init_args,
               x.execution, x.stuck_after, x.owner)

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

using worker_host_actor = caf::typed_actor<takes<start_worker_replica>, takes<worker_calls>, takes<drop_worker_replica>,
                                           takes<abandon_worker_replica>, takes<end_worker>>;

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
