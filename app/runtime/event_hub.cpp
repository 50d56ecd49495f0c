// Counts, wakes and forwards.
#include <troupe/app/runtime/event_hub.hpp>

#include <utility>

namespace troupe {

event_hub::event_hub(std::function<void(const runtime_event&)> on_event,
                     std::function<void(log_level, std::string_view)> on_log)
    : on_event_(std::move(on_event)), on_log_(std::move(on_log)) {}

void event_hub::event(const runtime_event& x) noexcept {
  if (x.replica == 0) { // those of single replicas are for the hook alone: there may be hundreds of thousands
    std::unique_lock guard{mutex_};
    if (x.what == "removed") {
      accounts_.erase(x.deployment);
    } else {
      auto& a = accounts_[x.deployment];
      a.stamp = ++stamps_;
      ++a.counts[x.what];
    }
    guard.unlock();
    changed_.notify_all();
  }
  const std::shared_lock open{hooks_mutex_};
  if (closed_ || !on_event_)
    return;
  try {
    on_event_(x);
  } catch (...) { // the host's fault, and no reason to lose an actor
  }
}

void event_hub::log(log_level level, std::string_view text) noexcept {
  const std::shared_lock open{hooks_mutex_};
  if (closed_ || !on_log_)
    return;
  try {
    on_log_(level, text);
  } catch (...) {
  }
}

void event_hub::close() {
  const std::unique_lock alone{hooks_mutex_};
  closed_ = true;
  on_event_ = nullptr;
  on_log_ = nullptr;
}

std::uint64_t event_hub::stamp_locked(const deployment_name& name) const {
  const auto it = accounts_.find(name);
  return it == accounts_.end() ? 0 : it->second.stamp;
}

std::uint64_t event_hub::stamp(const deployment_name& name) const {
  const std::unique_lock guard{mutex_};
  return stamp_locked(name);
}

void event_hub::wait(const deployment_name& name, std::uint64_t seen,
                     std::chrono::steady_clock::time_point until) const {
  std::unique_lock guard{mutex_};
  changed_.wait_until(guard, until, [&] { return stamp_locked(name) != seen; });
}

event_counts event_hub::counts(const deployment_name& name) const {
  const std::unique_lock guard{mutex_};
  const auto it = accounts_.find(name);
  return it == accounts_.end() ? event_counts{} : it->second.counts;
}

} // namespace troupe
