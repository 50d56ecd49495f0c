// Entry of the machine, and what replicas report.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

namespace {

using namespace std::chrono_literals;

/// A death this soon after becoming available is followed by the start backoff (SPEC 1.3).
constexpr instant early_death = 10s;

} // namespace

transition machine::step(const moment& at, const any_event& ev) {
  at_ = at;
  out_ = {};
  std::visit([this](const auto& e) { on(e); }, ev);
  if (out_.refused.code == errc::none) {
    reconcile();
    if (limits_.durable)
      persist();
  }
  return std::move(out_);
}

void machine::refuse(errc code, std::string why) { out_.refused = {code, std::move(why)}; }

// -- facts ---------------------------------------------------------------------------------------------------------

void machine::on(const event::started& ev) {
  auto* r = table_.find(ev.replica);
  if (r == nullptr || r->phase != life::starting)
    return; // gone, or asked to stop already: it will say so
  const auto min_ready = target_->spec.rollout.min_ready;
  if (min_ready > 0ms) {
    table_.move(ev.replica.slot, life::settling, at_.now);
    table_.set_deadline(ev.replica.slot, at_.now + min_ready);
    if (table_.cohort_of(ev.replica.slot).origin->can_check) // healthy for `min_ready`: checks begin at once
      table_.set_check(ev.replica.slot, at_.now + target_->spec.health_check_period, false);
    return;
  }
  make_available(ev.replica.slot);
}

void machine::make_available(std::uint32_t slot) {
  table_.move(slot, life::available, at_.now);
  auto& r = table_.at(slot);
  r.available_since = at_.now;
  emit(effect::route{table_.ref(slot)});
  const auto& c = table_.cohort_of(slot);
  if (in_wave(r.wave)) {
    if (wave_.pending > 0 && --wave_.pending == 0 && current_available() >= std::min(wave_.size, n_))
      first_wave_up_ = true;
    if (wave_.kind == wave_kind::start_first)
      ++(wave_.canary ? wave_.hold : wave_.credit);
  }
  r.wave = 0;
  if (r.for_check) {
    r.for_check = false;
    --taken_out_;
  }
  if (c.origin->can_check && !r.check_queued)
    table_.set_check(slot, at_.now + target_->spec.health_check_period, false);
  if (!base_ && phase_ != rollout_phase::complete)
    table_.set_deadline(slot, at_.now + early_death); // proves the first deployment's start (health.cpp)
  if (is_moving(r))
    mark_failing(table_.ref(slot));
}

void machine::on(const event::reconfigured& ev) {
  auto* r = table_.find(ev.replica);
  if (r == nullptr || r->phase != life::reconfiguring || r->config_seq != ev.seq)
    return;
  if (!ev.ok)
    return reconfigure_failed(ev.replica.slot, ev.message, false);
  table_.move(ev.replica.slot, life::available, at_.now);
}

void machine::on(const event::stopped& ev) {
  auto* r = table_.find(ev.replica);
  if (r == nullptr)
    return;
  const auto slot = ev.replica.slot;
  if (r->phase != life::given_up) // whose seat has been left before
    left_node(*r);
  switch (r->phase) {
  case life::starting:
  case life::settling:
    emit(effect::forget{ev.replica});
    start_failed(slot, ev.message.empty() ? to_string(ev.reason) : ev.message, true);
    return;
  case life::available:
  case life::reconfiguring: {
    note("replica_died", "replica " + std::to_string(r->id) + " died: " + ev.message);
    last_error_ = ev.message;
    const auto copy = *r;
    emit(effect::forget{ev.replica});
    table_.erase(slot);
    return lost(copy, false);
  }
  case life::stopping:
    left_for_wave(*r);
    break;
  case life::given_up:
    removed_ = false; // of a deleted deployment: tell once more that nothing is left
    break;
  }
  emit(effect::forget{ev.replica});
  table_.erase(slot);
}

void machine::on(const event::timer& ev) {
  if (ev.epoch != timer_epoch_)
    return;
  armed_.reset();
  expire();
}

// -- starts and stops
// --------------------------------------------------------------------------------------------------

void machine::start_one(const release_ptr& what, std::uint32_t wave, const vacancy& slot) {
  const auto ref = table_.add(what, at_.now);
  auto& r = table_.at(ref.slot);
  r.wave = wave;
  r.attempts = slot.attempts;
  r.attempts_epoch = attempts_epoch_;
  r.for_check = slot.for_check;
  r.replacement = slot.replacement;
  table_.set_deadline(ref.slot, at_.now + what->spec.startup_timeout);
  emit(effect::start{ref, what});
}

void machine::stop_one(std::uint32_t slot, stop_cause cause) {
  auto& r = table_.at(slot);
  if (r.for_check) { // its replacement role ends with it
    r.for_check = false;
    --taken_out_;
  }
  if (r.phase == life::starting || r.phase == life::settling)
    leave_wave(r);
  r.cause = cause;
  r.failing = false;
  table_.move(slot, life::stopping, at_.now);
  table_.set_deadline(slot, at_.now + target_->spec.graceful_shutdown_timeout);
  if (cause == stop_cause::wave) {
    r.wave = wave_number_;
    ++wave_.stopping;
    wave_.same_shape += table_.cohort_of(slot).origin->shape() == target_->shape() ? 1U : 0U;
  }
  emit(effect::stop{table_.ref(slot), cause});
}

void machine::abandon_one(std::uint32_t slot) {
  auto& r = table_.at(slot);
  left_node(r);
  if (r.phase == life::stopping)
    left_for_wave(r);
  table_.move(slot, life::given_up, at_.now);
  emit(effect::abandon{table_.ref(slot)});
}

void machine::leave_wave(const record& r) {
  if (in_wave(r.wave) && wave_.pending > 0)
    --wave_.pending;
}

void machine::end_wave() { wave_ = {.stopping = wave_.stopping, .same_shape = wave_.same_shape}; }

// -- losses
// --------------------------------------------------------------------------------------------------------------

void machine::lost(const record& r, bool by_check) {
  const auto& c = table_.cohorts()[r.cohort];
  const bool in_rollout = phase_ != rollout_phase::complete && phase_ != rollout_phase::failed && base_ &&
                          !same_release(base_, target_) && is_target(c);
  const bool early = at_.now - r.available_since < early_death;
  const auto attempts = static_cast<std::uint16_t>(in_rollout || early ? attempts_of(r) + 1 : 0);
  const auto when = early ? at_.now + backoff(attempts) : at_.now;
  auto copy = r;
  copy.for_check = by_check;
  if (in_rollout && attempts >= target_->spec.max_start_attempts) {
    fail(rollout_reason::start_failed, last_error_);
    return replace(copy, 0, at_.now);
  }
  replace(copy, attempts, when);
}

void machine::replace(const record& r, std::uint16_t attempts, instant not_before) {
  if (deleting_) {
    taken_out_ -= r.for_check ? 1U : 0U;
    return;
  }
  if (limits_.wrong == wrong_rule::no_retry)
    not_before += std::chrono::hours{24 * 365};
  vacate({r.cohort, attempts, 0, r.for_check, true}, not_before);
}

void machine::vacate(vacancy v, instant not_before) {
  ++vacancy_changes_;
  ++table_.cohorts()[v.cohort].vacant;
  wave_.vacant += in_wave(v.wave) ? 1U : 0U;
  vacancies_.emplace(not_before, v);
}

machine::vacancy machine::take_vacancy(vacancy_iterator it) {
  const auto v = it->second;
  ++vacancy_changes_;
  --table_.cohorts()[v.cohort].vacant;
  wave_.vacant -= in_wave(v.wave) ? 1U : 0U;
  vacancies_.erase(it);
  return v;
}

machine::vacancy_iterator machine::drop_vacancy(vacancy_iterator it) {
  const auto next = std::next(it);
  const auto v = take_vacancy(it);
  taken_out_ -= v.for_check ? 1U : 0U;
  if (in_wave(v.wave) && wave_.pending > 0)
    --wave_.pending;
  return next;
}

instant machine::backoff(std::uint16_t attempts) {
  // 100 ms, 200, 400 ... 10 s; then up to a quarter less, so that many failed starts do not come back at one moment.
  const auto doublings = std::min<int>(attempts > 0 ? attempts - 1 : 0, 7);
  const instant full = std::min<instant>(100ms * (1 << doublings), 10s);
  at_.chance = at_.chance * 6364136223846793005U + 1442695040888963407U;
  return full - full * static_cast<std::int64_t>((at_.chance >> 33) % 256) / 1024;
}

void machine::start_failed(std::uint32_t slot, const std::string& message, bool forget) {
  const auto r = table_.at(slot);
  const bool of_target = is_target(table_.cohort_of(slot));
  last_error_ = message;
  if (forget) {
    table_.erase(slot);
  } else { // another takes its place in the wave
    table_.at(slot).wave = 0;
    table_.at(slot).for_check = false;
  }
  const auto attempts = static_cast<std::uint16_t>(attempts_of(r) + 1);
  const auto give_up_slot = [&] { // it stays empty: fill decides what starts there
    leave_wave(r);
    taken_out_ -= r.for_check ? 1U : 0U;
  };
  if (deleting_)
    return give_up_slot();
  note("start_failed",
       "replica " + std::to_string(r.id) + " did not start (attempt " + std::to_string(attempts) + "): " + message);
  const bool active = phase_ != rollout_phase::complete && phase_ != rollout_phase::failed;
  if (active && of_target) {
    const auto budget = std::max(3U, std::min(3U * n_, 20U));
    if (base_ ? attempts >= target_->spec.max_start_attempts : ++first_failures_ >= budget) {
      fail(rollout_reason::start_failed, message);
      if (!base_ || !r.for_check)
        return give_up_slot();
      // Still out on account of the checks: the next that fails them must wait until the base stands in here.
      return vacate({r.cohort, 0, 0, true, r.replacement}, at_.now);
    }
  }
  if (phase_ == rollout_phase::complete && attempts >= target_->spec.max_start_attempts)
    struggling_ = true;
  if (phase_ == rollout_phase::failed && !base_ && !r.replacement)
    return give_up_slot(); // a failed first deployment keeps what did start, and tries no more
  vacate({r.cohort, attempts, r.wave, r.for_check, r.replacement}, at_.now + backoff(attempts));
}

void machine::reconfigure_failed(std::uint32_t slot, const std::string& message, bool timed_out) {
  last_error_ = message;
  auto& r = table_.at(slot);
  const auto copy = r;
  const bool of_target = is_current(table_.cohort_of(slot)); // else a superseded config, or a superseded rollout's
  if (timed_out)
    abandon_one(slot);
  else
    stop_one(slot, stop_cause::fault);
  if (deleting_)
    return;
  note("reconfigure_failed", "replica " + std::to_string(copy.id) + ": " + message);
  if (!of_target) {
    replace(copy, 0, at_.now);
    return;
  }
  if (rolling_back_ && same_release(base_, target_))
    replace_stale_ = true; // no call takes the newer config back: replace them
  else if (phase_ != rollout_phase::complete && phase_ != rollout_phase::failed)
    fail(rollout_reason::reconfigure_failed, message);
  replace(copy, 0, at_.now);
}

} // namespace troupe::deployment_state
