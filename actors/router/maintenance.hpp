// The actor that drives a router's timeouts; sends nothing while no request has a deadline.
#pragma once

#include <troupe/actors/router/router.hpp>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

/// Spawns it (hidden) and connects it with `set_timer`. With `unit` it runs there: the control thread's inbound unit;
/// null = where the system puts it. Ends with an exit message; a router without it has no timeouts before a request
/// begins.
caf::actor spawn_maintenance(caf::actor_system& sys, const std::shared_ptr<router>& of,
                             caf::execution_unit* unit = nullptr);

} // namespace troupe
