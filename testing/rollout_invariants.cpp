// Counts what a DeploymentState decides, and compares it with SPEC 7.
#include <troupe/testing/rollout_invariants.hpp>

#include <algorithm>
#include <cstdlib>

namespace troupe::testing {

namespace {

namespace event = deployment_state::event;
namespace effect = deployment_state::effect;
using deployment_state::release_ptr;
using deployment_state::stop_cause;
using deployment_state::transition;

/// W by SPEC 1.3, with own arithmetic: percents round down, at least 1, never above n. 20 % of 10 is 2, of 9 is 1.
std::uint32_t width_of(const replica_share& s, std::uint32_t n) {
  if (n == 0)
    return 0;
  const std::uint64_t raw = s.is_percent ? std::uint64_t{s.value} * n / 100 : s.value;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(raw, 1, n));
}

bool same_release(const release_ptr& a, const release_ptr& b) {
  return a && b && a->code_id == b->code_id && a->config_id == b->config_id;
}

std::string of(std::uint32_t n, const char* what) { return std::to_string(n) + " " + what; }

} // namespace

void rollout_invariants::stepped(const deployment_state::any_event& ev, const transition& t) {
  same_target_ = false;
  if (t.refused.code == errc::none)
    std::visit([&](const auto& e) { on(e, t); }, ev);
  for (std::size_t i = 0; i < t.effects.size(); ++i) {
    find_wave(t.effects, i);
    if (i != wave_noted_)
      std::visit([this](const auto& x) { run(x); }, t.effects[i]);
  }
  wave_noted_ = none_noted;
  check_live();
  if (deleting_ || !target_)
    return;
  const auto floor = reachable();
  excused_ |= floor > floor_; // what there is more room for starts only now
  floor_ = floor;
  if (available() >= floor) {
    excused_ = false;
    out_by_checks_ = 0;
    return;
  }
  // Without a fault nothing is taken out but what leaves a node that is to be empty: as long as no more are missing,
  // for whatever reason, than may be.
  const auto by_moves = out_by_checks_ > 0 ? width_of(target_->spec.rollout.max_unavailable, n_) : 0;
  const auto missing = std::max((wave_ == wave_kind::stop_first ? width_ : 0) + out_by_checks_, by_moves);
  if (!faults_ && !excused_ && available() + missing < floor)
    report_(1, name_ + ": without a fault only " + of(available(), "of ") + of(floor, "are available, ") +
                   of(missing, "may be missing"));
}

// -- events --------------------------------------------------------------------------------------------------------

void rollout_invariants::on(const event::deploy& ev, const transition&) {
  if (deleting_) {
    deleting_ = false;
    target_.reset();
    base_.reset();
    for (auto& r : replicas_) // what stops goes on stopping, but holds nothing back
      r.cause = stop_cause::removed;
    stopping_for_update_ = 0;
  }
  same_target_ = target_ != nullptr;
  excused_ |= !target_ || ev.spec.num_replicas > n_;
  n_ = ev.spec.num_replicas;
}

void rollout_invariants::on(const event::restore& ev, const transition&) {
  const auto& d = *ev.state;
  n_ = d.num_replicas;
  for (const auto& r : d.releases) {
    auto known = std::make_shared<deployment_state::release>();
    known->spec = r.spec;
    known->revision = r.revision;
    known->code_id = r.code_id;
    known->config_id = r.config_id;
    if (r.revision == d.base)
      base_ = known;
    // Of a first wave that was under way a part may start at once.
    if (r.revision == d.target)
      highest_code_ = d.of_target > 0 || d.first_wave_up ? d.next_code - 1 : r.code_id - 1;
  }
}

void rollout_invariants::on(const event::scale& ev, const transition&) {
  excused_ |= ev.num_replicas > n_;
  n_ = ev.num_replicas;
  if (n_ == 0) // nothing runs, the rollout is held
    wave_ = wave_kind::none;
}

void rollout_invariants::on(const event::remove&, const transition&) {
  deleting_ = true;
  wave_ = wave_kind::none;
}

void rollout_invariants::on(const event::reconfigured& ev, const transition&) {
  auto& r = at(ev.replica);
  if (r.id == ev.replica.id && r.now == reconfiguring_state && r.update_seq == ev.seq && ev.ok)
    move(r, available_state);
}

void rollout_invariants::on(const event::room& ev, const transition&) {
  if (ev.seq != room_seq_ || ev.serial <= room_serial_ || ev.granted.size() != shapes_.size())
    return;
  room_serial_ = ev.serial;
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    excused_ |= ev.granted[i] > shapes_[i].want; // `want` holds what is granted
    shapes_[i].want = ev.granted[i];
  }
}

// -- effects -------------------------------------------------------------------------------------------------------

void rollout_invariants::run(const effect::start& e) {
  auto& r = at(e.replica);
  if (r.now != none)
    report_(10, name_ + ": the place of replica " + std::to_string(r.id) + " was reused before its end");
  r = {.id = e.replica.id, .what = e.what, .of_this_rollout = true};
  move(r, starting_state);
  if (!same_release(e.what, target_) && !same_release(e.what, base_))
    report_(5, name_ + ": replica " + std::to_string(r.id) + " was started as R" + std::to_string(e.what->revision) +
                   ", which is neither the target nor the base");
  check_live();
  if (is_target(r) && fresh_code_ && base_ && base_->code_id != target_->code_id && !first_wave_over_) {
    const auto its = static_cast<std::uint32_t>(std::count_if(replicas_.begin(), replicas_.end(), [&](const auto& x) {
      return x.of_this_rollout && is_target(x) && x.now != none && x.now < stopping_state;
    }));
    if (its > first_width_)
      report_(11, name_ + ": " + of(its, "replicas of the target live before its first wave of ") +
                      of(first_width_, "is available"));
  }
  highest_code_ = std::max(highest_code_, e.what->code_id);
}

void rollout_invariants::run(const effect::route& e) {
  auto& r = at(e.replica);
  move(r, available_state);
  if (wave_ == wave_kind::stop_first && out_by_wave_ > 0)
    --out_by_wave_;
  else
    out_by_checks_ -= out_by_checks_ > 0 ? 1U : 0U;
  if (is_target(r) && r.of_this_rollout && ++became_available_ >= first_wave_ && first_wave_ > 0)
    first_wave_over_ = true;
}

void rollout_invariants::run(const effect::update& e) {
  auto& r = at(e.replica);
  move(r, reconfiguring_state);
  r.what = target_;
  r.update_seq = e.seq;
  const auto allowed = wave_ == wave_kind::reconfigure ? width_ : 0;
  if (count_[reconfiguring_state] > allowed)
    report_(6, name_ + ": " + of(count_[reconfiguring_state], "replicas reconfigure at once; W is ") + of(allowed, ""));
}

void rollout_invariants::run(const effect::stop& e) {
  auto& r = at(e.replica);
  const auto was = r.now;
  const bool outdated = !is_target(r);
  r.cause = e.cause;
  move(r, stopping_state);
  if (e.cause == stop_cause::wave && stopping_for_update_ > width_)
    report_(2, name_ + ": " + of(stopping_for_update_, "replicas stop for an update; W is ") + of(width_, ""));
  if (was != available_state && was != reconfiguring_state)
    return;
  switch (e.cause) {
  case stop_cause::wave:
    if (outdated && fresh_code_ && wave_ == wave_kind::start_first && ++taken_away_ > became_available_)
      report_(11, name_ + ": " + of(taken_away_, "outdated replicas were taken away, only ") +
                      of(became_available_, "of the target became available"));
    [[fallthrough]];
  case stop_cause::surplus: {
    const auto missing = wave_ == wave_kind::stop_first ? width_ : 0;
    if (available() + missing < reachable())
      report_(1, name_ + ": replica " + std::to_string(r.id) + " was taken away with " + of(available(), "left of ") +
                     of(reachable(), "of which ") + of(missing, "may be missing"));
    break;
  }
  case stop_cause::fault: {
    // No more were out than were missing: after a scale-down some are not missing any more. The wave's are not out.
    const auto there = available() + 1 + (wave_ == wave_kind::stop_first ? out_by_wave_ : 0);
    out_by_checks_ = std::min(out_by_checks_, reachable() - std::min(reachable(), there));
    if (was == available_state && ++out_by_checks_ > width_of(target_->spec.rollout.max_unavailable, n_))
      report_(1, name_ + ": checks took out " + of(out_by_checks_, "replicas at once"));
    break;
  }
  case stop_cause::removed:
    break;
  }
}

void rollout_invariants::run(const effect::abandon& e) { move(at(e.replica), given_up_state); }

void rollout_invariants::run(const effect::forget& e) {
  auto& r = at(e.replica);
  move(r, none);
  r = {};
}

void rollout_invariants::run(const effect::apply_options& e) {
  if (same_target_ && same_release(e.from, target_)) {
    if (same_release(base_, target_))
      base_ = e.from;
    target_ = e.from;
  } else {
    new_rollout(e.from);
  }
}

void rollout_invariants::run(const effect::claim& e) {
  room_seq_ = e.seq;
  room_serial_ = 0;
  auto next = e.shapes;
  for (auto& s : next) {
    const auto it = std::find_if(shapes_.begin(), shapes_.end(),
                                 [&](const auto& x) { return x.each == s.each && x.where == s.where; });
    s.want = std::min(s.want, it == shapes_.end() ? 0U : it->want);
  }
  shapes_ = std::move(next);
}

void rollout_invariants::run(const effect::notify& e) {
  if (e.kind == "wave_began") {
    begin_wave(e.text, 0);
  } else if (e.kind == "wave_ended") {
    first_wave_over_ |= wave_ == wave_kind::start_first || wave_ == wave_kind::stop_first;
    wave_ = wave_kind::none;
  } else if (e.kind == "rollout_failed") {
    excused_ |= wave_ == wave_kind::stop_first;
    wave_ = wave_kind::none;
  } else if (e.kind == "rollout_complete" || e.kind == "rolled_back") {
    base_ = target_;
  }
}

/// A wave is announced after what it begins with: looks ahead for the announcement.
void rollout_invariants::find_wave(const std::vector<deployment_state::any_effect>& effects, std::size_t i) {
  if (wave_ != wave_kind::none)
    return;
  const auto* stop = std::get_if<effect::stop>(&effects[i]);
  if (!std::holds_alternative<effect::update>(effects[i]) && !(stop && stop->cause == stop_cause::wave))
    return;
  for (auto j = i + 1; j < effects.size(); ++j)
    if (const auto* e = std::get_if<effect::notify>(&effects[j]); e && e->kind == "wave_began") {
      wave_noted_ = j;
      begin_wave(e->text, static_cast<std::uint32_t>(std::count_if(effects.begin() + static_cast<std::ptrdiff_t>(i),
                                                                   effects.begin() + static_cast<std::ptrdiff_t>(j),
                                                                   [](const auto& x) {
                                                                     const auto* s = std::get_if<effect::stop>(&x);
                                                                     return s && s->cause == stop_cause::wave;
                                                                   })));
      return;
    }
}

// -- counting ------------------------------------------------------------------------------------------------------

void rollout_invariants::new_rollout(const release_ptr& r) {
  excused_ |= wave_ == wave_kind::stop_first;
  wave_ = wave_kind::none;
  target_ = r;
  fresh_code_ = r->code_id > highest_code_;
  first_wave_ = first_width_ = became_available_ = taken_away_ = 0;
  first_wave_over_ = false;
  for (auto& x : replicas_)
    x.of_this_rollout = false;
}

/// The text is "wave 3: starts 2", or replaces, or reconfigures.
void rollout_invariants::begin_wave(const std::string& text, std::uint32_t stops) {
  const auto verb = text.find(": ") + 2;
  const auto& knobs = target_->spec.rollout;
  if (text.compare(verb, 6, "starts") == 0) {
    wave_ = wave_kind::start_first;
    width_ = width_of(knobs.max_surge, n_);
  } else if (text.compare(verb, 8, "replaces") == 0) {
    wave_ = wave_kind::stop_first;
    width_ = width_of(knobs.max_unavailable, n_);
  } else {
    wave_ = wave_kind::reconfigure;
    width_ = width_of(knobs.has_reconfigure_wave ? knobs.reconfigure_wave : knobs.max_unavailable, n_);
  }
  const auto size = static_cast<std::uint32_t>(std::strtoul(text.c_str() + text.rfind(' '), nullptr, 10));
  if (wave_ == wave_kind::stop_first) { // beside those it stops it fills slots that are empty, also by checks
    out_by_wave_ = size;
    out_by_checks_ -= std::min(out_by_checks_, size - std::min(size, stops));
  }
  if (size > width_ || size == 0)
    report_(2, name_ + ": a wave of " + of(size, "began; W is ") + of(width_, ""));
  if (count_[stopping_state] > 0 && stopping_for_update_ > 0)
    report_(2, name_ + ": a wave began while " + of(stopping_for_update_, "still stop for the last one"));
  if (wave_ != wave_kind::reconfigure && !first_wave_over_) { // also a later one, where N = 0 ended the first
    first_wave_ = size;
    first_width_ = width_;
  }
}

void rollout_invariants::check_live() {
  if (deleting_)
    return;
  const auto allowed = n_ + (wave_ == wave_kind::start_first ? width_ : 0);
  if (live() > allowed)
    report_(2, name_ + ": " + of(live(), "replicas start or run; allowed are ") + of(allowed, ""));
}

rollout_invariants::replica& rollout_invariants::at(const replica_ref& ref) {
  if (replicas_.size() <= ref.slot)
    replicas_.resize(ref.slot + 1);
  return replicas_[ref.slot];
}

void rollout_invariants::move(replica& r, state to) {
  const bool for_update = r.cause == stop_cause::wave;
  --count_[r.now];
  stopping_for_update_ -= r.now == stopping_state && for_update ? 1U : 0U;
  r.now = to;
  ++count_[to];
  stopping_for_update_ += to == stopping_state && for_update ? 1U : 0U;
}

/// N, or what there is room for. Empty slots of a release that asks for nothing are filled whatever there is.
std::uint32_t rollout_invariants::reachable() const {
  const auto& filled = base_ && !first_wave_over_ ? base_ : target_;
  if (!room_limited_ && (room_seq_ == 0 || (filled && filled->spec.per_replica.empty())))
    return n_;
  std::uint32_t sum = 0;
  for (const auto& s : shapes_)
    sum += room_limited_ || !s.each.empty() ? s.want : 0U;
  if (!room_limited_)
    for (const auto& r : replicas_)
      sum += r.now != none && r.now < stopping_state && r.what->spec.per_replica.empty() ? 1U : 0U;
  return std::min(n_, sum);
}

resources rollout_invariants::held() const {
  resources sum;
  for (const auto& r : replicas_)
    if (r.now != none && r.now != given_up_state)
      add(sum, r.what->spec.per_replica);
  return sum;
}

std::vector<std::uint64_t> rollout_invariants::serving() const {
  std::vector<std::uint64_t> ids;
  for (const auto& r : replicas_)
    if (r.now == available_state || r.now == reconfiguring_state)
      ids.push_back(r.id);
  return ids;
}

release_ptr rollout_invariants::release_of(std::uint64_t replica_id) const {
  const auto it = std::find_if(replicas_.begin(), replicas_.end(), [&](const auto& r) { return r.id == replica_id; });
  return it == replicas_.end() ? nullptr : it->what;
}

} // namespace troupe::testing
