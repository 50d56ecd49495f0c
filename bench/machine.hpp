// What the benchmarks read from the machine: its name, memory, processor time, and who else is using it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace troupe::bench {

using steady = std::chrono::steady_clock;

inline double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// "AMD EPYC, 2 cores, Linux 6.1.0".
std::string machine_name();

/// Processor time of this process in seconds, all threads.
double cpu_seconds();

/// Bytes in use on the heap, freed ones not counted.
std::size_t heap_bytes();
/// Gives freed memory back to the system, so that no measurement pays for the one before.
void trim_heap();

/// Resident memory now, in MiB.
double resident_mib();
/// Forgets the peak of resident memory until now (Linux 4.0 and newer).
void reset_peak();
/// Peak of resident memory since `reset_peak`, in MiB.
double peak_mib();

/// Counters of the whole machine, to be compared with later ones.
struct load_snapshot {
  steady::time_point at;
  double busy = 0;  ///< Seconds of all processors, all processes.
  double steal = 0; ///< Seconds taken by the hypervisor.
  double own = 0;   ///< Seconds of this process.
};
load_snapshot take_load();
/// Time stolen between the two, in percent of all processors.
double steal_percent(const load_snapshot& from, const load_snapshot& to);
/// What other processes used between the two, in percent of one core.
double foreign_percent(const load_snapshot& from, const load_snapshot& to);

} // namespace troupe::bench
