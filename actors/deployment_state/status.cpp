// What the machine tells about itself.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

namespace {

milliseconds to_ms(instant t) { return std::chrono::duration_cast<milliseconds>(t); }

replica_state_name name_of(life l) {
  switch (l) {
  case life::starting:
  case life::settling:
    return replica_state_name::starting;
  case life::available:
    return replica_state_name::running;
  case life::reconfiguring:
    return replica_state_name::updating;
  case life::stopping:
  case life::given_up:
    return replica_state_name::stopping;
  }
  return replica_state_name::stopped;
}

} // namespace

deployment_state_name machine::state_name() const {
  if (!failure_.empty() || phase_ == rollout_phase::failed)
    return deployment_state_name::deploy_failed;
  if (phase_ == rollout_phase::paused)
    return deployment_state_name::paused;
  if (phase_ != rollout_phase::complete)
    return rolling_back_ ? deployment_state_name::rolling_back : deployment_state_name::updating;
  if (struggling_)
    return deployment_state_name::unhealthy;
  if (scaling_ == scaling::down)
    return deployment_state_name::downscaling;
  if (table_.available() < reachable() || !vacancies_.empty())
    return scaling_ == scaling::up ? deployment_state_name::upscaling : deployment_state_name::unhealthy;
  return n_ > reachable() ? deployment_state_name::upscaling : deployment_state_name::healthy;
}

deployment_status machine::status(instant now, bool with_replicas) const {
  deployment_status s;
  s.application = name_.application;
  s.name = name_.name;
  s.deleting = deleting_;
  s.num_replicas = n_;
  s.available = table_.available();
  s.starting = table_.of(life::starting) + table_.of(life::settling);
  s.reconfiguring = table_.of(life::reconfiguring);
  s.stopping = table_.of(life::stopping);
  s.given_up = table_.of(life::given_up);
  if (!target_)
    return s;
  s.state = state_name();
  const bool known = is_room_known(); // an answer to the last claim may be on its way
  const bool rollout_waits = known && (waiting_for_room_ || is_wave_roomless());
  s.waiting_for_room = known ? n_ - reachable() : 0;
  s.message = !failure_.empty() ? failure_ : s.state == deployment_state_name::healthy ? "" : last_error_;
  if (s.waiting_for_room > 0 || rollout_waits)
    s.message += (s.message.empty() ? "" : "; ") + room_message();
  auto& r = s.rollout;
  r.phase = phase_;
  r.rolling_back = rolling_back_;
  r.target_revision = target_->revision;
  r.base_revision = base_ ? base_->revision : 0;
  r.done = current_available();
  r.in_flight = target_unavailable() + table_.of(life::reconfiguring);
  r.reason = n_ == 0 && phase_ == rollout_phase::rolling ? rollout_reason::held_at_zero
             : rollout_waits                             ? rollout_reason::waiting_for_room
                                                         : reason_;
  r.message = !failure_.empty() ? failure_ : last_error_;
  r.wave = waves_done_ + (wave_.kind == wave_kind::none ? 0 : 1);
  const auto& knobs = target_->spec.rollout;
  const auto ceil_div = [](std::uint32_t a, std::uint32_t w) { return w == 0 ? 0 : (a + w - 1) / w; };
  const auto outdated = count(&machine::is_outdated, &cohort::live);
  const auto stale = count(&machine::is_stale, &cohort::live);
  const bool surge = knobs.strategy == rollout_strategy::start_first;
  // Those that the running start_first wave will still drain are its own; of the other kinds they have left already.
  const auto own =
      std::min(outdated, wave_.kind == wave_kind::start_first ? wave_.pending + wave_.credit + wave_.hold : 0);
  r.waves = r.wave;
  if (phase_ != rollout_phase::complete)
    r.waves += ceil_div(outdated - own, share(surge ? knobs.max_surge : knobs.max_unavailable)) +
               ceil_div(stale, share(knobs.reconfigure_share()));
  if (!with_replicas)
    return s;
  table_.each([&](std::uint32_t slot) {
    const auto& x = table_.at(slot);
    const auto& c = table_.cohorts()[x.cohort];
    s.replicas.push_back({.id = x.id,
                          .version = c.origin->label(),
                          .revision = c.origin->code_revision,
                          .config_revision = c.origin->config_revision,
                          .state = name_of(x.phase),
                          .available = x.phase == life::available || x.phase == life::reconfiguring,
                          .given_up = x.phase == life::given_up,
                          .node = nodes_[x.node].name,
                          .since = to_ms(now - x.since),
                          .restarts = attempts_of(x)});
  });
  std::sort(s.replicas.begin(), s.replicas.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return s;
}

deployment_spec machine::effective_spec() const {
  deployment_spec spec = target_ ? target_->spec : deployment_spec{};
  spec.num_replicas = n_;
  return spec;
}

revision_list machine::revisions() const {
  revision_list list;
  for (const auto& r : history_.all())
    list.revisions.push_back({.number = r->revision,
                              .cause = r->cause,
                              .version = r->label(),
                              .is_target = r == target_,
                              .is_base = r == base_,
                              .spec = r->spec});
  return list;
}

} // namespace troupe::deployment_state
