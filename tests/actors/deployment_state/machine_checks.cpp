// The invariants of SPEC 7 that concern the machine, after each step and at rest.
#include "machine_world.hpp"

namespace troupe::deployment_state::test {

void world::check_step(std::uint32_t available_before) {
  std::uint32_t now_available = 0, now_starting = 0, reconfiguring = 0, stopping = 0, given_up = 0, for_wave = 0,
                of_target = 0;
  for (const auto& [id, p] : puppets_) {
    now_available += p.available() ? 1 : 0;
    now_starting += p.starting() ? 1 : 0;
    reconfiguring += p.live() && p.reconfiguring ? 1 : 0;
    stopping += p.stopping() ? 1 : 0;
    given_up += p.abandoned ? 1 : 0;
    for_wave += p.stopping() && p.for_wave && !p.superseded ? 1 : 0;
    of_target += p.live() && p.counted ? 1 : 0;
  }
  const auto now_live = now_available + now_starting;
  min_available = std::min(min_available, now_available);
  max_live = std::max(max_live, now_live);
  max_reconfiguring = std::max(max_reconfiguring, reconfiguring);
  if (!target_)
    return;
  const auto text = [](std::uint32_t n) { return std::to_string(n); };
  if (deleting_) {
    if (now_live > 0)
      fail("replicas live though the deployment is deleted");
    return;
  }
  // 1. No step takes an available replica away if fewer than N - U stay.
  const auto u =
      std::max(step_wave_ == kind::stop_first ? step_wave_limit_ : 0, wave_ == kind::stop_first ? wave_limit_ : 0);
  const auto n = room();
  if (took_available_ && now_available < available_before && now_available + faulty_taken_ + u < n)
    fail("1: took an available replica, " + text(now_available) + " stay of N = " + text(n) + ", U = " + text(u));
  // 2. Starting and running never exceed N + W of the running start_first wave.
  const auto surge = wave_ == kind::start_first ? wave_size_ : 0U;
  if (now_live > n_ + surge)
    fail("2: " + text(now_live) + " start or run, N = " + text(n_) + ", surge " + text(surge));
  if (limits_.room_limited && now_live + stopping > max_replicas)
    fail("room: " + text(now_live + stopping) + " exist, room for " + text(max_replicas));
  resources held;
  for (const auto& [id, p] : puppets_)
    if (p.live() || p.stopping())
      add(held, p.what->spec.per_replica);
  if (const auto over = first_lacking(held, local))
    fail("room: " + to_string(held) + " are held of " + to_string(local));
  const auto w = std::max(step_wave_size_, wave_size_);
  if (for_wave > w)
    fail("2: " + text(for_wave) + " stop for an update, W = " + text(w));
  // 5. Only replicas of the target or of the base are started.
  for (const auto& r : step_starts_) {
    const auto is = [&](const release_ptr& x) { return x && x->code_id == r->code_id && x->config_id == r->config_id; };
    if (!is(target_) && !is(base_) && !is(base_before_))
      fail("5: started " + r->label() + " R" + std::to_string(r->revision));
  }
  // 6. At most W reconfigure at once (those of a superseded wave go on).
  if (reconfiguring > 0 && wave_ == kind::reconfigure && reconfiguring > wave_size_)
    fail("6: " + text(reconfiguring) + " reconfigure at once, W = " + text(wave_size_));
  // 11. Until the first wave is available at most W live; no more outdated ones were taken than became available.
  if (base_ && base_->code_id != target_->code_id && !first_wave_done_ && n_ > 0) {
    if (first_wave_size_ > 0 && became_available_ >= first_wave_size_)
      first_wave_done_ = true;
    else if (of_target > first_wave_size_ + kept_)
      fail("11: " + text(of_target) + " of the target live before its first wave of " + text(first_wave_size_));
    if (clean_start_ && wave_ == kind::start_first && outdated_taken_ > became_available_)
      fail("11: " + text(outdated_taken_) + " outdated ones taken, " + text(became_available_) + " became available");
  }
  // The status says what is.
  const auto s = status();
  if (s.available != now_available || s.starting != now_starting || s.stopping != stopping || s.given_up != given_up ||
      s.reconfiguring != reconfiguring || s.num_replicas != n_)
    fail("10: the status says " + text(s.available) + "/" + text(s.starting) + "/" + text(s.reconfiguring) + "/" +
         text(s.stopping) + "/" + text(s.given_up) + ", it is " + text(now_available) + "/" + text(now_starting) + "/" +
         text(reconfiguring) + "/" + text(stopping) + "/" + text(given_up));
  if (s.rollout.target_revision != target_->revision)
    fail("10: the status tells another target");
}

resources world::held() const {
  resources sum;
  for (const auto& [id, p] : puppets_)
    if (!p.abandoned)
      add(sum, p.what->spec.per_replica);
  return sum;
}

void world::check_at_rest() {
  if (deleting_) {
    if (!removed)
      fail("4: deleted, and never removed");
    return;
  }
  if (!target_)
    return;
  const auto s = status();
  const auto text = [](std::uint32_t n) { return std::to_string(n); };
  if (const auto used = keeper().report().nodes.at(0).used;
      s.rollout.in_flight == 0 && s.given_up == 0 && others_seq_ == 0 && claim_seq_ > 0 && !(used == held()))
    fail("2: " + to_string(used) + " is taken at rest, replicas hold " + to_string(held()));
  if (starting() > 0 || s.stopping > 0 || s.reconfiguring > 0)
    fail("4: not at rest: " + text(starting()) + " start, " + text(s.stopping) + " stop");
  const bool canary = s.rollout.phase == rollout_phase::paused && s.rollout.reason == rollout_reason::canary_pause;
  const bool waits = s.waiting_for_room > 0 || s.rollout.reason == rollout_reason::waiting_for_room;
  const bool lacks_room =
      local.empty() ? limits_.room_limited && max_replicas < n_ + std::max(1U, s.rollout.in_flight) : waits;
  auto wanted = !local.empty() ? n_ - s.waiting_for_room : limits_.room_limited ? std::min(n_, max_replicas) : n_;
  const auto most = wanted + (canary && wave_ == kind::start_first ? wave_size_ : 0);
  if (s.rollout.phase == rollout_phase::failed && s.rollout.base_revision == 0)
    wanted = 0; // a failed first deployment keeps what did start
  if (live() < wanted || live() > most)
    fail("10: " + text(live()) + " live at rest, N = " + text(n_) + ", waiting for room " + text(s.waiting_for_room) +
         ", " + to_string(s.rollout.phase) + ", " + to_string(s.rollout.reason) + ", " + s.message);
  switch (s.rollout.phase) {
  case rollout_phase::complete:
    if (s.state != deployment_state_name::healthy && s.state != deployment_state_name::deploy_failed && !lacks_room)
      fail("4: complete, but " + to_string(s.state));
    for (const auto& [id, p] : puppets_)
      if (p.live() && (p.what->code_id != target_->code_id || !(p.config == target_->spec.user_config)))
        fail("6: at rest a replica is not the target's");
    break;
  case rollout_phase::paused:
    break;
  case rollout_phase::failed:
    if (s.message.empty())
      fail("4: failed without a reason");
    break;
  case rollout_phase::rolling:
    if (n_ > 0 && !(lacks_room && (s.waiting_for_room > 0 || s.rollout.reason == rollout_reason::waiting_for_room)))
      fail("4: still rolling, N = " + text(n_) + ", room for " + text(limits_.room_limited ? max_replicas : 9999) +
           " " + to_string(s.rollout.reason) + " lacks " + text(s.waiting_for_room));
    break;
  case rollout_phase::baking:
    fail("4: still baking");
  }
  if (s.state == deployment_state_name::deploy_failed && s.message.empty())
    fail("4: DEPLOY_FAILED without a reason");
}

} // namespace troupe::deployment_state::test
