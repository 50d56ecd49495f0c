// The worker process itself: `troupe worker`, started by a daemon with a handover, of no use to people.
#pragma once

namespace troupe::worker {

/// Runs until the daemon ends it. Returns the exit code; 2 with a line on stderr when it was not started by a daemon.
int run_worker();

} // namespace troupe::worker
