// The last events of the runtime, numbered, for the API's event stream.
#pragma once

#include <troupe/app/runtime/runtime_options.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::daemon {

struct logged_event {
  std::uint64_t id = 0; ///< From 1, without gaps in one run of the daemon.
  std::int64_t unix_ms = 0;
  runtime_event what;
};

/// Thread-safe; adding is quick and never blocks on a reader.
class event_log {
public:
  static constexpr std::size_t kept = 10'000;

  void add(const runtime_event& x);
  /// Kept events with a higher id, at most `most`, oldest first.
  std::vector<logged_event> after(std::uint64_t id, std::size_t most) const;
  std::uint64_t last() const;
  /// `f` is called after every event, on the thread that emitted it, and must be quick. Returns its number.
  std::uint64_t listen(std::function<void()> f);
  void forget(std::uint64_t listener);

private:
  mutable std::mutex mutex_;
  std::deque<logged_event> events_;
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t last_ = 0;
  std::uint64_t listeners_made_ = 0;
};

} // namespace troupe::daemon
