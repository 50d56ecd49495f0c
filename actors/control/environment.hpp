// What one runtime gives to all of its shells: the actor system, the control thread, the clock, hooks and seams.
#pragma once

#include <troupe/actors/control/user_code.hpp>
#include <troupe/messages/control.hpp>

#include <caf/actor_clock.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::deployment_state {
class observer; // observer.hpp
}

namespace troupe::control {

class control_thread;   // control_thread.hpp
class deployment_store; // deployment_store.hpp
class interceptor;      // post.hpp
class watchdog;         // watchdog.hpp

/// For the host's log. Never renumber.
enum class log_level : std::uint8_t { debug = 0, info = 1, warning = 2, error = 3 };
std::string to_string(log_level x);

/// Something an operator may want to see. Text is for people; `what` is a stable word ("replica_started", ...).
struct runtime_event {
  deployment_name deployment;
  std::string what;
  std::uint64_t replica = 0; ///< 0 = none.
  std::string message;
};

/// One per runtime, shared by all its shells as `shared_ptr<const environment>`. Filled before the first shell is
/// spawned and not changed after; what it refers to is thread-safe unless said.
class environment {
public:
  using time_point = caf::actor_clock::time_point;

  /// Without a control thread: control actors are ordinary CAF actors (simulation, tests).
  explicit environment(caf::actor_system& sys);
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment();

  /// Virtual in a simulation.
  time_point now() const;
  void log(log_level level, std::string_view text) const; ///< To `on_log`, if there is one. Any thread.
  void emit(const runtime_event& event) const;            ///< To `on_event`, if there is one. Any thread.

  caf::actor_system& system;
  std::shared_ptr<control_thread> control;           ///< nullptr in a simulation.
  control::interceptor* interceptor = nullptr;       ///< nullptr in production.
  control::user_code_hook* user_code_hook = nullptr; ///< nullptr in production.
  deployment_state::observer* observer = nullptr;    ///< nullptr in production.
  std::shared_ptr<control::deployment_store> store;  ///< nullptr: nothing outlives the process.
  std::uint64_t seed = 0;
  bool detach = true; ///< False in a simulation: replicas of mode `thread` run on the test coordinator too.
  std::shared_ptr<control::watchdog> watchdog;             ///< Never null.
  std::function<void(const runtime_event&)> on_event;      ///< May be empty. Called on any thread.
  std::function<void(log_level, std::string_view)> on_log; ///< May be empty. Called on any thread.
};

/// An environment for production: with a control thread that looks at the watchdog once per second. Call
/// `control->stop()` when all control actors have ended; else the destructor does.
std::shared_ptr<environment> make_environment(caf::actor_system& sys);

/// An environment without threads, for `test_coordinator`.
std::shared_ptr<environment> make_simulated_environment(caf::actor_system& sys, std::uint64_t seed);

} // namespace troupe::control
