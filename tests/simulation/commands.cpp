// What the operator of a scenario does.
#include "scenario.hpp"

#include <algorithm>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;

/// Commands are not waited for: the next one may come before the answer.
template <class Answer, class Question>
void scenario::ask(Question question) {
  if (simulation_->trace().recording())
    simulation_->trace().line(simulation_->now().time_since_epoch(),
                              [&] { return "command: " + caf::deep_to_string(question); });
  simulation_->ask<Answer>(std::move(question), [this](Answer* answer, const error& why) {
    simulation_->trace().mix(answer ? 1 : 2 + static_cast<std::uint64_t>(why.code));
    result_.rejected += answer ? 0U : 1U;
    if (why.code == errc::invalid_spec || why.code == errc::runtime_stopped)
      simulation_->report(0, "a command of the scenario was refused: " + to_string(why));
  });
}

void scenario::command() {
  const auto i = chance_.below(static_cast<std::uint32_t>(plans_.size()));
  auto& p = plans_[i];
  const auto name = name_of(i);
  if (!p.exists)
    return deploy(i);
  switch (chance_.below(20)) {
  case 0:
  case 1:
  case 2:
  case 3: // a new version, or an older one again
    change_code(p.spec);
    return deploy(i);
  case 4:
  case 5:
    change_config(p);
    return deploy(i);
  case 6:
    change_light_options(p.spec);
    return deploy(i);
  case 7:
    if (chance_.one_in(2))
      change_config(p);
    p.spec.num_replicas = chance_.between(1, most_replicas_);
    return deploy(i);
  case 8: // the same again
    return deploy(i);
  case 9:
  case 10:
  case 11:
    return ask<command_result>(scale_deployment{name, chance_.one_in(6) ? 0 : chance_.between(1, most_replicas_)});
  case 12:
    return say(rollout_action::pause, i);
  case 13:
    return say(rollout_action::resume, i);
  case 14:
    return say(chance_.one_in(2) ? rollout_action::promote : rollout_action::resume, i);
  case 15:
    return say(rollout_action::abort, i);
  case 16:
    return say(rollout_action::rollback, i);
  case 17:
    return say(rollout_action::restart, i);
  case 18:
    if (chance_.one_in(3)) {
      p.exists = false; // deployed again by the next command
      return ask<removed_deployment>(delete_deployment{name});
    }
    change_code(p.spec);
    change_config(p);
    return deploy(i);
  default:
    if (chance_.one_in(2))
      return ask<application_list>(get_applications{true});
    return ask<revision_list>(get_history{name});
  }
}

void scenario::deploy(std::size_t i) {
  plans_[i].exists = true;
  auto& spec = plans_[i].spec;
  auto& r = spec.rollout;
  const auto n = spec.num_replicas;
  r.canary = std::min(r.canary, r.strategy == rollout_strategy::start_first ? r.max_surge.of(n)
                                                                            : std::min(r.max_unavailable.of(n), n - 1));
  ask<command_result>(deploy_deployment{plans_[i].spec, {"worker", code_}});
}

void scenario::change_code(deployment_spec& spec) {
  spec.version = chance_.one_in(8) ? std::string{} : "v" + std::to_string(chance_.between(1, 4));
  const bool bad = std::find(bad_versions_.begin(), bad_versions_.end(), spec.version) != bad_versions_.end();
  spec.init_args = bad ? json_doc{json{{"bad", true}}} : json_doc{json{{"n", chance_.one_in(8) ? 1 : 0}}};
}

void scenario::change_config(deployment_plan& p) {
  if (chance_.one_in(8)) {
    p.spec.user_config = {};
    return;
  }
  json config{{"n", ++p.config}};
  if (faulty_ && chance_.one_in(6))
    config["bad"] = true;
  p.spec.user_config = json_doc{std::move(config)};
}

void scenario::change_light_options(deployment_spec& spec) {
  auto& r = spec.rollout;
  spec.max_ongoing_requests = chance_.one_in(2) ? 5 : chance_.between(1, 3);
  spec.max_queued_requests = chance_.one_in(4) ? chance_.between(1, 8) : -1;
  spec.idempotent = chance_.one_in(3);
  r.strategy = chance_.one_in(3) ? rollout_strategy::stop_first : rollout_strategy::start_first;
  const auto share = [&] {
    switch (chance_.below(4)) {
    case 0:
      return replica_share::count(chance_.between(1, 4));
    case 1:
      return replica_share::percent(chance_.between(1, 100));
    default:
      return replica_share{};
    }
  };
  r.max_surge = share();
  r.max_unavailable = share();
  r.has_reconfigure_wave = chance_.one_in(4);
  r.reconfigure_wave = share();
  r.surge_fallback = !chance_.one_in(4);
  r.min_ready = chance_.one_in(3) ? chance_.up_to(1s) : 0ms;
  r.bake = chance_.one_in(4) ? chance_.up_to(500ms) : 0ms;
  r.auto_rollback = !chance_.one_in(4);
  r.canary = chance_.one_in(4) ? chance_.between(1, 3) : 0;
}

void scenario::say(rollout_action action, std::size_t i) {
  const bool to_any = action == rollout_action::rollback && chance_.one_in(2);
  ask<command_result>(control_rollout{name_of(i), action, to_any ? chance_.between(1, 10) : 0});
}

} // namespace troupe::simulation_tests
