// The one place that makes CAF know every message type that travels.
#pragma once

#include <caf/fwd.hpp>

namespace troupe {

/// Adds troupe's message types and the error renderer to `config`. Call it before the actor system is made; a system
/// without it is refused by `troupe::runtime`.
void register_messages(caf::actor_system_config& config);

/// Whether `sys` was made from a configuration that went through `register_messages`.
bool has_messages(const caf::actor_system& sys);

} // namespace troupe
