#include <troupe/app/worker/limits.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace troupe::worker {

namespace {

[[noreturn]] void refuse(const std::string& member, const std::string& why) {
  throw std::runtime_error("runtime_env." + member + ": " + why);
}

void limit(__rlimit_resource what, rlim_t value, const std::string& member) {
  rlimit x{};
  ::getrlimit(what, &x);
  x.rlim_cur = x.rlim_max == RLIM_INFINITY ? value : std::min(value, x.rlim_max);
  if (x.rlim_cur < value)
    refuse(member, "the system allows at most " + std::to_string(x.rlim_max));
  x.rlim_max = value;
  if (::setrlimit(what, &x) != 0)
    refuse(member, std::generic_category().message(errno));
}

struct usage {
  std::uint64_t data = 0;     ///< Private, writable address space.
  std::uint64_t resident = 0; ///< Of that, in memory.
};

usage own_usage() {
  usage out;
  std::ifstream status{"/proc/self/status"};
  constexpr std::uint64_t kibi = 1024;
  for (std::string key, line; status >> key && std::getline(status, line);) {
    if (key == "VmData:")
      out.data = std::stoull(line) * kibi;
    else if (key == "RssAnon:")
      out.resident = std::stoull(line) * kibi;
  }
  return out;
}

/// As the kernel counts private data: what the process has mapped already, plus what it may use.
void limit_memory(std::uint64_t bytes) {
  constexpr std::uint64_t least = std::uint64_t{16} << 20U; // threads, CAF, the library itself
  const auto now = own_usage();
  if (bytes < now.resident + least)
    refuse("limits.memory", std::to_string(bytes) + " bytes are less than a worker needs by itself (" +
                                std::to_string(now.resident + least) + ")");
  limit(RLIMIT_DATA, now.data + (bytes - now.resident), "limits.memory");
}

} // namespace

void apply(const runtime_env& env) {
  if (!env.working_dir.empty() && ::chdir(env.working_dir.c_str()) != 0)
    refuse("working_dir", env.working_dir + ": " + std::generic_category().message(errno));
  const auto& x = env.limit;
  if (x.open_files > 0)
    limit(RLIMIT_NOFILE, x.open_files, "limits.open_files");
  if (!x.core_dumps)
    limit(RLIMIT_CORE, 0, "limits.core_dumps");
  if (x.cpu_weight != 100) { // each step of nice is a factor of 1.25 in the kernel's weights
    const auto nice = std::lround(-std::log(static_cast<double>(x.cpu_weight) / 100.0) / std::log(1.25));
    const auto clamped = static_cast<int>(std::clamp<long>(nice, -20, 19));
    if (::setpriority(PRIO_PROCESS, 0, clamped) != 0)
      refuse("limits.cpu_weight", std::to_string(x.cpu_weight) + " is more than this user may have (100): " +
                                      std::generic_category().message(errno));
  }
  if (x.memory_bytes > 0)
    limit_memory(x.memory_bytes);
}

} // namespace troupe::worker
