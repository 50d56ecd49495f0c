// What becomes of replicas whose state actor ends before them: it was lost, or the runtime stops.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/messages/control.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace troupe::deployment_state {

/// One replica's actor and its place in the router.
struct replica_entry {
  replica_actor actor;
  cell* place = nullptr;
  bool given_up = false; ///< Holds no room.
  resources holds{};
  placement_options where{}; ///< It may run, for who holds room.
  std::uint64_t seat = 0;    ///< Of one in another process: its place there, and the port by which requests come.
  std::uint64_t port = 0;    ///< 0 = it is here, or not known yet.
  bool is_routed = false;    ///< It takes requests.
};

/// Kills them. Each frees its place in the router when it ends, and tells the controller how many still hold room: as a
/// `claim_room` of the name that stands for them, the first one, with all of them, before this returns. For the state
/// actor's last moments; `self` is the state actor.
void leave_orphans(const control::environment_ptr& env, caf::local_actor* self, const deployment_name& name,
                   const controller_actor& controller, const std::shared_ptr<router>& calls,
                   std::vector<replica_entry> replicas);

/// The deployment whose orphans `claimer` stands for; nothing when it is a deployment's own name.
std::optional<deployment_name> deployment_of_orphans(const deployment_name& claimer);

} // namespace troupe::deployment_state
