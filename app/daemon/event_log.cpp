#include <troupe/app/daemon/event_log.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::daemon {

void event_log::add(const runtime_event& x) {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  const std::lock_guard guard{mutex_};
  events_.push_back({++last_, now, x});
  if (events_.size() > kept)
    events_.pop_front();
  for (const auto& [number, f] : listeners_)
    f();
}

std::vector<logged_event> event_log::after(std::uint64_t id, std::size_t most) const {
  const std::lock_guard guard{mutex_};
  const auto first = last_ - events_.size();
  const auto skip = std::min<std::uint64_t>(id > first ? id - first : 0, events_.size());
  const auto from = events_.begin() + static_cast<std::ptrdiff_t>(skip);
  const auto n = std::min<std::size_t>(most, static_cast<std::size_t>(events_.end() - from));
  return {from, from + static_cast<std::ptrdiff_t>(n)};
}

std::uint64_t event_log::last() const {
  const std::lock_guard guard{mutex_};
  return last_;
}

std::uint64_t event_log::listen(std::function<void()> f) {
  const std::lock_guard guard{mutex_};
  listeners_.emplace(++listeners_made_, std::move(f));
  return listeners_made_;
}

void event_log::forget(std::uint64_t listener) {
  const std::lock_guard guard{mutex_};
  listeners_.erase(listener);
}

} // namespace troupe::daemon
