// Execution units on which replicas of mode `inlined` may run their handlers: the thread that brought the request.
#pragma once

#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>

#include <cstddef>
#include <vector>

namespace troupe::replica {

/// Base of units that resume inlined replicas and hand everything else to the scheduler (a caller's thread here; an
/// ingress thread later). A replica knows such a unit by this type; constructors, reconfigures, checks and destructors
/// never run on it.
class inline_unit : public caf::execution_unit {
public:
  explicit inline_unit(caf::actor_system& sys) : caf::execution_unit(&sys) {}
};

/// For one call from a plain thread: pass it as the execution unit, then call `run()` on the same thread.
class caller_unit final : public inline_unit {
public:
  using inline_unit::inline_unit;
  caller_unit(const caller_unit&) = delete;
  caller_unit& operator=(const caller_unit&) = delete;
  ~caller_unit() override; ///< What was not run goes to the scheduler.

  void exec_later(caf::resumable* job) override { jobs_.push_back(job); }

  /// Resumes what was queued, each at most once: what has more to do than one turn goes on in the scheduler, so that a
  /// caller is not kept for the work of others.
  void run();

private:
  std::vector<caf::resumable*> jobs_;
};

} // namespace troupe::replica
