// Execution units on which replicas of mode `inlined` may run their handlers: the thread that brought the request.
#pragma once

#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>

#include <cstddef>
#include <vector>

namespace troupe::replica {

/// Base of units that resume inlined replicas and hand everything else to the scheduler (a caller's thread here; an
/// ingress thread in app/ingress). A replica knows such a unit by this type; constructors, reconfigures, checks and
/// destructors never run on it. Confined to its thread.
class inline_unit : public caf::execution_unit {
public:
  explicit inline_unit(caf::actor_system& sys) : caf::execution_unit(&sys) {}

  /// CAF gives an idle actor to the unit of whoever sends to it: any actor that a handler here happens to write to.
  void exec_later(caf::resumable* job) final;

  /// While it lives, what is given to the unit is an inlined replica that wants to run here.
  class handing_over {
  public:
    explicit handing_over(inline_unit& to) noexcept : to_(to), before_(to.takes_) { to_.takes_ = true; }
    handing_over(const handing_over&) = delete;
    handing_over& operator=(const handing_over&) = delete;
    ~handing_over() { to_.takes_ = before_; }

  private:
    inline_unit& to_;
    bool before_;
  };

private:
  virtual void take(caf::resumable* job) = 0; ///< With the reference that CAF made for the unit.

  bool takes_ = false;
};

/// For one call from a plain thread: pass it as the execution unit, then call `run()` on the same thread.
class caller_unit final : public inline_unit {
public:
  using inline_unit::inline_unit;
  caller_unit(const caller_unit&) = delete;
  caller_unit& operator=(const caller_unit&) = delete;
  ~caller_unit() override; ///< What was not run goes to the scheduler.

  /// Resumes what was queued, each at most once: what has more to do than one turn goes on in the scheduler, so that a
  /// caller is not kept for the work of others.
  void run();

private:
  void take(caf::resumable* job) override { jobs_.push_back(job); }

  std::vector<caf::resumable*> jobs_;
};

} // namespace troupe::replica
