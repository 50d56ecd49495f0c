// What the operator of a scenario does.
#include "scenario.hpp"

#include <algorithm>
#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;

/// Commands are not waited for: the next one may come before the answer.
template <class Answer, class Question>
void scenario::ask(Question question, std::optional<std::size_t> promise, std::function<void()> then) {
  if (simulation_->trace().recording())
    simulation_->trace().line(simulation_->now().time_since_epoch(),
                              [&] { return "command: " + caf::deep_to_string(question); });
  simulation_->ask<Answer>(std::move(question), [this, promise, then](Answer* answer, const error& why) {
    if (then)
      then();
    simulation_->trace().mix(answer ? 1 : 2 + static_cast<std::uint64_t>(why.code));
    result_.rejected += answer ? 0U : 1U;
    if (why.code == errc::invalid_spec || why.code == errc::runtime_stopped)
      simulation_->report(0, "a command of the scenario was refused: " + to_string(why));
    if (!promise)
      return;
    // A delete that a deploy has superseded is refused, too, but had its effect.
    const bool no_effect = std::is_same_v<Answer, removed_deployment> ? why.code == errc::unknown_deployment
                                                                      : why.code != errc::not_stored;
    if (!answer && no_effect)
      return ledger_.refused(*promise);
    if constexpr (std::is_same_v<Answer, command_result>) {
      if (answer)
        ledger_.acknowledged(*promise, answer->revision);
    } else if (answer) {
      ledger_.acknowledged(*promise, 0);
    }
    check_promises();
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
    return scale(i, chance_.one_in(6) ? 0 : chance_.between(1, most_replicas_));
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
      return ask<removed_deployment>(delete_deployment{name}, ledger_.asked(name, ledger::wish::remove));
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
  ask<command_result>(deploy_deployment{spec, {"worker", code_}},
                      ledger_.asked(name_of(i), ledger::wish::deploy, n, spec));
}

void scenario::scale(std::size_t i, std::uint32_t n) {
  ask<command_result>(scale_deployment{name_of(i), n}, ledger_.asked(name_of(i), ledger::wish::scale, n));
}

void scenario::change_code(deployment_spec& spec) {
  if (!appetite_.one_in(3))
    change_resources(spec);
  if (spec.where != placement_options{} && locality_.one_in(3)) {
    if (locality_.one_in(2))
      choose_nodes(spec);
    else
      prefer_other_nodes(spec);
  }
  spec.version = chance_.one_in(8) ? std::string{} : "v" + std::to_string(chance_.between(1, 4));
  if (nodes_ && geography_.one_in(3))
    code_ = nodes_->code_for(user_code_, "worker");
  const bool bad = std::find(bad_versions_.begin(), bad_versions_.end(), spec.version) != bad_versions_.end();
  spec.init_args = bad ? json_doc{json{{"bad", true}}} : json_doc{json{{"n", chance_.one_in(8) ? 1 : 0}}};
}

void scenario::choose_nodes(deployment_spec& spec) {
  spec.where = {};
  if (locality_.one_in(2))
    spec.where.required.push_back(*read_label_rule("zone", locality_.one_in(2) ? "a" : "!in(b, c)"));
  if (locality_.one_in(2))
    spec.where.max_replicas_per_node = locality_.between(1, 3);
  prefer_other_nodes(spec);
}

void scenario::prefer_other_nodes(deployment_spec& spec) {
  spec.where.preferred.clear();
  if (locality_.one_in(2))
    spec.where.preferred.push_back(*read_label_rule("disk", locality_.one_in(2) ? "ssd" : "!ssd"));
  spec.where.strategy = locality_.one_in(2) ? placement_strategy::pack : placement_strategy::spread;
}

void scenario::change_resources(deployment_spec& spec) {
  if (local_.empty())
    return;
  spec.per_replica = {};
  if (!appetite_.one_in(6)) {
    spec.per_replica.set(resource_name::cpus, appetite_.between(1, 6) * resource_unit / 2);
    if (local_.of(resource_name::memory) > 0 && appetite_.one_in(2))
      spec.per_replica.set(resource_name::memory, std::uint64_t{appetite_.between(1, 3)} * 100);
  }
  if (appetite_.one_in(12)) // never fits
    spec.per_replica.set("token", resource_unit);
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
  const auto revision = to_any ? chance_.between(1, 10) : 0;
  using w = ledger::wish;
  const auto what = action == rollout_action::pause                                         ? w::pause
                    : action == rollout_action::resume || action == rollout_action::promote ? w::go_on
                                                                                            : w::choose;
  ask<command_result>(control_rollout{name_of(i), action, revision}, ledger_.asked(name_of(i), what));
}

/// As a daemon does that starts again.
void scenario::take_up() {
  const auto disk = store_->durable();
  const auto left = std::make_shared<std::size_t>(1);
  const auto one_is_done = [this, left] { // all are waited for
    if (--*left == 0)
      caf::anon_send(simulation_->controller(), restoration_finished{});
  };
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const auto it = disk.find(name_of(i));
    plans_[i].exists = it != disk.end() && !it->second.deleting;
    if (it == disk.end())
      continue;
    if (it->second.deleting) {
      store_->erase(it->first, nullptr);
      continue;
    }
    auto stored = it->second;
    for (auto& r : stored.releases)
      r.user_code.local = code_;
    ask<command_result>(
        restore_deployment{it->first, std::make_shared<const stored_deployment>(std::move(stored)), true}, {},
        one_is_done);
    ++*left;
  }
  one_is_done();
}

} // namespace troupe::simulation_tests
