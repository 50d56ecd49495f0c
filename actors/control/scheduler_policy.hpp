// Which scheduler an actor system of our own gets.
#pragma once

#include <caf/fwd.hpp>

#include <string>

namespace troupe::control {

/// Sets the policy of systems that will be made from `config`: "local" (local_queues.hpp), or one of CAF's, "sharing"
/// and "stealing". Throws `std::invalid_argument` naming the three for anything else.
void set_scheduler_policy(caf::actor_system_config& config, const std::string& name);

} // namespace troupe::control
