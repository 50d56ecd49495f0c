// Reads the affinity mask, /proc/meminfo and the limits of the control group.
#include <troupe/app/runtime/machine_resources.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace troupe {

namespace {

std::uint64_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<std::uint64_t>(CPU_COUNT(&set));
  return static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); // more than the mask has room for
}

// "max", which is no limit, is no number.
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file{path};
  std::uint64_t bytes = 0;
  if (file >> bytes)
    return bytes;
  return std::nullopt;
}

std::optional<std::uint64_t> physical_memory() {
  const auto pages = sysconf(_SC_PHYS_PAGES);
  const auto size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size);
}

// The lowest of the limits from the process's group up to the root.
std::optional<std::uint64_t> group_limit() {
  std::optional<std::uint64_t> least;
  const auto consider = [&](const std::string& file) {
    if (const auto n = number_in(file))
      least = std::min(least.value_or(*n), *n);
  };
  std::ifstream groups{"/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);) {
    const auto second = line.find(':', line.find(':') + 1);
    if (second == std::string::npos)
      continue;
    const bool unified = line.starts_with("0::");
    if (!unified && line.find("memory") > second)
      continue;
    const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const std::string name = unified ? "/memory.max" : "/memory.limit_in_bytes";
    auto group = line.substr(second + 1);
    for (; group.size() > 1; group.erase(group.rfind('/')))
      consider(root + group + name);
    consider(root + name);
  }
  return least;
}

} // namespace

resources detected_resources() {
  resources found;
  found.set(resource_name::cpus, usable_cpus() * resource_unit);
  const auto memory = physical_memory();
  if (const auto limit = group_limit(); limit && memory)
    found.set(resource_name::memory, std::min(*memory, *limit));
  else
    found.set(resource_name::memory, memory.value_or(0));
  return found;
}

} // namespace troupe
