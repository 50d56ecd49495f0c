#include <troupe/app/daemon/blame.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace troupe::daemon {

namespace {

using library::crash_record;

constexpr std::string_view load = "load"; // of `crash_record::what`; then it names the application alone

bool is_recent(const crash_record& c, std::int64_t since_ms, std::int64_t now_ms) {
  return c.unix_ms >= std::max(since_ms, now_ms - blame_window_ms);
}

bool has_revision(const suspect& x, const crash_record& c) {
  return c.revision != 0 && (c.revision == x.revision || c.revision == x.code_revision);
}

bool is_to_blame(const suspect& x, const std::vector<suspect>& all, const crash_record& c) {
  if (c.what == load)
    return c.deployment == x.name.application &&
           (x.digests.contains(c.digest) || has_revision(x, c) || (c.digest.empty() && x.on_trial));
  if (!c.deployment.empty())
    return c.deployment == x.name.full() && has_revision(x, c);
  if (c.digest.empty())
    return x.on_trial;
  return x.digests.contains(c.digest) && (x.on_trial || std::none_of(all.begin(), all.end(), [&](const auto& other) {
                                            return other.on_trial && other.digests.contains(c.digest);
                                          }));
}

} // namespace

std::vector<crash_record> blamed_on(const suspect& x, const std::vector<suspect>& all,
                                    const std::vector<crash_record>& crashes, std::int64_t now_ms) {
  std::vector<crash_record> out;
  std::copy_if(crashes.begin(), crashes.end(), std::back_inserter(out),
               [&](const auto& c) { return is_recent(c, x.since_ms, now_ms) && is_to_blame(x, all, c); });
  return out;
}

std::vector<crash_record> blamed_on_load(const std::string& application, const std::set<std::string>& digests,
                                         const std::vector<crash_record>& crashes, std::int64_t now_ms) {
  std::vector<crash_record> out;
  std::copy_if(crashes.begin(), crashes.end(), std::back_inserter(out), [&](const auto& c) {
    return is_recent(c, 0, now_ms) && c.what == load && c.deployment == application && digests.contains(c.digest);
  });
  return out;
}

std::string quarantine_text(const std::string& what, const std::vector<crash_record>& blamed) {
  const auto& last = blamed.back();
  const auto where = last.what == load   ? " while it was loaded"
                     : last.what.empty() ? " on a thread of its own"
                                         : " in its " + last.what;
  return what + " is quarantined: the process ended " + std::to_string(blamed.size()) +
         " times within 10 minutes, last" + where + " (" + last.cause + ")";
}

} // namespace troupe::daemon
