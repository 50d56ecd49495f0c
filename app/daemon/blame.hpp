// Which crashes of the process a revision is blamed for (SPEC 4). Pure: records and facts in, a verdict out.
#pragma once

#include <troupe/app/library/crash_recorder.hpp>
#include <troupe/messages/control.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace troupe::daemon {

/// As many within `blame_window_ms` quarantine a revision.
inline constexpr std::size_t crashes_to_quarantine = 2;
inline constexpr std::int64_t blame_window_ms = std::int64_t{10} * 60 * 1000;

/// What one deployment is to run. A value.
struct suspect {
  deployment_name name;
  std::uint64_t revision = 0;
  std::uint64_t code_revision = 0; ///< That brought its code: replicas started as it count, too.
  std::set<std::string> digests;   ///< Of its library and of what came along with it.
  bool on_trial = false;
  std::int64_t since_ms = 0; ///< Unix time; earlier crashes are not its own.
};

/// Those of `crashes` that `x` is blamed for, in their order. `all`: what runs beside it, itself included.
///
/// A record that names a deployment blames that alone; one of a load, who has that library. One that names nobody (a
/// thread of the user code's own) blames who has the library it happened in: those on trial if there are any of these,
/// else all; and where it names no library either, all that are on trial. An end without a record (`kill -9`, power
/// loss) blames nobody: it cannot be told from an operator's wish.
std::vector<library::crash_record> blamed_on(const suspect& x, const std::vector<suspect>& all,
                                             const std::vector<library::crash_record>& crashes, std::int64_t now_ms);

/// Crashes while a library of these digests was loaded for the application; nobody's revision may have been made yet.
std::vector<library::crash_record> blamed_on_load(const std::string& application, const std::set<std::string>& digests,
                                                  const std::vector<library::crash_record>& crashes,
                                                  std::int64_t now_ms);

/// "R3 is quarantined: the process ended 2 times within 10 minutes, last in its handler (SIGSEGV)". Not empty.
std::string quarantine_text(const std::string& what, const std::vector<library::crash_record>& blamed);

} // namespace troupe::daemon
