// Spawns the one front door to all deployments of a runtime.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/controller/directory.hpp>
#include <troupe/actors/deployment_state/machine.hpp>
#include <troupe/messages/control.hpp>

#include <cstdint>
#include <memory>

namespace troupe::controller {

struct boot {
  std::uint32_t max_replicas = 0;       ///< Over all deployments; 0 = no bound.
  resources local{};                    ///< What this machine has; what it doesn't name is none.
  std::shared_ptr<directory> listed;    ///< Required; nobody else writes it.
  deployment_state::limits bounds = {}; ///< For each deployment; `room_limited` is set here.
  bool on_nodes = false;                ///< Replicas go to nodes, as these are offered; `local` does not count.
};

/// Any thread. The actor runs on the control thread. Commands are answered by the deployment they concern; where its
/// state actor has ended unexpectedly they fail, the status says so, and a deploy starts it anew.
///
/// An exit message (not a kill) ends it in order: open commands fail with `runtime_stopped`, every DeploymentState is
/// ended (which kills its replicas), all routers are shut, and when the last DeploymentState is down the actor is.
controller_actor spawn_controller(const control::environment_ptr& env, boot b);

} // namespace troupe::controller
