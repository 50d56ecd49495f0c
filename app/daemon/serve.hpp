// Runs the daemon.
#pragma once

#include <troupe/app/daemon/serve_options.hpp>

namespace troupe::daemon {

/// Serves until a stop signal or a shutdown by the API. Returns the program's exit code: 0 after a clean stop, 1 when
/// it could not start or stop in time (one line on stderr says why).
int serve(const serve_options& options);

} // namespace troupe::daemon
