// What the machine has that replicas may ask for.
#pragma once

#include <troupe/messages/resources.hpp>

#include <string>

namespace troupe {

/// `num_cpus`: those that this process may run on, or the quota of its control group where that is lower (0.5 CPUs are
/// 5000, and it is at least 1). `memory`: that of the machine, or the limit of the control group where that is lower.
/// A group's limit is the lowest of its own and its parents', versions 1 and 2. GPUs and resources of one's own are not
/// detected. What cannot be read is left out. /proc and /sys are looked for below `root`.
resources detected_resources(const std::string& root = {});

} // namespace troupe
