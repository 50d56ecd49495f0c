// Reads /proc and the allocator.
#include "machine.hpp"

#include <algorithm>
#include <fstream>
#include <malloc.h>
#include <sstream>
#include <string>
#include <sys/utsname.h>
#include <thread>
#include <time.h>
#include <unistd.h>

namespace troupe::bench {

namespace {

/// The number after `key` in a file of lines "key: number kB", in MiB; 0 when it is not there.
double status_mib(const std::string& key) {
  std::ifstream in{"/proc/self/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key))
      return std::stod(line.substr(key.size())) / 1024;
  return 0;
}

} // namespace

std::string machine_name() {
  std::string model = "unknown processor";
  std::ifstream in{"/proc/cpuinfo"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  utsname system{};
  uname(&system);
  return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, Linux " + system.release;
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::size_t heap_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd; // what large blocks take by mmap is in no arena
}

void trim_heap() { malloc_trim(0); }

double resident_mib() { return status_mib("VmRSS:"); }

void reset_peak() { std::ofstream{"/proc/self/clear_refs"} << "5"; }

double peak_mib() { return status_mib("VmHWM:"); }

load_snapshot take_load() {
  // "cpu user nice system idle iowait irq softirq steal guest guest_nice", in ticks; guest time is part of user.
  std::ifstream in{"/proc/stat"};
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  in >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
  const auto tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  return {steady::now(), (user + nice + system + irq + softirq) * tick, steal * tick, cpu_seconds()};
}

double steal_percent(const load_snapshot& from, const load_snapshot& to) {
  const auto wall = std::chrono::duration<double>(to.at - from.at).count();
  return 100 * (to.steal - from.steal) / (wall * std::max(1U, std::thread::hardware_concurrency()));
}

double foreign_percent(const load_snapshot& from, const load_snapshot& to) {
  const auto wall = std::chrono::duration<double>(to.at - from.at).count();
  return std::max(0.0, 100 * ((to.busy - from.busy) - (to.own - from.own)) / wall);
}

} // namespace troupe::bench
