// The execution unit of an ingress thread: inlined replicas run their handlers on it.
#pragma once

#include <troupe/actors/replica/caller_unit.hpp>

#include <deque>

namespace troupe::ingress {

/// Confined to its thread. What it did not run when it ends goes to the scheduler.
class thread_unit final : public replica::inline_unit {
public:
  using inline_unit::inline_unit;
  thread_unit(const thread_unit&) = delete;
  thread_unit& operator=(const thread_unit&) = delete;
  ~thread_unit() override;

  /// Resumes what was handed over, within a bound, so that sockets get their turn; whether something is left.
  bool run();

private:
  void take(caf::resumable* job) override { jobs_.push_back(job); }

  std::deque<caf::resumable*> jobs_;
};

} // namespace troupe::ingress
