// What starts when fewer replicas live than should: a wave's replacements, the dead, failed starts, empty slots.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

release_ptr machine::fill_release() const {
  if (limits_.wrong == wrong_rule::starts_superseded && superseded_ && phase_ != rollout_phase::complete)
    return superseded_;
  if (!base_)
    return phase_ == rollout_phase::failed ? nullptr : target_;
  if (limits_.wrong == wrong_rule::fills_with_target)
    return target_;
  if (held_back() || !first_wave_up_)
    return base_; // also when it is the target: then both are the same
  return target_;
}

release_ptr machine::vacancy_release(const cohort& c) const {
  const bool target_failed = phase_ == rollout_phase::failed && base_;
  return (is_target(c) && !target_failed) || !base_ ? target_ : base_;
}

bool machine::fill_vacancies() {
  bool changed = false;
  const auto any_room = [this] { return has_room(target_) || (base_ && has_room(base_)); };
  for (auto it = vacancies_.begin(); it != vacancies_.end() && it->first <= at_.now && any_room();) {
    const auto& c = table_.cohorts()[it->second.cohort];
    const auto what = vacancy_release(c);
    const bool own = in_wave(it->second.wave);
    if (!has_room(what) || (!own && !has_free_room(what))) {
      if (wave_.vacant == 0 && !asks_)
        break;
      ++it; // the wave's own come first; others may ask for less
      continue;
    }
    it->second.replacement = it->second.replacement && c.code_id == what->code_id;
    const auto next = std::next(it);
    const auto v = take_vacancy(it);
    it = next;
    start_one(what, what == target_ ? v.wave : 0, v);
    changed = true;
  }
  return changed;
}

bool machine::fill() {
  bool changed = false;
  const auto occupied = [this] { return table_.live() + vacancies(); };
  const auto holes = [&] { return capacity() > occupied() ? capacity() - occupied() : 0U; };
  // A stop_first wave has no more to start than there are holes (N may have become smaller).
  if (wave_.kind == wave_kind::stop_first && wave_.to_start > holes()) {
    wave_.pending -= std::min(wave_.pending, wave_.to_start - holes());
    wave_.to_start = holes();
    changed = true;
  }
  const auto blocked = [this] { return wave_.kind == wave_kind::stop_first ? wave_.stopping : 0U; };
  while (wave_.to_start > blocked() && holes() > 0 && has_room(target_)) {
    --wave_.to_start;
    start_one(target_, wave_number_, {});
    changed = true;
    if (limits_.wrong == wrong_rule::drains_early && wave_.kind == wave_kind::start_first) {
      --wave_.pending;
      shed_available(false);
    }
  }
  changed |= give_up_roomless();
  changed |= fill_vacancies();
  const auto what = fill_release();
  while (what && holes() > wave_.to_start && has_free_room(what)) {
    start_one(what, 0, {});
    changed = true;
  }
  return changed;
}

} // namespace troupe::deployment_state
