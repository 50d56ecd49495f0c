#include <troupe/actors/control/local_queues.hpp>
#include <troupe/actors/control/scheduler_policy.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

#include <stdexcept>

namespace troupe::control {

void set_scheduler_policy(caf::actor_system_config& config, const std::string& name) {
  if (name == "local") {
    config.module_factories.emplace_back([](caf::actor_system& sys) -> caf::actor_system::module* {
      return new caf::scheduler::coordinator<local_queues>(sys);
    });
  } else if (name == "sharing" || name == "stealing") {
    config.set("scheduler.policy", caf::atom_from_string(name));
  } else {
    throw std::invalid_argument("scheduler_policy: \"" + name +
                                "\" is not allowed; expected \"local\", \"sharing\" or \"stealing\"");
  }
}

} // namespace troupe::control
