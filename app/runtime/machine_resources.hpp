// What the machine has that replicas may ask for.
#pragma once

#include <troupe/messages/resources.hpp>

namespace troupe {

/// `num_cpus`: those that this process may run on. `memory`: that of the machine, or the limit of the process's control
/// group where that is lower. GPUs and resources of one's own are not detected. What cannot be read is left out.
resources detected_resources();

} // namespace troupe
