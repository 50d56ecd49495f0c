// A world for the pure machine: virtual time, replicas that obey its effects, faults, and the invariants of SPEC 7.
//
// What is checked is computed from effects that the world saw and facts that it told, never from the machine's inside.
#pragma once

#include <troupe/actors/controller/placement.hpp>
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::deployment_state::test {

using namespace std::chrono_literals;

/// splitmix64: small, seeded, the same everywhere.
class random_source {
public:
  explicit random_source(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// 0 .. n-1.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(next() % n); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }

private:
  std::uint64_t state_;
};

/// How one piece of user code turns out.
struct outcome {
  instant after = 10ms;
  bool ok = true;
  bool never = false; ///< No answer at all, until it is abandoned (and then it ends `after`, if `ends`).
  bool ends = true;   ///< An abandoned one ends at some time.
  std::string message = "boom";
};

/// A replica as the world knows it.
struct puppet {
  replica_ref ref;
  release_ptr what;
  json_doc config, next_config;
  std::uint32_t update_seq = 0, check_seq = 0;
  instant routed_at{0};
  bool routed = false, stop_asked = false, abandoned = false, ended = false;
  bool reconfiguring = false;
  bool faulty = false; ///< Failed checks, stuck or a thrown reconfigure: taking it out is no step of the machine's own.
  bool for_wave = false; ///< Stops on a wave's account.
  bool superseded = false;
  bool counted = false; ///< Started since the target was accepted.
  std::uint32_t failed_checks = 0;
  std::string node;

  bool live() const { return !stop_asked && !abandoned && !ended; }
  bool available() const { return live() && routed; }
  bool starting() const { return live() && !routed; }
  bool stopping() const { return stop_asked && !abandoned && !ended; }
};

class world {
public:
  using behaviour = std::function<outcome(const puppet&)>;

  explicit world(std::uint64_t seed = 1, limits l = {}) : dice(seed), machine_({"default", "d"}, l), limits_(l) {}

  random_source dice;
  behaviour on_start = [](const puppet& p) { // in the order of their ids
    return outcome{.after = 10ms + std::chrono::microseconds{p.ref.id}};
  };
  behaviour on_update = [](const puppet&) { return outcome{}; };
  behaviour on_check = [](const puppet&) { return outcome{.after = 1ms}; };
  behaviour on_stop = [](const puppet&) { return outcome{}; };
  std::uint32_t max_replicas = 1'000'000; ///< What the keeper of room has, where the machine is limited.
  resources local;                        ///< What it has of resources.
  std::uint32_t copy_percent = 0;         ///< Facts that are told again later.
  bool in_handler = false;                ///< What a probe finds.
  bool can_reconfigure = true, can_check = false;

  // -- commands --
  command_result deploy(const deployment_spec& s) {
    desired_n_ = s.num_replicas;
    return command(event::deploy{s, {}, can_reconfigure, can_check});
  }
  command_result scale(std::uint32_t n) {
    desired_n_ = n;
    return command(event::scale{n});
  }
  command_result control(rollout_action a, std::uint64_t revision = 0) { return command(event::control{a, revision}); }
  void remove() { command(event::remove{}); }
  /// What another machine has stored; the invariants of running on are not meant for it.
  command_result restore(stored_deployment what, bool others_follow = false) {
    desired_n_ = what.num_replicas;
    return command(event::restore{std::make_shared<const stored_deployment>(std::move(what)), others_follow});
  }
  std::optional<stored_deployment> stored; ///< The last snapshot.
  error refused;

  // -- faults --
  void kill(const replica_ref& r, const std::string& why = "killed") {
    post(now_, event::stopped{r, stop_reason::killed, why});
  }
  void place(const replica_ref& r, const std::string& node) { post(now_, event::placed{r, node}); }
  void evacuate(const std::string& node, bool on = true, bool open = true) {
    post(now_, event::evacuate{node, on, open});
  }
  void report_stuck(const replica_ref& r) { post(now_, event::stuck{r, 300s}); }
  void grow_room(std::uint32_t max) {
    max_replicas = max;
    renew_keeper();
  }
  void grow_room(const resources& has) {
    local = has;
    renew_keeper();
  }
  /// Another deployment holds `n` that ask for `each` (0 = no longer).
  void others_hold(const resources& each, std::uint32_t n) {
    hand_on(keeper().claim({{"default", "other"}, ++others_seq_, {{each, n}}, 0}));
  }
  std::uint32_t others_have() { return keeper().granted({"default", "other"}); }
  event::room last_room; ///< That the machine has been told.
  std::string spare_on;  ///< The node that `spare` is said to be on.
  /// Hands the event to the machine at once, whatever the queue holds.
  transition inject(const any_event& ev);

  // -- time --
  bool step(); ///< The next event; false when there is none.
  void run_for(instant d) { run_until(now_ + d); }
  void run_until(instant t) {
    while (!queue_.empty() && queue_.begin()->first.first <= t)
      step();
    now_ = std::max(now_, t);
  }
  /// Until nothing but checks has happened for `quiet`; false after `limit` events.
  bool rest(instant quiet = 40s, std::uint64_t limit = 20'000);
  instant now() const { return now_; }

  // -- what is seen --
  std::uint32_t count(bool (puppet::*which)() const, const std::string& label = "") const;
  std::uint32_t available(const std::string& label = "") const { return count(&puppet::available, label); }
  std::uint32_t starting(const std::string& label = "") const { return count(&puppet::starting, label); }
  std::uint32_t live(const std::string& label = "") const { return count(&puppet::live, label); }
  std::uint32_t with_config(const json& config) const;
  std::vector<replica_ref> refs(bool (puppet::*which)() const, const std::string& label = "") const;
  const puppet& at(const replica_ref& r) const { return puppets_.at(r.id); }
  const std::map<std::uint64_t, puppet>& puppets() const { return puppets_; }
  deployment_status status(bool with_replicas = false) const { return machine_.status(now_, with_replicas); }
  deployment_state_name state() const { return status().state; }
  rollout_phase phase() const { return status().rollout.phase; }
  const machine& subject() const { return machine_; }

  std::vector<std::string> broken; ///< Invariants that did not hold, with the moment.
  std::vector<std::string> trace;  ///< When `tracing`.
  bool tracing = false;
  std::vector<std::uint32_t> waves; ///< Sizes of the waves that began.
  std::uint32_t min_available = 0, max_live = 0, max_reconfiguring = 0;
  std::uint32_t started = 0, updated = 0, stopped = 0, checks = 0; ///< Effects so far.
  std::uint64_t significant = 0;                                   ///< Effects that are not checks or timers.
  std::uint64_t events = 0;
  bool removed = false, unavailable = false;
  std::optional<instant> timer_at; ///< Of the timer armed last.
  void reset_extremes() {
    min_available = available();
    max_live = live();
    max_reconfiguring = 0;
    waves.clear();
    started = updated = stopped = checks = 0;
  }
  /// What SPEC 7.4 and 7.10 ask at rest; adds to `broken`.
  void check_at_rest();

private:
  enum class kind { none, start_first, stop_first, reconfigure };

  command_result command(const any_event& ev) {
    in_command_ = true;
    const auto t = inject(ev);
    in_command_ = false;
    refused = t.refused;
    return t.result;
  }
  void post(instant at, any_event ev) { queue_.emplace(std::pair{at, dice.next()}, std::move(ev)); }
  void tell(instant at, const any_event& ev) {
    post(at, ev);
    if (copy_percent > 0 && dice.chance(copy_percent))
      post(at + std::chrono::milliseconds{dice.below(3000)}, ev);
  }
  puppet* find(const replica_ref& r);
  // Updates puppets by a fact that is about to be told; false: it is too late to tell it.
  template <class Event>
  bool witness(const Event&) {
    return true; // a command or a timer
  }
  bool witness(const event::started& e);
  bool witness(const event::reconfigured& e);
  bool witness(const event::checked& e);
  bool witness(const event::probed& e);
  bool witness(const event::stopped& e);
  bool witness(const event::stuck& e);
  bool witness(const event::placed& e);
  bool witness(const event::evacuate& e);
  bool witness(const event::room& e);
  void obey(const effect::start& e);
  void obey(const effect::route& e);
  void obey(const effect::update& e);
  void obey(const effect::check& e);
  void obey(const effect::probe& e);
  void obey(const effect::stop& e);
  void obey(const effect::abandon& e);
  void obey(const effect::forget& e);
  void obey(const effect::apply_options& e);
  void obey(const effect::serve& e);
  void obey(const effect::claim& e);
  void obey(const effect::arm_timer& e);
  void obey(const effect::notify& e);
  void obey(const effect::removed& e);
  void obey(const effect::persist& e) { stored = *e.what; }
  void say(const std::string& line) {
    if (tracing)
      trace.push_back(std::to_string(now_ / 1ms) + " " + line);
  }
  void new_target(const release_ptr& r);
  void answer_claim();
  void check_step(std::uint32_t available_before);
  void fail(const std::string& what) {
    broken.push_back(what + " at " + std::to_string(now_ / 1ms) + " ms");
    if (tracing)
      trace.push_back("BROKEN: " + broken.back());
  }
  std::uint32_t room() const;
  resources held() const; ///< By all that live or stop.
  controller::placement& keeper();
  void renew_keeper();
  void hand_on(const std::vector<controller::grant>& grants);
  static std::uint32_t share_of(const replica_share& s, std::uint32_t n) {
    std::uint32_t k = s.value;
    if (s.is_percent)
      for (k = 0; (k + 1) * 100 <= n * s.value;) // counted, not divided
        ++k;
    return std::min(n, std::max(k, 1U));
  }

  machine machine_;
  limits limits_;
  instant now_{0};
  std::multimap<std::pair<instant, std::uint64_t>, any_event> queue_;
  std::map<std::uint64_t, puppet> puppets_; ///< Ended ones leave.

  bool in_command_ = false;
  std::uint32_t desired_n_ = 0, n_ = 0;
  std::uint64_t claim_seq_ = 0;
  std::uint64_t keepers_ = 0;
  std::uint32_t reserve_ = 0;
  std::vector<shape_claim> claimed_, granted_; ///< In the same order; `want` of the second is what is granted.
  std::optional<controller::placement> keeper_;
  std::uint64_t others_seq_ = 0;
  release_ptr target_, base_;
  bool deleting_ = false;
  kind wave_ = kind::none;
  std::uint32_t wave_size_ = 0, wave_limit_ = 0; ///< What it replaces, and W.
  // Of the step under way.
  kind step_wave_ = kind::none;
  std::uint32_t step_wave_size_ = 0, step_wave_limit_ = 0;
  bool took_available_ = false, rolling_noted_ = false;
  std::uint32_t faulty_taken_ = 0;
  std::vector<release_ptr> step_starts_;
  release_ptr base_before_;
  // Since the target was accepted.
  bool clean_start_ = false; ///< It was accepted with nothing else under way: the strict form of 11 holds.
  bool first_wave_done_ = false;
  std::uint32_t kept_ = 0; ///< Of the target, live when it was accepted: replaced by it when they die.
  std::uint32_t first_wave_size_ = 0, became_available_ = 0, outdated_taken_ = 0;
  std::set<std::string> evacuated_;
};

} // namespace troupe::deployment_state::test
