// Between the runtime's actors and the host's hooks: counts events, wakes those who wait for one, and can be closed.
#pragma once

#include <troupe/app/runtime/runtime_options.hpp>
#include <troupe/messages/control.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace troupe {

using event_counts = std::map<std::string, std::uint64_t>; ///< By `runtime_event::what`.

/// Thread-safe. Shared with actors that may outlive the runtime because their user code does not return.
class event_hub {
public:
  event_hub(std::function<void(const runtime_event&)> on_event,
            std::function<void(log_level, std::string_view)> on_log);

  void event(const runtime_event& x) noexcept;
  void log(log_level level, std::string_view text) noexcept;
  /// Returns when no hook runs; from then on none is called. Not from within a hook.
  void close();

  /// Changes with each event of this deployment; 0 before the first, and after it was removed.
  std::uint64_t stamp(const deployment_name& name) const;
  /// Until `stamp(name)` differs from `seen`, at the latest until `until`.
  void wait(const deployment_name& name, std::uint64_t seen, std::chrono::steady_clock::time_point until) const;
  /// Since its first deploy.
  event_counts counts(const deployment_name& name) const;

private:
  struct account {
    std::uint64_t stamp = 0;
    event_counts counts;
  };

  std::uint64_t stamp_locked(const deployment_name& name) const;

  std::shared_mutex hooks_mutex_;
  bool closed_ = false;
  std::function<void(const runtime_event&)> on_event_;
  std::function<void(log_level, std::string_view)> on_log_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<deployment_name, account> accounts_;
  std::uint64_t stamps_ = 0;
};

} // namespace troupe
