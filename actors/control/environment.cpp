// The environment: its clock, hooks and the two ways to make one.
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/control/watchdog.hpp>

#include <caf/actor_system.hpp>

namespace troupe::control {

std::string to_string(log_level x) {
  switch (x) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warning:
    return "warning";
  case log_level::error:
    return "error";
  }
  return "unknown";
}

environment::environment(caf::actor_system& sys) : system(sys), watchdog(std::make_shared<control::watchdog>()) {}

environment::~environment() = default;

environment::time_point environment::now() const { return system.clock().now(); }

void environment::log(log_level level, std::string_view text) const {
  if (on_log)
    on_log(level, text);
}

void environment::emit(const runtime_event& event) const {
  if (on_event)
    on_event(event);
}

std::shared_ptr<environment> make_environment(caf::actor_system& sys) {
  auto env = std::make_shared<environment>(sys);
  env->control = std::make_shared<control_thread>(sys);
  // Weak: the thread belongs to the environment. A look that finds it alive may drop the last reference on the thread.
  env->control->every_second([weak = std::weak_ptr<const environment>{env}](auto now) {
    if (auto alive = weak.lock())
      alive->watchdog->look(*alive, now);
  });
  return env;
}

std::shared_ptr<environment> make_simulated_environment(caf::actor_system& sys, std::uint64_t seed) {
  auto env = std::make_shared<environment>(sys);
  env->seed = seed;
  env->detach = false;
  return env;
}

} // namespace troupe::control
