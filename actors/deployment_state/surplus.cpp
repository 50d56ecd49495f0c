// What goes when more replicas live than should: after a wave's replacements are available, on scale-down, on failure.
//
// Order (SPEC 1.3): what is not available first, outdated before the target's; then available outdated ones, those that
// are not the base's first, the oldest first; then the youngest. While paused or failed those not of the base go before
// the base's. Never an available one while N or fewer are available.
#include <troupe/actors/deployment_state/machine.hpp>

namespace troupe::deployment_state {

bool machine::shed() {
  if (limits_.wrong == wrong_rule::keeps_surplus && phase_ != rollout_phase::complete && waves_done_ > 0)
    return false;
  bool changed = false;
  const auto occupied = [this] { return table_.live() + vacancies(); };
  while (occupied() > capacity()) {
    // A running wave's replicas drain outdated ones also while paused: pause lets the wave end.
    const bool base_last = held_back() && base_ && wave_.hold == 0 && wave_.credit == 0;
    const auto unavailable = [this](predicate which) { return shed_vacancy(which) || shed_unavailable(which); };
    // Target replicas that start are only taken where N and W require it, not to make way for a wave's other ones.
    const bool too_many = occupied() > n_ + (wave_.kind == wave_kind::start_first ? wave_.size : 0);
    if (!((base_last && unavailable(&machine::is_foreign)) || unavailable(&machine::is_outdated) ||
          (too_many && unavailable(&machine::is_target)) || shed_available(base_last) ||
          (!has_room(target_) && shed_vacancy(&machine::is_target)))) // it could never start
      break;
    changed = true;
  }
  return changed;
}

void machine::spend_credit() {
  if (wave_.kind == wave_kind::start_first && wave_.credit > 0)
    --wave_.credit;
}

bool machine::shed_vacancy(predicate which) {
  if (vacancies_.empty())
    return false;
  for (auto it = vacancies_.begin(); it != vacancies_.end(); ++it) {
    const auto& c = table_.cohorts()[it->second.cohort];
    if (!(this->*which)(c) || (wave_.kind == wave_kind::start_first && in_wave(it->second.wave)))
      continue;
    if (is_outdated(c))
      spend_credit();
    drop_vacancy(it);
    return true;
  }
  return false;
}

bool machine::shed_unavailable(predicate which) {
  // Replicas that are not the base's go before the base's.
  for (const bool of_base : {false, true})
    for (auto& c : table_.cohorts()) {
      if (!(this->*which)(c) || is_base_code(c) != of_base)
        continue;
      for (const auto l : {life::starting, life::settling}) {
        auto slot = c.lists[static_cast<std::size_t>(l)].tail;
        // Those that the running start_first wave started belong on top of N.
        while (slot != nil && wave_.kind == wave_kind::start_first && in_wave(table_.at(slot).wave))
          slot = table_.at(slot).prev;
        if (slot != nil) {
          if (is_outdated(c))
            spend_credit();
          stop_one(slot, stop_cause::surplus);
          return true;
        }
      }
    }
  return false;
}

bool machine::shed_available(bool base_last) {
  const bool early = limits_.wrong == wrong_rule::drains_early && wave_.kind == wave_kind::start_first;
  if (table_.available() <= reachable() && !early && limits_.wrong != wrong_rule::drain_below_n)
    return false;
  // While held back what is not the base's goes first, the target's included.
  const auto rank = [&](const cohort& c) {
    if (base_last)
      return is_base(c) ? 2 : is_outdated(c) ? 0 : 1;
    return !is_outdated(c) ? 2 : is_base(c) ? 1 : 0;
  };
  // One in `reconfigure` only when no other is left to take.
  for (const auto l : {life::available, life::reconfiguring})
    for (int wanted = 0; wanted <= 2; ++wanted) {
      std::uint32_t chosen = nil;
      for (auto& c : table_.cohorts()) {
        if (rank(c) != wanted || c.of(l) == 0)
          continue;
        const bool oldest = is_outdated(c); // oldest outdated, youngest of the target
        const auto& list = c.lists[static_cast<std::size_t>(l)];
        const auto slot = oldest ? list.head : list.tail;
        if (chosen == nil || (table_.at(slot).id < table_.at(chosen).id) == oldest)
          chosen = slot;
      }
      if (chosen == nil)
        continue;
      const bool for_wave =
          is_outdated(table_.cohort_of(chosen)) && wave_.kind == wave_kind::start_first && wave_.credit > 0;
      if (for_wave)
        spend_credit();
      stop_one(chosen, for_wave ? stop_cause::wave : stop_cause::surplus);
      return true;
    }
  return false;
}

} // namespace troupe::deployment_state
