// How a runtime comes up, and how it goes down.
#include <troupe/actors/control/scheduler_policy.hpp>
#include <troupe/actors/controller/controller_actor.hpp>
#include <troupe/app/runtime/core.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/send.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace troupe {

namespace {

caf::actor_system& checked(caf::actor_system& sys) {
  if (!has_messages(sys))
    throw command_failed{{errc::not_registered, "the actor system lacks troupe's message types; call "
                                                "`troupe::register_messages(config)` before it is made"}};
  return sys;
}

std::uint64_t seed_of(const runtime_options& options) {
  if (options.seed != 0)
    return options.seed;
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

} // namespace

runtime::core::own_system::own_system(const runtime_options& options) {
  register_messages(config);
  control::set_scheduler_policy(config, options.scheduler_policy);
  if (options.scheduler_threads > 0)
    config.set("scheduler.max-threads", options.scheduler_threads);
  if (options.configure)
    options.configure(config);
  system.emplace(config);
}

runtime::core::core(caf::actor_system* host, runtime_options options)
    : own(host ? nullptr : std::make_unique<own_system>(options)), system(checked(host ? *host : *own->system)),
      on_nodes(options.on_nodes), shutdown_timeout(options.shutdown_timeout), on_drained(std::move(options.on_drained)),
      on_stopped(std::move(options.on_stopped)),
      hub(std::make_shared<event_hub>(std::move(options.on_event), std::move(options.on_log))),
      listed(std::make_shared<controller::directory>()) {
  auto made = control::make_environment(system);
  made->seed = seed_of(options);
  made->store = std::move(options.store);
  made->on_event = [h = hub](const runtime_event& x) { h->event(x); };
  made->on_log = [h = hub](log_level level, std::string_view text) { h->log(level, text); };
  thread = made->control;
  env = std::move(made);
  controller = controller::spawn_controller(env, {.max_replicas = options.max_replicas,
                                                  .local = std::move(options.local),
                                                  .listed = listed,
                                                  .on_nodes = options.on_nodes});
}

void runtime::core::refuse_on_control_thread() const {
  if (thread->is_current())
    throw std::logic_error("a hook must not call the runtime's blocking functions: it runs on the control thread");
}

error runtime::core::explained(const caf::error& e) const {
  if (e == caf::sec::request_receiver_down)
    return {errc::unavailable, "the deployment's state actor ended before it answered; look at its status"};
  return from_caf(e, system);
}

void runtime::core::tell_of(const deployment_name& name, const std::string& text) {
  hub->log(log_level::warning, name.full() + ": " + text);
  hub->event({name, "still_running", 0, text});
}

void runtime::core::drain() {
  const auto until = std::chrono::steady_clock::now() + std::min(shutdown_timeout, max_duration);
  for (const auto& group : calls.stop_order(listed->names()))
    drain(group, until);
  for (const auto& x : listed->leftovers())
    tell_of(x.name, "user code of " + std::to_string(x.replicas) + " replicas that were given up still runs");
}

void runtime::core::drain(const std::vector<deployment_name>& names, std::chrono::steady_clock::time_point until) {
  caf::scoped_actor self{system, true};
  const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
  const auto patience = std::max(left, milliseconds{0});
  using reply = decltype(self->request(controller, patience, delete_deployment{}));
  std::vector<reply> replies;
  replies.reserve(names.size());
  for (const auto& name : names)
    replies.push_back(self->request(controller, patience, delete_deployment{name}));
  for (std::size_t i = 0; i < names.size(); ++i) {
    bool late = false;
    replies[i].receive([](const removed_deployment&) {},
                       [&](const caf::error& e) { late = e == caf::sec::request_timeout; });
    if (!late)
      continue;
    if (const auto now = ask<deployment_status>(get_deployment{names[i], false}); now && now->stopping > 0)
      tell_of(names[i], std::to_string(now->stopping) +
                            " replicas did not drain within shutdown_timeout and are killed; "
                            "user code that runs goes on until it returns");
  }
}

void runtime::core::shut_down() noexcept {
  try {
    refuse_on_control_thread();
    drain();
    caf::scoped_actor self{system, true};
    self->monitor(controller);
    caf::anon_send_exit(controller, caf::exit_reason::user_shutdown);
    controller = nullptr;
    self->receive([](const caf::down_msg&) {});
  } catch (const std::exception& e) {
    hub->log(log_level::error, e.what());
  }
  if (controller)
    caf::anon_send_exit(std::exchange(controller, nullptr), caf::exit_reason::kill);
  try {
    if (on_drained)
      on_drained();
  } catch (const std::exception& e) {
    hub->log(log_level::error, e.what());
  }
  thread->stop();
  env = nullptr;
  if (on_stopped)
    on_stopped();
  hub->close();
}

} // namespace troupe
