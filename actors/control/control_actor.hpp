// Base of all shells of the control plane: runs on the control thread, prints nothing, posts through the environment.
#pragma once

#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/control/post.hpp>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <utility>

namespace troupe::control {

using environment_ptr = std::shared_ptr<const environment>;

/// Installs handlers that are silent where CAF's print, and that log to the environment: unexpected messages, down
/// messages, exceptions of a shell (a bug; ends the actor with `caf::sec::runtime_error`).
void silence(caf::scheduled_actor* self, environment_ptr env);

/// A control actor with the interface `Api` (the shell's full one, ticks included). Derive, take `actor_config&` and
/// `environment_ptr` first, spawn by `spawn_control`.
template <class Api>
class control_actor : public Api::base {
public:
  control_actor(caf::actor_config& cfg, environment_ptr env) : Api::base(cfg), env_(std::move(env)) {
    silence(this, env_);
  }

  using Api::base::enqueue;
  /// Always by way of the control thread, whoever sends (in a simulation: as CAF does).
  void enqueue(caf::mailbox_element_ptr ptr, caf::execution_unit* unit) override {
    Api::base::enqueue(std::move(ptr), env_->control ? env_->control->inbound() : unit);
  }

protected:
  const environment& env() const noexcept { return *env_; }
  const environment_ptr& shared_env() const noexcept { return env_; }

  template <class Handle, class Message>
  void post(const Handle& dest, Message msg) {
    control::post(*env_, this, dest, std::move(msg));
  }

  /// A tick of the shell's own interface; see `post_to_self_after`.
  template <class Message>
  void tick_after(std::chrono::nanoseconds delay, Message msg) {
    post_to_self_after(this, delay, std::move(msg));
  }

private:
  environment_ptr env_;
};

/// Spawns a control actor `T(actor_config&, environment_ptr, args...)` on the control thread. Any thread may call it.
template <class T, class... Args>
auto spawn_control(const environment_ptr& env, Args&&... args) {
  caf::actor_config cfg{env->control ? env->control->inbound() : nullptr};
  return env->system.spawn_class<T, caf::no_spawn_options>(cfg, env, std::forward<Args>(args)...);
}

} // namespace troupe::control
