// Brings what is to what should be: repeats single steps until none is left to do.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

void machine::reconcile() {
  if (deleting_) {
    reconcile_removal();
  } else if (target_) {
    account_progress();
    if (restoring_ && !awaits_others_ && room_answered_ == room_seq_ && room_seq_ > 0) {
      fill_vacancies();
      restoring_ = false;
    }
    bool changed = true;
    while (changed) {
      changed = finish_wave();
      changed |= shed();
      if (take_out_failing()) {
        changed = true;
        shed(); // a rollout that failed thereby has less capacity: nothing may start for it first
      }
      changed |= fill();
      changed |= complete_rollout();
      changed |= begin_wave();
    }
    if (awaits_progress())
      progress_since_ = at_.now;
  }
  publish();
}

void machine::reconcile_removal() {
  while (!vacancies_.empty())
    drop_vacancy(vacancies_.begin());
  for (auto& c : table_.cohorts())
    for (const auto l : {life::starting, life::settling, life::available, life::reconfiguring})
      while (c.of(l) > 0)
        stop_one(c.lists[static_cast<std::size_t>(l)].head, stop_cause::removed);
  if (table_.existing() == 0 && !removed_) {
    removed_ = true;
    emit(effect::removed{});
  }
}

// -- questions -------------------------------------------------------------------------------------------------------

bool machine::is_stale(const cohort& c) const {
  return is_target_code(c) && c.config_id != target_->config_id && !target_->spec.user_config.is_null() &&
         !replace_stale_;
}

std::uint32_t machine::count(bool (machine::*which)(const cohort&) const, std::uint32_t (cohort::*what)() const) const {
  std::uint32_t sum = 0;
  for (const auto& c : table_.cohorts())
    if ((this->*which)(c))
      sum += (c.*what)();
  return sum;
}

std::uint32_t machine::current_available() const {
  std::uint32_t sum = 0;
  for (const auto& c : table_.cohorts())
    if (is_current(c))
      sum += c.of(life::available);
  return sum;
}

std::uint32_t machine::target_unavailable() const {
  std::uint32_t sum = 0;
  for (const auto& c : table_.cohorts())
    if (is_target(c))
      sum += c.unavailable() + c.vacant;
  return sum;
}

std::uint32_t machine::capacity() const {
  return n_ + (wave_.kind == wave_kind::start_first ? wave_.pending + wave_.hold : 0);
}

std::uint32_t machine::share(const replica_share& s) const {
  if (limits_.wrong == wrong_rule::round_up && s.is_percent)
    return std::min(n_, (n_ * s.value + 99) / 100 + 1);
  return s.of(n_);
}

} // namespace troupe::deployment_state
