// What a worker does to itself before any user code runs: folder, limits.
#pragma once

#include <troupe/messages/runtime_env.hpp>

namespace troupe::worker {

/// Throws `std::runtime_error` that names the member and what the system says. Single-threaded: before all else.
void apply(const runtime_env& env);

} // namespace troupe::worker
