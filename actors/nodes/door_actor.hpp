// Spawns the actor that nodes join by: the shell of the nodes machine, and what their replicas get their places from.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/nodes/join_guard.hpp>
#include <troupe/actors/nodes/machine.hpp>
#include <troupe/actors/nodes/node_code.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/node.hpp>

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::nodes {

// -- local: from replicas (places.hpp), and from operators

struct attach_place {
  replica::worker_place place;
  std::shared_ptr<const node_code> what;
  caf::strong_actor_ptr who; ///< Gets `worker_assigned` or `worker_lost`.
};
struct detach_place {
  std::uint64_t place = 0;
  bool killed = false; ///< It was given up: what runs there is to be killed.
};
/// Nobody will start replicas of it any more.
struct code_gone {
  std::uint64_t code = 0;
};
struct list_nodes {};
struct node_list {
  std::vector<node_view> nodes;
  std::vector<std::uint32_t> replicas; ///< By node.
  instant now{0};
};
struct operate_node {
  any_event what; ///< A command.
};
struct operated {
  error refused;
};
/// Nothing is left there, as far as the door knew. Of itself.
struct node_emptied {
  std::uint64_t node = 0;
};
/// Nodes of an earlier controller that have joined and do not say what they bring are not waited for any longer.
struct return_over {};
/// What nodes that take HTTP route from now on.
struct set_paths {
  node_routes paths;
};
/// What routers elsewhere are to be told is gathered, and goes with this. Of itself.
struct tell_routes {};
struct door_tick {
  std::uint64_t epoch = 0;
};

using door_actor =
    node_door_actor::extend<takes<attach_place>, takes<detach_place>, takes<code_gone>, takes<seat_taken>,
                            takes<adoption_over>, takes<deployment_routed>, takes<replica_routed>,
                            takes<deployment_unrouted>, takes<restoration_finished>, takes<set_paths>,
                            takes<tell_routes>, takes<return_over>, takes<door_tick>, takes<node_emptied>,
                            asks<list_nodes>::for_a<node_list>, asks<operate_node>::for_a<operated>>;

struct door_boot {
  controller_actor controller;
  code_source_actor code; ///< Where nodes get code from.
  std::string release;    ///< Of this program.
  limits bounds{.suspect_after = std::chrono::milliseconds{5'000}, .lost_after = std::chrono::milliseconds{0}};
  std::shared_ptr<const join_guard> guard{}; ///< Null: no proof is asked for (loopback).
  std::vector<known_node> known{};           ///< What an earlier process has stored.
  std::uint64_t last_id = 0;
  /// Durable when it returns; on the control thread. May be empty.
  std::function<void(const known_node&, std::uint64_t last_id)> persist{};
};

/// Any thread. It runs on the control thread, and ends by an exit message: everybody whose replica has a place hears
/// that it is lost.
///
/// A node whose connection ends is lost at once, with what it has (`lost_after` 0): its replicas end as killed, what
/// had begun there gets its outcome, and others take their place. When it is back it joins anew; of what it brings,
/// such as is wanted is adopted, in the place of replicas that start.
door_actor spawn_door(const control::environment_ptr& env, door_boot b);

} // namespace troupe::nodes

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::attach_place)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::detach_place)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::code_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::list_nodes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::node_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::operate_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::operated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::node_emptied)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::return_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::set_paths)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::tell_routes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::nodes::door_tick)
