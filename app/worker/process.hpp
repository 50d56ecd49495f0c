// Starting one worker process, and what became of it.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/file.hpp>
#include <troupe/app/worker/handover.hpp>
#include <troupe/messages/error.hpp>

#include <string>
#include <sys/types.h>

namespace troupe::worker {

using library::descriptor;

/// A started process. Dropping it closes the life line: the process ends itself.
struct process {
  pid_t pid = 0;
  descriptor pid_fd; ///< Readable when it has ended.
  descriptor life;   ///< Written at start; its closing ends the process.
  descriptor out;    ///< Its stdout, non-blocking.
  descriptor err;    ///< Its stderr, non-blocking.
};

/// Starts `program worker` with this handover, in a process group of its own, with an empty signal mask. Call it on a
/// thread that lives as long as the process may: the kernel kills the process when that thread ends. `unavailable` with
/// the reason when it cannot be started.
result<process> start(const std::string& program, const handover& what);

/// How a process ended. A value.
struct ending {
  int code = 0;   ///< Exit code; meaningless with a signal.
  int signal = 0; ///< 0 = it exited.
};
/// "was killed by signal 11 (Segmentation fault)", "ended with exit code 3".
std::string to_string(const ending& x);

/// Ends whatever is left of the process's group, and takes the process's ending. Precondition: `pid_fd` is readable.
ending reap(const process& x);

} // namespace troupe::worker
