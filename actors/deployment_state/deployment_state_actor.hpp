// Spawns the actor that owns one deployment: its replicas, its rollout, and what its routers know.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/deployment_state/machine.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/messages/control.hpp>

#include <memory>

namespace troupe::deployment_state {

struct boot {
  deployment_name name;
  limits bounds;
  std::shared_ptr<router> calls; ///< The deployment's router in this process; outlives its replicas.
  controller_actor controller;   ///< Gets `claim_room` and `deployment_removed`. Cleared when the actor ends.
};

/// Any thread. The actor runs on the control thread and never runs user code. It ends when it is sent an exit message
/// (the controller does, after `deployment_removed`); then its replicas are killed.
///
/// A delete is answered when nothing is left; a deploy that comes first answers it with `rejected`.
deployment_state_actor spawn_deployment_state(const control::environment_ptr& env, boot b);

} // namespace troupe::deployment_state
