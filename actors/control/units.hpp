// Tells CAF's scheduler threads from other execution units.
#pragma once

#include <caf/fwd.hpp>

namespace troupe::control {

/// Whether `unit` is a worker of `sys`'s scheduler (ours, stealing or sharing, profiled or not). Everything else that
/// may come along as the sender's unit (a multiplexer, a control thread, a detached actor's thread, another system's
/// worker) is no place to run user code on.
bool is_worker_of(const caf::execution_unit& unit, const caf::actor_system& sys);

} // namespace troupe::control
