// What outlives the process: when there is a new snapshot, what is in it, and how a machine takes one up.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>
#include <utility>

namespace troupe::deployment_state {

void machine::persist() {
  if (!target_ || removed_)
    return;
  durable_key now{.target = target_->revision,
                  .base = base_ ? base_->revision : 0,
                  .n = n_,
                  .held = room_limited() ? held_ : 0,
                  .waves_done = waves_done_,
                  .phase = phase_,
                  .reason = reason_,
                  .rolling_back = rolling_back_,
                  .replace_stale = replace_stale_,
                  .first_wave_up = first_wave_up_,
                  .canary_done = canary_done_,
                  .deleting = deleting_,
                  .failure = failure_};
  if (limits_.wrong == wrong_rule::scale_not_stored)
    now.n = stored_.n;
  if (now == stored_)
    return;
  stored_ = std::move(now);
  emit(effect::persist{std::make_shared<stored_deployment>(snapshot())});
}

stored_deployment machine::snapshot() const {
  stored_deployment d;
  d.name = name_;
  d.target = target_->revision;
  d.base = base_ ? base_->revision : 0;
  d.num_replicas = n_;
  d.of_target = std::min(n_, current_available());
  if (room_limited())
    d.held = held_;
  d.phase = phase_;
  d.reason = reason_;
  d.rolling_back = rolling_back_;
  d.replace_stale = replace_stale_;
  d.first_wave_up = first_wave_up_;
  d.canary_done = canary_done_;
  d.deleting = deleting_;
  d.waves_done = waves_done_;
  d.failure = failure_;
  const auto next = history_.next();
  d.next_revision = next.revision;
  d.next_code = next.code;
  d.next_config = next.config;
  for (const auto& r : history_.all())
    d.releases.push_back({r->revision, r->code_id, r->config_id, r->code_revision, r->config_revision, r->cause,
                          r->spec, r->user_code, r->can_reconfigure, r->can_check});
  return d;
}

void machine::on(const event::restore& ev) {
  if (target_)
    return refuse(errc::rejected, name_.full() + " runs already");
  const auto& d = *ev.state;
  std::vector<release_ptr> releases;
  for (const auto& r : d.releases) {
    releases.push_back(
        std::make_shared<const release>(release{r.spec, r.user_code, r.can_reconfigure, r.can_check, r.revision,
                                                r.code_id, r.config_id, r.code_revision, r.config_revision, r.cause}));
    if (r.revision == d.target)
      target_ = releases.back();
    if (r.revision == d.base)
      base_ = releases.back();
  }
  for (const auto& r : releases)
    asks_ = asks_ || r->asks();
  history_.restore(std::move(releases), {d.next_revision, d.next_code, d.next_config});
  n_ = d.num_replicas;
  phase_ = d.phase;
  reason_ = d.reason;
  rolling_back_ = d.rolling_back;
  replace_stale_ = d.replace_stale;
  first_wave_up_ = d.first_wave_up;
  canary_done_ = d.canary_done;
  waves_done_ = d.waves_done;
  failure_ = d.failure;
  if (phase_ == rollout_phase::baking)
    bake_until_ = at_.now + target_->spec.rollout.bake; // how much of it was over is not known
  emit(effect::apply_options{target_});
  // As many of each as the position says, all at once, or as soon as there is room for those that had some; what is
  // missing then (of a failed first deployment, say) is for `reconcile` to decide.
  held_ = std::min(n_, d.held);
  const auto of_target = std::min(held_, phase_ == rollout_phase::complete ? n_ : d.of_target);
  const auto put_back = [this](const release_ptr& what, std::uint32_t count) {
    for (; count > 0 && has_room(what); --count)
      start_one(what, 0, {});
    for (; count > 0; --count)
      vacate({table_.cohort_for(what), 0, 0, false, false}, at_.now);
  };
  put_back(target_, of_target);
  if (base_ && phase_ != rollout_phase::complete)
    put_back(base_, held_ - of_target);
  restoring_ = room_limited();
  awaits_others_ = restoring_ && ev.others_follow && !others_are_back_;
  out_.result = {change_kind::none, target_->revision, ""};
  note("restored", target_->label() + ": " + std::to_string(of_target) + " of " + std::to_string(n_) +
                       " replicas start as the target");
}

void machine::on(const event::restored_all&) {
  awaits_others_ = false;
  others_are_back_ = true; // it may come before `restore`
}

} // namespace troupe::deployment_state
