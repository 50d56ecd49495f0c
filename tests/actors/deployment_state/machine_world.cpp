// How the world of the machine's tests runs: tells facts, obeys effects.
// long file: one world, of which each event and effect is a function
#include "machine_world.hpp"

namespace troupe::deployment_state::test {

bool world::step() {
  if (queue_.empty())
    return false;
  const auto it = queue_.begin();
  now_ = std::max(now_, it->first.first);
  const auto ev = it->second;
  queue_.erase(it);
  inject(ev);
  return true;
}

bool world::rest(instant quiet, std::uint64_t limit) {
  auto seen = significant;
  auto since = now_;
  for (std::uint64_t i = 0; i < limit; ++i) {
    if (queue_.empty() || queue_.begin()->first.first > since + quiet) {
      now_ = std::max(now_, since + quiet);
      return true;
    }
    step();
    if (significant != seen) {
      seen = significant;
      since = now_;
    }
  }
  return false;
}

transition world::inject(const any_event& ev) {
  transition t;
  if (!std::visit([this](const auto& e) { return witness(e); }, ev))
    return t;
  ++events;
  const auto before = available();
  base_before_ = base_;
  took_available_ = rolling_noted_ = false;
  faulty_taken_ = 0;
  step_starts_.clear();
  step_wave_ = wave_;
  step_wave_size_ = wave_size_;
  step_wave_limit_ = wave_limit_;
  t = machine_.step({now_, dice.next()}, ev);
  if (t.refused.code == errc::none) {
    if (std::holds_alternative<event::remove>(ev))
      deleting_ = true;
    if (in_command_ && (std::holds_alternative<event::deploy>(ev) || std::holds_alternative<event::scale>(ev))) {
      if (deleting_) { // all anew
        deleting_ = false;
        target_.reset();
        base_.reset();
      }
      if (n_ != desired_n_)
        clean_start_ = false;
      n_ = desired_n_;
      if (n_ == 0)
        wave_ = kind::none;
    }
  } else {
    desired_n_ = n_;
    if (!t.effects.empty())
      fail("a refused command has effects");
  }
  for (const auto& any : t.effects) {
    if (!std::holds_alternative<effect::check>(any) && !std::holds_alternative<effect::arm_timer>(any) &&
        !std::holds_alternative<effect::probe>(any))
      ++significant;
    std::visit([this](const auto& e) { obey(e); }, any);
  }
  check_step(before);
  return t;
}

puppet* world::find(const replica_ref& r) {
  const auto it = puppets_.find(r.id);
  return it == puppets_.end() ? nullptr : &it->second;
}

bool world::witness(const event::stopped& e) {
  auto* p = find(e.replica);
  if (p == nullptr)
    return copy_percent > 0; // told twice: the machine must cope
  say("stopped " + std::to_string(e.replica.id) + " " + e.message);
  p->ended = true;
  puppets_.erase(p->ref.id);
  return true;
}

bool world::witness(const event::started& e) { return copy_percent > 0 || find(e.replica) != nullptr; }

bool world::witness(const event::reconfigured& e) {
  auto* p = find(e.replica);
  if (p == nullptr)
    return copy_percent > 0;
  if (p->reconfiguring && p->update_seq == e.seq && p->live()) {
    p->reconfiguring = false;
    if (e.ok)
      p->config = p->next_config;
    else
      p->faulty = true;
    say("reconfigured " + std::to_string(e.replica.id) + (e.ok ? "" : " threw"));
  }
  return true;
}

bool world::witness(const event::checked& e) {
  auto* p = find(e.replica);
  if (p == nullptr)
    return copy_percent > 0;
  if (e.seq == p->check_seq) {
    p->check_seq = 0; // it counts once
    p->failed_checks = e.ok ? 0 : p->failed_checks + 1;
    p->faulty = p->faulty || p->failed_checks >= 3;
  }
  return true;
}

bool world::witness(const event::probed& e) {
  auto* p = find(e.replica);
  if (p == nullptr)
    return copy_percent > 0;
  if (!e.in_handler && e.seq == p->check_seq && !p->reconfiguring) {
    p->check_seq = 0;
    p->faulty = p->faulty || ++p->failed_checks >= 3;
  }
  return true;
}

bool world::witness(const event::stuck& e) {
  auto* p = find(e.replica);
  if (p == nullptr)
    return copy_percent > 0;
  p->faulty = true;
  return true;
}

bool world::witness(const event::placed& e) {
  if (auto* p = find(e.replica))
    p->node = e.node;
  return true;
}

bool world::witness(const event::evacuate& e) {
  if (e.on)
    evacuated_.insert(e.node);
  else
    evacuated_.erase(e.node);
  for (auto& [id, p] : puppets_)
    p.faulty = p.faulty || (e.on && p.node == e.node);
  return true;
}

bool world::witness(const event::room& e) {
  last_room = e;
  say("room " + std::to_string(e.seq) + " spare " + to_string(e.spare));
  if (e.seq == claim_seq_ && e.granted.size() == granted_.size())
    for (std::size_t i = 0; i < granted_.size(); ++i)
      granted_[i].want = std::max(granted_[i].want, e.granted[i]);
  return true;
}

// -- obeying --

void world::obey(const effect::route& e) {
  auto& p = puppets_.at(e.replica.id);
  if (!p.live() || p.routed)
    fail("routes a replica that is not starting");
  p.routed = true;
  p.routed_at = now_;
  p.faulty = p.faulty || evacuated_.count(p.node) > 0;
  became_available_ += p.counted ? 1 : 0;
  say("route " + std::to_string(p.ref.id));
}

void world::obey(const effect::update& e) {
  auto& p = puppets_.at(e.replica.id);
  ++updated;
  if (!p.available() || p.reconfiguring || e.seq <= p.update_seq)
    fail("updates a replica that is not available, or twice");
  if (p.what->code_id != target_->code_id)
    fail("6: an outdated replica gets a config");
  p.reconfiguring = true;
  p.update_seq = e.seq;
  p.next_config = e.user_config;
  say("update " + std::to_string(p.ref.id) + " " + e.user_config.dump());
  if (const auto o = on_update(p); !o.never)
    tell(now_ + o.after, event::reconfigured{p.ref, e.seq, o.ok, o.ok ? "" : o.message});
}

void world::obey(const effect::check& e) {
  auto& p = puppets_.at(e.replica.id);
  ++checks;
  p.check_seq = e.seq;
  if (const auto o = on_check(p); !o.never)
    tell(now_ + o.after, event::checked{p.ref, e.seq, o.ok, o.ok ? "" : o.message});
}

void world::obey(const effect::probe& e) { post(now_ + 1ms, event::probed{e.replica, e.seq, in_handler}); }

void world::obey(const effect::abandon& e) {
  auto& p = puppets_.at(e.replica.id);
  if (p.abandoned)
    fail("abandons twice");
  took_available_ = took_available_ || (p.available() && !p.faulty && !p.reconfiguring);
  p.abandoned = true;
  say("abandon " + std::to_string(p.ref.id));
  if (const auto o = on_stop(p); o.ends)
    tell(now_ + o.after, event::stopped{p.ref, stop_reason::killed, ""});
}

void world::obey(const effect::forget& e) {
  if (puppets_.count(e.replica.id) != 0)
    fail("forgets a replica that has not ended");
}

void world::obey(const effect::apply_options& e) {
  if (!target_ || rolling_noted_ || e.from->code_id != target_->code_id || e.from->config_id != target_->config_id)
    new_target(e.from);
  else if (base_ && base_->code_id == e.from->code_id && base_->config_id == e.from->config_id)
    base_ = e.from;
  target_ = e.from;
}

void world::obey(const effect::serve& e) { unavailable = e.unavailable; }

void world::obey(const effect::claim& e) {
  claim_seq_ = e.seq;
  claimed_ = e.shapes;
  reserve_ = e.reserve;
  for (const auto& x : e.shapes)
    say("claim " + std::to_string(x.want) + " of " + to_string(x.each));
  auto next = e.shapes;
  for (auto& s : next) {
    const auto it = std::find_if(granted_.begin(), granted_.end(),
                                 [&](const auto& x) { return x.each == s.each && x.where == s.where; });
    s.want = std::min(s.want, it == granted_.end() ? 0U : it->want);
  }
  granted_ = std::move(next);
  answer_claim();
}

void world::obey(const effect::arm_timer& e) {
  if (e.at < now_)
    fail("arms a timer in the past");
  timer_at = e.at;
  post(std::max(now_, e.at), event::timer{e.epoch});
}

void world::obey(const effect::removed&) { removed = true; }

void world::obey(const effect::start& e) {
  ++started;
  removed = false;
  step_starts_.push_back(e.what);
  auto& p = puppets_[e.replica.id];
  p = puppet{};
  p.ref = e.replica;
  p.what = e.what;
  p.config = e.what->spec.user_config;
  p.counted = target_ && e.what->code_id == target_->code_id && !(base_ && base_->code_id == target_->code_id);
  say("start " + std::to_string(p.ref.id) + " " + e.what->label() + " " + p.config.dump());
  const auto o = on_start(p);
  if (o.never)
    return;
  if (o.ok)
    tell(now_ + o.after, event::started{p.ref});
  else
    tell(now_ + o.after, event::stopped{p.ref, stop_reason::start_failed, o.message});
}

void world::obey(const effect::stop& e) {
  auto& p = puppets_.at(e.replica.id);
  ++stopped;
  if (!p.live())
    fail("stops a replica twice");
  if (p.available() && !p.faulty) {
    took_available_ = true;
    if (target_ && p.what->code_id != target_->code_id)
      ++outdated_taken_;
  }
  faulty_taken_ += p.available() && p.faulty ? 1 : 0;
  p.stop_asked = true;
  p.reconfiguring = false;
  p.for_wave = e.cause == stop_cause::wave;
  say("stop " + std::to_string(p.ref.id) + " cause " + std::to_string(static_cast<int>(e.cause)));
  if (const auto o = on_stop(p); !o.never)
    tell(now_ + o.after, event::stopped{p.ref, stop_reason::asked, ""});
}

void world::obey(const effect::notify& e) {
  say("# " + e.kind + ": " + e.text);
  rolling_noted_ = rolling_noted_ || e.kind == "rollout_rolling";
  if (e.kind == "wave_began") {
    const auto has = [&](const char* word) { return e.text.find(word) != std::string::npos; };
    wave_ = has("starts") ? kind::start_first : has("replaces") ? kind::stop_first : kind::reconfigure;
    wave_size_ = static_cast<std::uint32_t>(std::stoul(e.text.substr(e.text.rfind(' '))));
    waves.push_back(wave_size_);
    const auto& knobs = target_->spec.rollout;
    const auto allowed = share_of(wave_ == kind::start_first  ? knobs.max_surge
                                  : wave_ == kind::stop_first ? knobs.max_unavailable
                                                              : knobs.reconfigure_share(),
                                  n_);
    if (wave_size_ > allowed || wave_size_ == 0)
      fail("a wave of " + std::to_string(wave_size_) + ", allowed " + std::to_string(allowed));
    if (step_wave_ == kind::none || wave_ == kind::stop_first || wave_ == kind::start_first) {
      step_wave_ = wave_;
      step_wave_size_ = wave_size_;
      step_wave_limit_ = allowed;
    }
    wave_limit_ = allowed;
    clean_start_ = clean_start_ && wave_ == kind::start_first;
    if (!first_wave_done_ && wave_ != kind::reconfigure)
      first_wave_size_ = std::max(first_wave_size_, wave_size_);
    for (const auto& [id, p] : puppets_)
      if (p.stopping() && p.for_wave && !p.superseded && wave_ != kind::stop_first)
        fail("2: a wave begins while another one's replicas stop");
  } else if (e.kind == "wave_ended") {
    first_wave_done_ = first_wave_done_ || wave_ != kind::reconfigure || (base_ && base_->code_id == target_->code_id);
    wave_ = kind::none;
  } else if (e.kind == "rollout_failed" || e.kind == "rollout_complete" || e.kind == "rolled_back") {
    wave_ = kind::none;
    if (e.kind == "rollout_failed")
      for (auto& [id, p] : puppets_)
        p.superseded = true;
    if (e.kind != "rollout_failed") {
      base_ = target_;
      for (const auto& [id, p] : puppets_)
        if (p.live() &&
            (!p.available() || p.what->code_id != target_->code_id || !(p.config == target_->spec.user_config)))
          fail("a rollout ends that is not whole");
      if (live() < room())
        fail("a rollout ends with too few replicas");
    }
  }
}

void world::new_target(const release_ptr& r) {
  clean_start_ = base_ && target_ && base_->code_id == target_->code_id && wave_ == kind::none &&
                 live() == available() && live() == n_ && n_ == desired_n_ && r->code_id != base_->code_id;
  wave_ = kind::none;
  first_wave_done_ = false;
  first_wave_size_ = became_available_ = outdated_taken_ = kept_ = 0;
  for (auto& [id, p] : puppets_) {
    p.superseded = true;
    p.counted = false;
    kept_ += p.live() && p.what->code_id == r->code_id ? 1 : 0;
    if (p.available() && p.what->code_id != r->code_id && base_ && p.what->code_id != base_->code_id)
      clean_start_ = false;
  }
  say("target " + r->label() + " R" + std::to_string(r->revision));
}

controller::placement& world::keeper() {
  if (!keeper_)
    keeper_.emplace(limits_.room_limited ? max_replicas : 0, local);
  return *keeper_;
}

// One with other capacities, in which everybody holds what they held.
void world::renew_keeper() {
  keeper_.reset();
  ++keepers_; // its answers are newer than those of the one before
  keeper().claim({{"default", "d"}, 0, granted_, 0});
  answer_claim();
}

void world::answer_claim() { hand_on(keeper().claim({{"default", "d"}, claim_seq_, claimed_, reserve_})); }

void world::hand_on(const std::vector<controller::grant>& grants) {
  for (const auto& g : grants)
    if (g.to.name == "d")
      tell(now_ + std::chrono::milliseconds{dice.below(5)},
           event::room{g.what.seq, keepers_ * 1'000'000 + g.what.serial, g.what.granted, g.what.spare, g.what.lacks,
                       g.what.nodes, spare_on});
}

std::uint32_t world::room() const {
  const auto& filled = base_ && !first_wave_done_ ? base_ : target_;
  if (!limits_.room_limited && (claim_seq_ == 0 || (filled && filled->spec.per_replica.empty())))
    return n_;
  std::uint32_t sum = 0;
  for (const auto& s : granted_)
    sum += limits_.room_limited || !s.each.empty() ? s.want : 0U;
  for (const auto& [id, p] : puppets_)
    sum += !limits_.room_limited && p.live() && p.what->spec.per_replica.empty() ? 1U : 0U;
  return std::min(n_, sum);
}

// -- seeing --

std::uint32_t world::count(bool (puppet::*which)() const, const std::string& label) const {
  std::uint32_t n = 0;
  for (const auto& [id, p] : puppets_)
    n += (p.*which)() && (label.empty() || p.what->label() == label) ? 1 : 0;
  return n;
}

std::uint32_t world::with_config(const json& config) const {
  std::uint32_t n = 0;
  for (const auto& [id, p] : puppets_)
    n += p.available() && p.config.get() == config ? 1 : 0;
  return n;
}

std::vector<replica_ref> world::refs(bool (puppet::*which)() const, const std::string& label) const {
  std::vector<replica_ref> all;
  for (const auto& [id, p] : puppets_)
    if ((p.*which)() && (label.empty() || p.what->label() == label))
      all.push_back(p.ref);
  return all;
}

} // namespace troupe::deployment_state::test
