// The simulation's view of a DeploymentState: every step with what it decided.
#pragma once

#include <troupe/actors/deployment_state/machine.hpp>

namespace troupe::deployment_state {

/// Set in the environment by a simulation, null in production. Confined to the simulation's thread.
class observer {
public:
  virtual ~observer() = default;
  /// After each step, before its effects run.
  virtual void stepped(const deployment_name& name, const any_event& ev, const transition& t, const machine& m) = 0;
};

} // namespace troupe::deployment_state
