// Runs inlined replicas on a caller's own thread.
#include <troupe/actors/control/units.hpp>
#include <troupe/actors/replica/caller_unit.hpp>

#include <caf/actor_system.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace troupe::replica {

namespace {

/// Messages per turn. A replica mostly needs one: its wake-up, for up to 32 requests.
constexpr std::size_t turn = 4;

} // namespace

void inline_unit::exec_later(caf::resumable* job) {
  if (takes_)
    take(job);
  else
    system().scheduler().enqueue(job);
}

caller_unit::~caller_unit() {
  for (auto* job : jobs_)
    if (job)
      system().scheduler().enqueue(job);
}

void caller_unit::run() {
  // A handler may call another inlined replica, which is queued while this loop runs.
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    auto* job = std::exchange(jobs_[i], nullptr);
    if (control::resume_once(job, *this, turn))
      system().scheduler().enqueue(job);
  }
  jobs_.clear();
}

} // namespace troupe::replica
