// What operators ask for: deploy, scale, delete, and control of the rollout.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

void machine::on(const event::deploy& ev) {
  if (deleting_) { // a deploy supersedes the delete: what stops goes on stopping, all else is new
    deleting_ = false;
    target_.reset();
    base_.reset();
    history_.clear();
    failing_.clear();
    removed_ = false;
  }
  const auto r = history_.make({.spec = ev.spec,
                                .user_code = ev.user_code,
                                .can_reconfigure = ev.can_reconfigure,
                                .can_check = ev.can_check,
                                .cause = "deploy"},
                               target_, base_, ev.spec.version.empty());
  const auto count = ev.spec.num_replicas;
  const bool first = target_ == nullptr;
  if (!first && same_release(r, target_)) {
    const bool scaled = count != n_;
    const bool light = !same_but_count(*r, *target_);
    if (!scaled && !light) { // no new target: the reason of a failure stays, also where it was rolled back to this one
      out_.result = {change_kind::none, target_->revision, ""};
      if (phase_ == rollout_phase::failed)
        out_.result.message = "the target is the same and has failed; restart tries it again";
      else if (!failure_.empty())
        out_.result.message = "the target is the same; until another one is accepted the status tells: " + failure_;
      return;
    }
    if (phase_ != rollout_phase::failed)
      failure_.clear();
    if (same_release(base_, target_))
      base_ = r;
    target_ = r;
    history_.keep(r, target_, base_);
    if (scaled)
      set_count(count);
    emit(effect::apply_options{r});
    note("options_changed", "revision R" + std::to_string(r->revision));
    out_.result = {scaled ? change_kind::scaled : change_kind::light, r->revision, ""};
    return;
  }
  const auto change = first                            ? change_kind::created
                      : r->code_id != target_->code_id ? change_kind::replaced
                      : r->spec.user_config.is_null()  ? change_kind::replaced // no call takes a config back
                                                       : change_kind::reconfigured;
  history_.keep(r, r, base_);
  n_ = count;
  scaling_ = scaling::no;
  set_target(r, false);
  out_.result = {change, r->revision, ""};
  note("deploy_accepted", r->label() + " is the target (" + to_string(change) + ")");
}

void machine::on(const event::scale& ev) {
  if (!target_ || deleting_)
    return refuse(errc::rejected, name_.full() + " is being deleted");
  out_.result = {ev.num_replicas == n_ ? change_kind::none : change_kind::scaled, target_->revision, ""};
  if (ev.num_replicas == n_)
    return;
  note("scaled", std::to_string(n_) + " -> " + std::to_string(ev.num_replicas));
  set_count(ev.num_replicas);
}

void machine::set_count(std::uint32_t n) {
  scaling_ = n > n_ ? scaling::up : scaling::down;
  struggling_ = false;
  n_ = n;
  if (n_ == 0)
    end_wave(); // nothing runs, the rollout is held
  progress_used_ = instant{0};
  if (progress_since_)
    progress_since_ = at_.now;
}

void machine::on(const event::remove&) {
  if (deleting_)
    return;
  deleting_ = true;
  failing_.clear();
  wave_ = {};
  note("delete_accepted", name_.full() + " is being deleted");
}

void machine::on(const event::control& ev) {
  if (!target_ || deleting_)
    return refuse(errc::rejected, name_.full() + " is being deleted");
  out_.result.revision = target_->revision;
  switch (ev.action) {
  case rollout_action::pause:
    if (phase_ != rollout_phase::rolling && phase_ != rollout_phase::baking && phase_ != rollout_phase::paused)
      return refuse(errc::rejected, "no rollout is running");
    if (phase_ != rollout_phase::paused)
      enter(rollout_phase::paused, rollout_reason::operator_pause);
    return;
  case rollout_action::resume:
    return resume(false);
  case rollout_action::promote:
    if (phase_ == rollout_phase::baking)
      return enter(rollout_phase::rolling, rollout_reason::none);
    return resume(true);
  case rollout_action::abort:
    return abort();
  case rollout_action::restart:
    return restart(ev.user_code);
  case rollout_action::rollback:
    return roll_back_to(ev.revision, ev.user_code);
  }
}

void machine::resume(bool skip_bake) {
  if (phase_ == rollout_phase::failed) {
    out_.result.message = "the rollout has failed; deploy another target, or restart";
    return;
  }
  if (phase_ != rollout_phase::paused) {
    out_.result.message = "nothing is paused";
    return;
  }
  if (canary_done_) {
    wave_.credit += wave_.hold; // the canaries now drain as many outdated ones
    wave_.hold = 0;
    wave_.canary = false;
  }
  if (bake_until_ > at_.now && !skip_bake) // it was paused while baking
    return enter(rollout_phase::baking, rollout_reason::baking);
  enter(rollout_phase::rolling, rollout_reason::none);
}

void machine::restart(const code_ref& loaded) {
  auto draft = *target_;
  if (loaded.local)
    draft.user_code = loaded;
  draft.code_id = draft.config_id = 0;
  draft.spec.num_replicas = n_;
  draft.cause = "restart";
  const auto r = history_.make(std::move(draft), target_, base_, true);
  history_.keep(r, r, base_);
  set_target(r, false);
  out_.result = {change_kind::replaced, r->revision, ""};
  note("restart_accepted", r->label() + " starts anew as R" + std::to_string(r->revision));
}

void machine::set_target(const release_ptr& r, bool rolling_back) {
  superseded_ = target_;
  const bool first = target_ == nullptr;
  target_ = r;
  asks_ = asks_ || r->asks();
  // Stops that the ended wave caused still hold back the next one.
  end_wave();
  if (first)
    wave_.stopping = wave_.same_shape = 0;
  else if (!(superseded_->shape() == r->shape()))
    wave_.same_shape = 0;
  std::vector<vacancy> checked_out; // places of replicas that checks took out stay known as such: filled at once
  for (auto it = vacancies_.begin(); it != vacancies_.end();) {
    const auto& c = table_.cohorts()[it->second.cohort];
    it->second.wave = 0;
    it->second.attempts = 0;
    const bool kept = base_ ? is_base_code(c) : is_target_code(c);
    const auto next = std::next(it);
    if (!kept && it->second.for_check)
      checked_out.push_back(take_vacancy(it));
    else if (!kept)
      drop_vacancy(it); // an empty slot now
    it = next;
  }
  for (auto& v : checked_out) {
    if (base_) { // also one of the new target's code: before its first wave nothing of it is started (SPEC 7.11)
      v.cohort = table_.cohort_for(base_);
      v.replacement = false;
    }
    vacate(v, at_.now);
  }
  ++attempts_epoch_;
  rolling_back_ = rolling_back;
  replace_stale_ = false;
  canary_done_ = false;
  waves_done_ = 0;
  first_wave_up_ = false;
  struggling_ = false;
  bake_until_ = instant{0};
  first_failures_ = 0;
  failure_.clear();
  last_error_.clear();
  progress_used_ = instant{0};
  progress_since_.reset();
  best_ = current_available();
  if (limits_.wrong == wrong_rule::skips_config)
    for (std::size_t i = 0; i < table_.cohorts().size(); ++i)
      while (is_stale(table_.cohorts()[i]) && table_.cohorts()[i].of(life::starting) > 0)
        table_.regroup(table_.cohorts()[i].lists[static_cast<std::size_t>(life::starting)].head, target_);
  enter(rollout_phase::rolling, rollout_reason::none);
  emit(effect::apply_options{r});
}

void machine::enter(rollout_phase phase, rollout_reason reason) {
  phase_ = phase;
  reason_ = reason;
  if (phase != rollout_phase::complete) // that is told by complete_rollout
    note("rollout_" + to_string(phase),
         target_->label() + (reason == rollout_reason::none ? "" : ": " + to_string(reason)));
}

} // namespace troupe::deployment_state
