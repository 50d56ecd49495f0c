// The actor of a node's process: joins, loads code as it is ordered, and starts the hosts of replicas.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/app/cluster/bundle.hpp>
#include <troupe/app/cluster/code_cache.hpp>
#include <troupe/app/cluster/route_board.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/worker/worker_host.hpp>
#include <troupe/messages/node.hpp>

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::cluster {

/// The door answers on a new connection. Local.
struct agent_connected {
  node_door_actor door;
};
/// The process is asked to end. Local.
struct agent_leave {};
/// A sign of life is due. Local.
struct agent_tick {
  std::uint64_t epoch = 0;
};
/// Of `load_code`. Local.
struct agent_loaded {
  std::uint64_t user = 0; ///< Of the cache; never reused.
  std::uint64_t code = 0;
  std::shared_ptr<const library::application_code> what; ///< Null: `why`.
  error why;
};

/// Nobody has adopted anything for long enough. Local.
struct agent_adoption_end {
  std::uint64_t epoch = 0;
};

/// Nothing is left here, and everybody had time to hear of it. Local.
struct agent_farewell {};

using agent_actor = node_agent_actor::extend<takes<agent_connected>, takes<agent_leave>, takes<agent_tick>,
                                             takes<agent_loaded>, takes<agent_adoption_end>, takes<agent_farewell>,
                                             takes<worker_orphans>, takes<orphan_adopted>, takes<worker::orphan_missed>,
                                             takes<worker::orphans_taken>, takes<watch_routes>>;

struct agent_boot {
  std::string name;
  std::string host; ///< For people.
  std::vector<node_label> labels;
  resources total;
  std::uint64_t incarnation = 0;
  std::string release;
  std::shared_ptr<const identity> self; ///< Null: no proofs.
  code_supply* cache = nullptr;         ///< Outlives the agent.
  std::string peer_host{};              ///< Where other nodes reach this one.
  std::uint16_t peer_port = 0;
  std::shared_ptr<worker::port_table> ports{}; ///< Of what it hosts; may be null.
  route_board_actor board{}; ///< Is told where replicas are, and says what it wants to know. May be null.
  /// Blocks; called on any thread, one at a time.
  std::function<result<library::application_code>(const load_code&)> load;
  std::function<void(std::function<void()>)> later; ///< Runs a job on a thread that may block.
  // On the control thread:
  std::function<void(std::string why)> lost;       ///< The connection is of no use any more.
  std::function<void(std::string why)> turned_off; ///< It is not wanted, for good.
  std::function<void(bool is_empty)> released;     ///< It may end, as it was asked to.
  std::function<void(std::uint64_t node)> joined;
};

/// Any thread. Ends by an exit message, with all that it hosts.
agent_actor spawn_agent(const control::environment_ptr& env, agent_boot b);

} // namespace troupe::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::agent_connected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::agent_leave)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::agent_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::agent_loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::agent_adoption_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::agent_farewell)
