// Resumes inlined replicas, each for a few messages at a time.
#include <troupe/actors/control/units.hpp>
#include <troupe/app/ingress/thread_unit.hpp>

#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace troupe::ingress {

namespace {

constexpr int resumes_per_turn = 256;
/// Messages per resume. A replica mostly needs one: its wake-up, for up to 32 requests.
constexpr std::size_t messages_per_resume = 4;

} // namespace

thread_unit::~thread_unit() {
  for (auto* job : jobs_)
    system().scheduler().enqueue(job);
}

bool thread_unit::run() {
  for (int i = 0; i < resumes_per_turn && !jobs_.empty(); ++i) {
    auto* job = jobs_.front();
    jobs_.pop_front();
    if (control::resume_once(job, *this, messages_per_resume))
      jobs_.push_back(job);
  }
  return !jobs_.empty();
}

} // namespace troupe::ingress
