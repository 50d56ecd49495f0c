// How requests find replicas from a node's process: what a controller tells its nodes, and what nodes ask each other.
//
//   node -> door    watch_deployments     it has a router of these, or wants one
//   door -> node    replica_sets          where their replicas are: whole at first, then what has changed
//   door -> node    node_routes           which paths lead to which deployments, for nodes that take HTTP
//   node -> node    peer_knock            on a connection of their own; its shape never changes
//   node -> node    find_port, port_found a replica's port there
//
// Requests then go from the router's process straight to the replica's (worker.hpp), whether the controller is there
// or not.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/worker.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Where other nodes reach a node's process.
struct peer_address {
  std::uint64_t incarnation = 0; ///< Of the process, as in `node_join`.
  std::string name;
  std::string host;
  std::uint16_t port = 0; ///< 0 = it cannot be reached.
};
TROUPE_INSPECT(peer_address, x.incarnation, x.name, x.host, x.port)

/// A replica that takes requests.
struct replica_route {
  std::uint64_t replica = 0;     ///< Its number, for people.
  std::uint64_t incarnation = 0; ///< Of the process that it is in.
  std::uint64_t port = 0;        ///< Its port's number there.
};
TROUPE_INSPECT(replica_route, x.replica, x.incarnation, x.port)

/// Of one deployment, for one node.
struct replica_set {
  deployment_name name;
  std::uint64_t epoch = 0; ///< Only growing, for one process of a node; never 0.
  std::uint64_t after = 0; ///< It changes the set of this epoch; 0 = it is whole: there is nothing but what it says.
  std::uint32_t max_ongoing = 5;
  std::int64_t max_queued = -1;
  bool idempotent = false;
  std::string refusal;                   ///< Why requests are refused now; empty = they are not.
  std::vector<std::uint64_t> signatures; ///< That it answers.
  std::vector<replica_route> opened;
  std::vector<replica_route> closed;
};
TROUPE_INSPECT(replica_set, x.name, x.epoch, x.after, x.max_ongoing, x.max_queued, x.idempotent, x.refusal,
               x.signatures, x.opened, x.closed)

struct replica_sets {
  std::vector<peer_address> peers; ///< Of the processes that `opened` names.
  std::vector<replica_set> sets;
};
TROUPE_INSPECT(replica_sets, x.peers, x.sets)

/// The node wants to know where the replicas of these are, from now on.
struct watch_deployments {
  std::uint64_t node = 0;
  std::vector<deployment_name> names;
};
TROUPE_INSPECT(watch_deployments, x.node, x.names)

/// One prefix of an ingress.
struct node_route {
  std::string prefix;
  deployment_name deployment;
  std::int64_t request_timeout_ms = -1; ///< -1 = the ingress's own; 0 = none.
  std::uint16_t backpressure_status = 503;
  std::uint32_t retry_after_s = 0; ///< 0 = not said.
};
TROUPE_INSPECT(node_route, x.prefix, x.deployment, x.request_timeout_ms, x.backpressure_status, x.retry_after_s)

/// All of them.
struct node_routes {
  std::vector<node_route> routes;
};
TROUPE_INSPECT(node_routes, x.routes)

// -- between nodes -------------------------------------------------------------------------------------------------

/// Answers `find_port`; a null port: there is none of that number (any more).
struct port_found {
  std::uint64_t ask = 0;
  replica_port_actor port;
};
TROUPE_INSPECT(port_found, x.ask, x.port)

/// The answer to `peer_knock`. Never changes its shape.
struct peer_here {
  std::uint32_t wire_version = 0;
  std::uint64_t incarnation = 0;
};
TROUPE_INSPECT(peer_here, x.wire_version, x.incarnation)

using peer_seeker_actor = caf::typed_actor<takes<peer_here>, takes<port_found>>;

/// The first word. Never changes its shape.
struct peer_knock {
  std::uint32_t wire_version = 0;
  peer_seeker_actor from;
};
TROUPE_INSPECT(peer_knock, x.wire_version, x.from)

struct find_port {
  std::uint64_t ask = 0;
  std::uint64_t port = 0;
  peer_seeker_actor from;
};
TROUPE_INSPECT(find_port, x.ask, x.port, x.from)

using peer_door_actor = caf::typed_actor<takes<peer_knock>, takes<find_port>>;

} // namespace troupe
