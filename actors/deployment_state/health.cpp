// Health checks: when they are due, what failing ones mean, and how many replicas they may take out at a time.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>

namespace troupe::deployment_state {

void machine::on(const event::checked& ev) {
  auto* r = table_.find(ev.replica);
  if (r == nullptr || !r->check_open || r->check_seq != ev.seq)
    return;
  const auto slot = ev.replica.slot;
  table_.set_check(slot, at_.now + target_->spec.health_check_period, false);
  if (ev.ok) {
    r->failed_checks = 0;
    r->failing = r->failing && is_moving(*r);
    return;
  }
  last_error_ = ev.message;
  note("check_failed", "replica " + std::to_string(r->id) + ": " + ev.message);
  if (r->failed_checks < failures_until_unhealthy)
    ++r->failed_checks;
  if (r->failed_checks < failures_until_unhealthy)
    return;
  if (r->phase == life::settling) { // it never became available: a failed start
    start_failed(slot, ev.message, false);
    stop_one(slot, stop_cause::fault);
    return;
  }
  mark_failing(ev.replica);
}

void machine::mark_failing(const replica_ref& ref) {
  auto& r = table_.at(ref.slot);
  r.failing = true;
  if (!r.queued)
    failing_.push_back(ref);
  r.queued = true;
}

void machine::on(const event::probed& ev) {
  const auto* r = table_.find(ev.replica);
  if (r == nullptr || !r->check_open || r->check_seq != ev.seq || ev.in_handler || r->phase == life::reconfiguring)
    return; // the deadline was set anew when the probe was sent
  on(event::checked{ev.replica, ev.seq, false, "no answer to the health check in time"});
}

void machine::on(const event::stuck& ev) {
  auto* r = table_.find(ev.replica);
  if (r == nullptr || r->failing || (r->phase != life::available && r->phase != life::reconfiguring))
    return;
  last_error_ = "a handler has been running for " + std::to_string(ev.running.count() / 1000) + " s";
  note("replica_stuck", "replica " + std::to_string(r->id) + ": " + last_error_);
  mark_failing(ev.replica);
}

bool machine::take_out_failing() {
  bool changed = false;
  const auto at_a_time = share(target_->spec.rollout.max_unavailable);
  // The others serve on, and also where that many are missing for other reasons: a shared outage must not drain all.
  // What a stop_first wave has given back for replicas of other amounts is not granted yet.
  const auto under_way = wave_.kind == wave_kind::stop_first ? wave_.to_start : 0;
  while (!failing_.empty() && taken_out_ < at_a_time &&
         table_.available() + at_a_time > std::min(n_, reachable() + under_way)) {
    const auto ref = failing_.front();
    auto* r = table_.find(ref);
    if (r != nullptr && r->failing && r->phase == life::reconfiguring)
      break; // after its reconfigure
    failing_.pop_front();
    if (r != nullptr)
      r->queued = false;
    if (r == nullptr || !r->failing || r->phase != life::available)
      continue;
    if (is_moving(*r))
      note("replica_moved",
           "replica " + std::to_string(ref.id) + " is replaced: node " + nodes_[r->node].name + " is to be empty");
    else
      note("replica_unhealthy", "replica " + std::to_string(ref.id) + " is replaced: " + last_error_);
    ++taken_out_;
    const auto copy = *r;
    stop_one(ref.slot, stop_cause::fault);
    lost(copy, true);
    changed = true;
  }
  return changed;
}

void machine::expire_checks() {
  for (auto slot = table_.first_check(true); slot != nil && table_.at(slot).check_at <= at_.now;
       slot = table_.first_check(true)) {
    table_.set_check(slot, at_.now + target_->spec.health_check_timeout, true);
    emit(effect::probe{table_.ref(slot), table_.at(slot).check_seq});
  }
  for (auto slot = table_.first_check(false); slot != nil && table_.at(slot).check_at <= at_.now;
       slot = table_.first_check(false)) {
    emit(effect::check{table_.ref(slot), ++table_.at(slot).check_seq});
    table_.set_check(slot, at_.now + target_->spec.health_check_timeout, true);
  }
}

} // namespace troupe::deployment_state
