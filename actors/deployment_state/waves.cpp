// Waves: when one begins, how large it is, when it has ended, and when the rollout is complete.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

using namespace std::chrono_literals;

bool machine::finish_wave() {
  switch (wave_.kind) {
  case wave_kind::none:
    return false;
  case wave_kind::start_first:
    if (wave_.pending > 0)
      return false;
    if (wave_.canary && wave_.hold > 0) { // the canaries serve beside all others; an operator decides
      if (!canary_done_) {
        canary_done_ = true;
        enter(rollout_phase::paused, rollout_reason::canary_pause);
        return true;
      }
      return false;
    }
    if ((wave_.stopping > 0 && limits_.wrong != wrong_rule::wave_ignores_stopping) || table_.live() + vacancies() > n_)
      return false;
    break;
  case wave_kind::stop_first:
    if (wave_.to_start > 0 || wave_.stopping > 0 || target_unavailable() > 0)
      return false;
    break;
  case wave_kind::reconfigure:
    if (table_.of(life::reconfiguring) > 0)
      return false;
    break;
  }
  if (wave_.kind == wave_kind::reconfigure && current_available() > 0 && base_ && base_->code_id == target_->code_id)
    first_wave_up_ = true;
  const bool canary = wave_.canary && wave_.kind == wave_kind::stop_first;
  wave_ = {};
  ++waves_done_;
  note("wave_ended", "wave " + std::to_string(waves_done_) + " has ended");
  if (phase_ == rollout_phase::rolling) {
    if (canary) {
      canary_done_ = true;
      enter(rollout_phase::paused, rollout_reason::canary_pause);
    } else if (target_->spec.rollout.bake > 0ms) {
      bake_until_ = at_.now + target_->spec.rollout.bake;
      enter(rollout_phase::baking, rollout_reason::baking);
    }
  }
  return true;
}

bool machine::begin_wave() {
  waiting_for_room_ = false;
  waits_for_ = 0;
  freed_ = {};
  if (restoring_ || wave_.kind != wave_kind::none || phase_ != rollout_phase::rolling || n_ == 0)
    return false;
  const bool settled = target_unavailable() == 0 && table_.of(life::reconfiguring) == 0 &&
                       (wave_.stopping == 0 || limits_.wrong == wrong_rule::wave_ignores_stopping) &&
                       (table_.live() + vacancies() >= n_ || !has_room(fill_release()));
  if (!settled)
    return false;
  if (begin_reconfigure())
    return true;
  if (!base_ && waves_done_ == 0 && count(&machine::is_outdated, &cohort::live) == 0)
    return false; // a first deployment fills its slots; nothing to replace
  std::uint32_t outdated = 0;
  for (const auto& c : table_.cohorts())
    outdated += is_outdated(c) ? c.live() + c.vacant : 0U;
  if (const auto filled = fill_release(); filled && !same_release(filled, target_))
    outdated += empty_slots(); // there is no room for the base; for the target there may be
  if (outdated == 0)
    return false;
  const auto& knobs = target_->spec.rollout;
  const bool canary = knobs.canary > 0 && base_ && !canary_done_ && !rolling_back_;
  const auto limited = [&](std::uint32_t w) { return std::min({w, outdated, canary ? knobs.canary : w}); };
  const auto number = wave_number_;
  if (knobs.strategy == rollout_strategy::stop_first) {
    begin_stop_first(limited(share(knobs.max_unavailable)));
  } else {
    const auto surge = limited(share(knobs.max_surge));
    if (!begin_start_first(surge) && !waiting_for_room_ && knobs.surge_fallback && !canary)
      begin_stop_first(limited(share(knobs.max_unavailable)));
    if (wave_.kind == wave_kind::none)
      waiting_for_room_ = true; // keeps the claim as it is: giving back and claiming again would never end
  }
  if (wave_number_ == number) // `waiting_for_room_` may be set: publish() claims, and the answer comes back here
    return false;
  wave_.canary = canary;
  return true;
}

bool machine::begin_reconfigure() {
  const auto wanted =
      limits_.wrong == wrong_rule::reconfigure_all ? n_ : share(target_->spec.rollout.reconfigure_share());
  std::uint32_t size = 0;
  out_.effects.reserve(out_.effects.size() + std::min(wanted, table_.available()));
  for (std::size_t i = 0; i < table_.cohorts().size(); ++i) {
    while (size < wanted && is_stale(table_.cohorts()[i]) && table_.cohorts()[i].of(life::available) > 0) {
      const auto slot = table_.cohorts()[i].lists[static_cast<std::size_t>(life::available)].head;
      table_.regroup(slot, target_);
      table_.move(slot, life::reconfiguring, at_.now);
      table_.set_deadline(slot, at_.now + target_->spec.graceful_shutdown_timeout + target_->spec.startup_timeout);
      auto& r = table_.at(slot);
      emit(effect::update{table_.ref(slot), ++r.config_seq, target_->spec.user_config});
      ++size;
    }
  }
  if (size == 0)
    return false;
  ++wave_number_;
  wave_ = {.kind = wave_kind::reconfigure, .size = size};
  note("wave_began", "wave " + std::to_string(waves_done_ + 1) + ": reconfigures " + std::to_string(size));
  return true;
}

bool machine::begin_start_first(std::uint32_t size) {
  if (const auto each = target_->shape(); needs_room(each)) {
    waits_for_ = std::max(waits_for_, size); // also where it runs as stop_first in the end: the claim stays as it is
    if (is_unclaimed(size)) {
      waiting_for_room_ = true; // claimed in publish(); the answer comes back here
      return false;
    }
    size = std::min(size, unused_of(each));
    if (size == 0)
      return false;
  }
  ++wave_number_;
  wave_ = {.kind = wave_kind::start_first, .size = size, .to_start = size, .pending = size};
  note("wave_began", "wave " + std::to_string(waves_done_ + 1) + ": starts " + std::to_string(size));
  return true;
}

bool machine::begin_stop_first(std::uint32_t size) {
  const auto each = target_->shape();
  // Slots that stay empty for want of room for what belongs there: nothing need stop where one of the target fits.
  auto empty = std::min(size, empty_slots());
  if (needs_room(each)) {
    waits_for_ = std::max({waits_for_, empty, 1U});
    if (empty > 0 && is_unclaimed(empty)) {
      waiting_for_room_ = true;
      return false;
    }
    empty = std::min(empty, unused_of(each));
  }
  const auto floor = reachable() - std::min(reachable(), share(target_->spec.rollout.max_unavailable));
  const auto most_available = table_.available() - std::min(table_.available(), floor);
  if (empty == 0 && !makes_room(size, most_available)) { // nothing is taken away for replicas that cannot start
    waiting_for_room_ = true;
    return false;
  }
  const auto out = empty == 0 ? outgoing(size, most_available, leaves_from_) : departures{};
  ++wave_number_;
  wave_ = {.kind = wave_kind::stop_first, .size = size};
  auto taken = empty;
  while (empty == 0 && taken < size && shed_vacancy(&machine::is_outdated))
    ++taken;
  for (const auto slot : out.slots) {
    stop_one(slot, stop_cause::wave);
    ++taken;
  }
  if (taken == 0) { // too few are available to take one away
    waiting_for_room_ = asks_ && needs_room(each);
    wave_ = {};
    --wave_number_;
    return false;
  }
  wave_.size = wave_.to_start = wave_.pending = taken;
  note("wave_began", "wave " + std::to_string(waves_done_ + 1) + ": replaces " + std::to_string(taken));
  return true;
}

bool machine::complete_rollout() {
  if (phase_ == rollout_phase::complete || phase_ == rollout_phase::baking || n_ == 0 || reachable() == 0 ||
      wave_.kind != wave_kind::none || !vacancies_.empty() || !is_room_known())
    return false;
  const auto good = current_available();
  if (good < reachable() || good != table_.live())
    return false;
  if (phase_ == rollout_phase::failed && !(!base_ || same_release(base_, target_)))
    return false;
  if (phase_ == rollout_phase::failed && !base_)
    failure_.clear(); // late starts have made it whole
  base_ = target_;
  ++attempts_epoch_; // failed starts from before no longer count
  first_failures_ = 0;
  const bool back = rolling_back_;
  rolling_back_ = false;
  replace_stale_ = false;
  superseded_.reset();
  enter(rollout_phase::complete, rollout_reason::none);
  note(back ? "rolled_back" : "rollout_complete", target_->label() + " runs on all replicas");
  return true;
}

} // namespace troupe::deployment_state
