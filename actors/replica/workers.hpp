// The seam between replicas and the processes that run their user code, where that is not this one.
//
// Life of a place: attach, worker_assigned, (the replica is made, works, stops,) detach; from `attach` on `worker_lost`
// may come instead, as the last word, and `kill` ends it without one.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/router/result.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/worker.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace troupe::replica {

class remote_code;

/// A worker, or a node, is up and has loaded the code. Local.
struct worker_assigned {
  std::uint64_t place = 0;
  worker_host_actor host;
  std::string node{}; ///< Its name; empty = this machine.
};

/// The worker ended, or never came up. Local.
struct worker_lost {
  std::uint64_t place = 0;
  std::string how;         ///< For the status, as it may be shown: signal or exit code, the last lines of its stderr.
  bool by_request = false; ///< A request may have killed it: none that it had is tried again.
};

/// Whose place it is; a worker's output is kept under its replica's name. A value.
struct worker_place {
  std::uint64_t number = 0; ///< Unique in this process.
  std::uint64_t replica = 0;
  std::uint64_t revision = 0;
  std::shared_ptr<const deployment_spec> spec{}; ///< What it is started with: its name, and what it asks for.
};

/// Gives replicas their place in a worker process. Thread-safe; functions return at once and never run user code.
class worker_source {
public:
  virtual ~worker_source() = default;
  /// `who` gets `worker_assigned` or `worker_lost`.
  virtual void attach(worker_place place, std::shared_ptr<const remote_code> what, caf::strong_actor_ptr who) = 0;
  /// The replica is gone from its worker, which ends with its last one. `worker_lost` may be on its way.
  virtual void detach(std::uint64_t place) = 0;
  /// The replica's worker is killed with all that it runs; the others in it hear `worker_lost`, this one nothing.
  virtual void kill(std::uint64_t place, std::string why) = 0;
};

/// Code that worker processes run: its `construct` throws. Immutable, thread-safe.
class remote_code : public code {
public:
  virtual worker_source& workers() const noexcept = 0;
  /// As its library declares it.
  virtual const std::string& deployment() const noexcept = 0;
  /// Hash of what is loaded: that of another load of the same is the same. 0 = it is like no other.
  virtual std::uint64_t likeness() const noexcept { return 0; }
  /// A `user_config` as its user code is to get it; an error is as if `reconfigure` had thrown it.
  virtual result<json_doc> delivered(const json_doc& user_config) const { return user_config; }
  /// What user code said, as it may be shown.
  virtual std::string shown(std::string text) const { return text; }
};

/// Of a replica of `what` that is started as `spec` says.
replica_kind kind_of(const remote_code& what, const deployment_spec& spec);

} // namespace troupe::replica

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::replica::worker_assigned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::replica::worker_lost)
