// Reads the affinity mask, /proc/meminfo and the limits of the control group.
#include <troupe/app/runtime/machine_resources.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <sched.h>
#include <string_view>
#include <unistd.h>

namespace troupe {

namespace {

using limit = std::optional<std::uint64_t>; // nothing = there is none

std::uint64_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<std::uint64_t>(CPU_COUNT(&set));
  return static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); // more than the mask has room for
}

limit physical_memory() {
  const auto pages = sysconf(_SC_PHYS_PAGES);
  const auto size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size);
}

// Neither "max" nor -1, which are no limits. Signed: read as an unsigned number -1 would be the largest.
limit number_in(std::istream& file) {
  std::int64_t x = 0;
  if (file >> x && x >= 0)
    return static_cast<std::uint64_t>(x);
  return std::nullopt;
}

limit number_at(const std::string& path) {
  std::ifstream file{path};
  return number_in(file);
}

limit memory_of(const std::string& group, bool unified) {
  return number_at(group + (unified ? "/memory.max" : "/memory.limit_in_bytes"));
}

// 50000 of 100000 microseconds are 5000; a quota that would round to nothing is 1.
limit cpus_of(const std::string& group, bool unified) {
  limit quota;
  limit period;
  if (unified) {
    std::ifstream file{group + "/cpu.max"};
    quota = number_in(file);
    period = number_in(file);
  } else {
    quota = number_at(group + "/cpu.cfs_quota_us");
    period = number_at(group + "/cpu.cfs_period_us");
  }
  if (!quota || !period || *period == 0 || *quota > std::numeric_limits<std::uint64_t>::max() / resource_unit)
    return std::nullopt;
  return std::max<std::uint64_t>(*quota * resource_unit / *period, 1);
}

// "cpu" is in "cpu,cpuacct", and not in "cpuset".
bool names(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const auto one = controllers.substr(0, controllers.find(','));
    if (one == wanted)
      return true;
    controllers.remove_prefix(std::min(controllers.size(), one.size() + 1));
  }
  return false;
}

// The lowest of the limits from the process's group up to the root. Version 1 has a hierarchy per controller, mounted
// under its name or under those of all that share it.
template <class Read>
limit group_limit(const std::string& root, const std::string& controller, Read read) {
  limit least;
  const auto consider = [&](const std::string& folder, bool unified) {
    if (const auto n = read(folder, unified))
      least = std::min(least.value_or(*n), *n);
  };
  std::ifstream groups{root + "/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos)
      continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && !names(controllers, controller))
      continue;
    for (const auto& mount :
         {unified ? std::string{} : '/' + controller, unified ? std::string{} : '/' + controllers}) {
      const auto top = root + "/sys/fs/cgroup" + mount;
      for (auto group = line.substr(second + 1); group.size() > 1; group.erase(group.rfind('/')))
        consider(top + group, unified);
      consider(top, unified);
    }
  }
  return least;
}

} // namespace

resources detected_resources(const std::string& root) {
  const auto lower = [](limit a, limit b) { return a && b ? std::min(*a, *b) : a.value_or(b.value_or(0)); };
  resources found;
  found.set(resource_name::cpus, lower(usable_cpus() * resource_unit, group_limit(root, "cpu", cpus_of)));
  const auto memory = physical_memory();
  found.set(resource_name::memory, memory ? lower(memory, group_limit(root, "memory", memory_of)) : 0);
  return found;
}

} // namespace troupe
