// Steps of a DeploymentState as one line of text.
#pragma once

#include <troupe/actors/deployment_state/machine.hpp>

#include <string>

namespace troupe::testing {

/// "started 7 -> route 7, stop 3 (wave), ...".
std::string describe(const deployment_state::any_event& ev, const deployment_state::transition& t);

} // namespace troupe::testing
