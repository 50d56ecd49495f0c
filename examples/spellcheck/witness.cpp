// Counts replicas and waves by events.
#include "witness.hpp"

#include <algorithm>

namespace spellcheck {

void witness::saw(const troupe::runtime_event& event) {
  const std::scoped_lock lock(mutex_);
  ++count_;
  const auto now = elapsed();
  bool for_people = true;
  if (event.what == "replica_available") {
    available_.insert(event.replica);
    for_people = false;
  } else if (event.what == "replica_stopping" || event.what == "replica_stopped") {
    available_.erase(event.replica);
    for_people = false;
  } else if (event.what == "rollout_rolling") {
    for_people = false; // "deploy_accepted" says more
  } else if (event.what == "wave_began") {
    in_wave_ = true;
    wave_began_ = now;
  } else if (event.what == "wave_ended" && in_wave_) {
    in_wave_ = false;
    if (in_update_)
      updates_.back().waves.push_back(now - wave_began_);
  }
  if (in_update_)
    updates_.back().fewest = std::min(updates_.back().fewest, static_cast<std::uint32_t>(available_.size()));
  if (for_people)
    note_locked(event.what + ": " + event.message);
  changed_.notify_all();
}

void witness::begin(std::string name, std::uint32_t floor) {
  const std::scoped_lock lock(mutex_);
  updates_.push_back({.name = name, .floor = floor, .fewest = static_cast<std::uint32_t>(available_.size())});
  in_update_ = true;
  in_wave_ = false;
  update_began_ = elapsed();
  note_locked("operator: " + std::move(name));
}

void witness::end(std::string broken) {
  const std::scoped_lock lock(mutex_);
  auto& last = updates_.back();
  last.took = elapsed() - update_began_;
  last.cut_short = in_wave_;
  last.whole = broken.empty();
  last.broken = std::move(broken);
  in_update_ = false;
}

void witness::note(std::string text) {
  const std::scoped_lock lock(mutex_);
  note_locked(std::move(text));
}

void witness::note_locked(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  events_.push_back({elapsed(), std::move(text)});
}

void witness::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool witness::stopped() const {
  const std::scoped_lock lock(mutex_);
  return stopped_;
}

std::uint64_t witness::count() const {
  const std::scoped_lock lock(mutex_);
  return count_;
}

bool witness::await_more(std::uint64_t seen, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return stopped_ || count_ > seen; });
  return count_ > seen && !stopped_;
}

bool witness::pause(seconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return stopped_; });
}

std::vector<update> witness::updates() const {
  const std::scoped_lock lock(mutex_);
  return updates_;
}

std::vector<noted_event> witness::events(std::uint64_t& from) const {
  const std::scoped_lock lock(mutex_);
  std::vector<noted_event> later;
  for (; from < events_.size(); ++from)
    later.push_back(events_[from]);
  return later;
}

} // namespace spellcheck
