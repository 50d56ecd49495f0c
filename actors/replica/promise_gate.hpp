// How promises tell their replica that it may go on: one per replica that ever made a promise.
#pragma once

#include <troupe/actors/replica/frame.hpp>
#include <troupe/actors/router/cell.hpp>

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <memory>

namespace troupe {
class router;
}

namespace troupe::replica {

/// Shared by the replica and its promises, which may outlive it. `await` and its opposite belong to the replica's
/// context.
class promise_gate final : public promise_link {
public:
  promise_gate(std::shared_ptr<router> calls, cell& where, caf::actor_control_block* self);
  ~promise_gate() override;

  /// From now on the end of the last begun attempt sends `wake_replica`. Look at `cell::begun` after this, not before.
  void await() noexcept;
  void await_no_more() noexcept;

  void attempt_ended() noexcept override;

private:
  std::shared_ptr<router> calls_; // keeps the cell in memory
  cell& where_;
  caf::weak_actor_ptr self_;
  std::atomic<bool> awaited_{false};
};

} // namespace troupe::replica
