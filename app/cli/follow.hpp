// Watches rollouts until all have ended.
#pragma once

#include <troupe/app/cli/api.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace troupe::cli {

/// What to watch. Empty sets stand for all.
struct follow_options {
  std::set<std::string> applications;
  std::optional<deployment_path> only;
  std::map<std::string, std::uint64_t> revisions; ///< By full name: earlier ones count as pending.
  std::chrono::milliseconds limit{0};             ///< 0 = none.
  bool gone_is_done = false;                      ///< For deletes: ends when nothing of it is left.
};

/// Draws the waves on a terminal, prints a line per change elsewhere (none with --output json, which gets the last
/// status). Returns done, failed or paused; throws `failure` when the daemon stays away or the limit is passed.
exit_code follow(invocation& in, const api& daemon, const follow_options& options);

/// "--wait" and "--wait-timeout".
void add_wait_options(boost::program_options::options_description& to);
std::chrono::milliseconds wait_limit(const invocation& in);

} // namespace troupe::cli
