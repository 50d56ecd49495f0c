// Runs the daemon.
#pragma once

#include <troupe/app/daemon/serve_options.hpp>

namespace troupe::daemon {

/// Serves until a stop signal or a shutdown by the API. Returns the program's exit code: 0 after a clean stop; 1 when
/// it could not start, or requests or user code had to be cut off at the end of `shutdown_timeout`; 2 when the config
/// file has faults. stderr says what, and what to do. A second signal ends the process with 128 + its number.
int serve(const serve_options& options);

} // namespace troupe::daemon
