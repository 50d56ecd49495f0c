// Systems and actors without troupe.
#include "bare.hpp"

#include <troupe/actors/control/scheduler_policy.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace troupe::bench {

void set_policy(caf::actor_system_config& config, const std::string& policy) {
  if (!policy.empty())
    control::set_scheduler_policy(config, policy);
}

bare_system::bare_system(const std::string& policy) {
  set_policy(config_, policy);
  system_ = std::make_unique<caf::actor_system>(config_);
}

std::vector<side> both_settings(const std::string& name, const std::string& policy,
                                const std::function<sample(const std::string&)>& run) {
  return {{name + ", CAF's settings", [run] { return run({}); }},
          {name + ", our settings", [run, policy] { return run(policy); }}};
}

bare_actor::bare_actor(caf::actor_config& cfg, countdown* up, countdown* down)
    : caf::event_based_actor(cfg), up_(up), down_(down) {}

void bare_actor::on_exit() {
  if (down_)
    down_->tick();
}

caf::behavior bare_actor::make_behavior() {
  if (up_)
    up_->tick();
  return {[](const ping& x) { return pong{x.number}; }};
}

bare_population::bare_population(caf::actor_system& system, unsigned n) : down_(n) {
  countdown up{n};
  actors_.reserve(n);
  for (unsigned i = 0; i < n; ++i)
    actors_.push_back(system.spawn<bare_actor>(&up, &down_));
  up.wait();
}

bare_population::~bare_population() {
  for (const auto& a : actors_)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  down_.wait();
}

} // namespace troupe::bench
