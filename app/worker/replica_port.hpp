// Where requests to one replica come in from other processes: its owner's, and those of other routers.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/messages/worker.hpp>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace troupe::worker {

struct replica_port_boot {
  std::shared_ptr<const code> user_code;
  std::shared_ptr<router> calls; ///< The replica's own: one cell.
  cell* where = nullptr;
};

/// It takes a request while fewer than the sender's `max_ongoing` are there, whoever sent them, and the replica does
/// not reconfigure; others it refuses, and tells those senders, in their order, when there is room. Ends by an exit
/// message; who calls it sees that as the replica's end.
replica_port_actor spawn_replica_port(caf::actor_system& sys, replica_port_boot b);

/// The replica has ended in order: the port takes no more requests and tells who has opened it. It ends when what is on
/// its way there has come and was refused, since what a port's end meets counts as begun. Any thread.
void close_replica_port(const replica_port_actor& port);

/// The ports of a process, for others to find. Thread-safe.
class port_table {
public:
  void add(std::uint64_t number, replica_port_actor port) {
    const std::lock_guard guard{mutex_};
    ports_.insert_or_assign(number, std::move(port));
  }
  void remove(std::uint64_t number) {
    const std::lock_guard guard{mutex_};
    ports_.erase(number);
  }
  replica_port_actor find(std::uint64_t number) const {
    const std::lock_guard guard{mutex_};
    const auto it = ports_.find(number);
    return it == ports_.end() ? replica_port_actor{} : it->second;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, replica_port_actor> ports_;
};

} // namespace troupe::worker
