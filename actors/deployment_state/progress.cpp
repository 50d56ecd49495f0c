// Time: which deadlines have passed, whether a rollout gets on, and when to look again.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

namespace {

using namespace std::chrono_literals;

/// Checks are sent in batches this far apart: a thousand single timers a second would cost a third of a core.
constexpr instant check_batch = 100ms;

} // namespace

void machine::expire() {
  if (!target_)
    return;
  const auto due = [this](life l) {
    const auto slot = table_.first_timer(l);
    return slot != nil && table_.at(slot).deadline <= at_.now ? slot : nil;
  };
  for (auto slot = due(life::starting); slot != nil; slot = due(life::starting)) {
    const auto copy = table_.at(slot);
    start_failed(slot, "the constructor took longer than startup_timeout", false);
    if (table_.at(slot).id == copy.id && table_.at(slot).phase == life::starting)
      abandon_one(slot);
  }
  for (auto slot = due(life::settling); slot != nil; slot = due(life::settling))
    make_available(slot);
  for (auto slot = due(life::reconfiguring); slot != nil; slot = due(life::reconfiguring))
    reconfigure_failed(slot, "reconfigure took longer than startup_timeout", true);
  for (auto slot = due(life::stopping); slot != nil; slot = due(life::stopping)) {
    note("replica_given_up", "replica " + std::to_string(table_.at(slot).id) + " did not end in time");
    abandon_one(slot);
  }
  for (auto slot = due(life::available); slot != nil; slot = due(life::available)) {
    table_.clear_deadline(slot);
    first_failures_ = 0; // a start of the first deployment has proved itself
  }
  if (!deleting_)
    expire_checks();
  if (phase_ == rollout_phase::baking && bake_until_ <= at_.now)
    enter(rollout_phase::rolling, rollout_reason::none);
}

bool machine::awaits_progress() const {
  return phase_ == rollout_phase::rolling && n_ > 0 &&
         (count(&machine::is_target, &cohort::unavailable) > 0 || table_.of(life::reconfiguring) > 0 ||
          (target_unavailable() > 0 && has_room(target_)));
}

bool machine::is_wave_roomless() const {
  return wave_.kind != wave_kind::none && phase_ == rollout_phase::rolling && target_unavailable() > 0 &&
         count(&machine::is_target, &cohort::unavailable) == 0 && !has_room(target_);
}

void machine::account_progress() {
  if (const auto done = current_available(); done > best_) {
    best_ = done;
    progress_used_ = instant{0};
  } else if (progress_since_) {
    progress_used_ += at_.now - *progress_since_;
  }
  progress_since_.reset();
  if (awaits_progress() && progress_used_ >= target_->spec.rollout.progress_deadline)
    fail(rollout_reason::progress_deadline, last_error_);
}

std::optional<instant> machine::next_deadline() const {
  std::optional<instant> next;
  const auto consider = [&](instant t) { next = next ? std::min(*next, t) : t; };
  for (const auto l : {life::starting, life::settling, life::available, life::reconfiguring, life::stopping})
    if (const auto slot = table_.first_timer(l); slot != nil)
      consider(table_.at(slot).deadline);
  if (deleting_ || !target_)
    return next;
  for (const bool open : {false, true})
    if (const auto slot = table_.first_check(open); slot != nil)
      consider((table_.at(slot).check_at + check_batch - 1ns) / check_batch * check_batch);
  // Those that are due wait for room, not for time.
  if (const auto it = vacancies_.upper_bound(at_.now); it != vacancies_.end())
    consider(it->first);
  if (phase_ == rollout_phase::baking)
    consider(bake_until_);
  if (progress_since_)
    consider(*progress_since_ + target_->spec.rollout.progress_deadline - progress_used_);
  return next;
}

void machine::publish() {
  if (table_.available() == n_) {
    struggling_ = false;
    if (scaling_ == scaling::up || table_.of(life::stopping) == 0)
      scaling_ = scaling::no;
  }
  const bool unavailable =
      deleting_ || !target_ || (phase_ == rollout_phase::failed && table_.available() == 0 && n_ > 0);
  if (unavailable != unavailable_) {
    unavailable_ = unavailable;
    emit(effect::serve{unavailable, deleting_ ? name_.full() + " is being deleted" : failure_});
  }
  if (room_limited())
    claim_room();
  if (target_ && is_room_known())
    held_ = reachable();
  const auto next = next_deadline();
  if (next && (!armed_ || *next < *armed_)) {
    armed_ = *next;
    emit(effect::arm_timer{*next, ++timer_epoch_});
  }
}

} // namespace troupe::deployment_state
