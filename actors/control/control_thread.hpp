// The one own thread on which all control actors of a runtime run, and no user code ever.
#pragma once

#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace troupe::control {

/// Thread-safe. An actor that is scheduled through `inbound()` is resumed on the thread with `outbound()` as its unit,
/// which hands every other actor that it wakes to the scheduler (CAF resumes an idle actor on its *sender's* unit).
class control_thread {
public:
  /// Starts the thread. `sys` must outlive it.
  explicit control_thread(caf::actor_system& sys);
  control_thread(const control_thread&) = delete;
  control_thread& operator=(const control_thread&) = delete;
  ~control_thread(); ///< As `stop`.

  /// For `enqueue` and `actor_config` of control actors. Valid as long as the object; after `stop` the scheduler runs
  /// what is scheduled through it.
  caf::execution_unit* inbound() noexcept;
  /// What control actors run with.
  caf::execution_unit* outbound() noexcept;

  /// Whether the caller is on the thread.
  bool is_current() const noexcept;

  using look = std::function<void(std::chrono::steady_clock::time_point)>;
  /// Called on the thread once per second, also when idle; no message is sent for it. Replaces the former one.
  void every_second(look f);

  /// Ends and joins the thread; what is queued goes to the scheduler. Idempotent. Called on the thread itself it does
  /// not wait (the last owner of an environment may be a control actor).
  void stop();

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::control
