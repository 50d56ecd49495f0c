// Execution units: telling CAF's scheduler threads from others, and resuming actors on our own.
#pragma once

#include <caf/fwd.hpp>

#include <cstddef>

namespace troupe::control {

/// Whether `unit` is a worker of `sys`'s scheduler (ours, stealing or sharing, profiled or not). Everything else that
/// may come along as the sender's unit (a multiplexer, a control thread, a detached actor's thread, another system's
/// worker) is no place to run user code on.
bool is_worker_of(const caf::execution_unit& unit, const caf::actor_system& sys);

/// Resumes `job` on `unit` for at most `turn` messages. True: it has more to do, and the reference that came with it is
/// still the caller's, to be scheduled again. False: it waits or has ended, and the reference is given back.
bool resume_once(caf::resumable* job, caf::execution_unit& unit, std::size_t turn);

} // namespace troupe::control
