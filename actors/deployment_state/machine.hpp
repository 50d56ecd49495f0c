// Decides everything that happens to one deployment: which replicas start, reconfigure, drain and stop, and when.
// long file: events, effects and state of the machine are its whole vocabulary; the decisions are in the .cpp files
//
//                    deploy, rollback, restart, abort, automatic rollback: a new target (1)
//                                              |
//             (4) resume, promote              v            (3) bake over, promote
//   +--------+ -------------------------> +---------+ <-------------------------- +--------+
//   | paused |                            | rolling |                             | baking |
//   +--------+ <------------------------- +---------+ --------------------------> +--------+
//       |      (5) pause, canary reached    |     |       (2) a wave has ended, bake > 0
//       |                                   |     |
//       |  (6) a slot failed too often,     |     |  (7) all replicas match the target, nothing stops for it
//       |      no progress in time          v     v
//       |                             +--------+ +----------+
//       +---------------------------> | failed | | complete |   the target becomes the base
//                                     +--------+ +----------+
// (1) ends the running wave; replicas that match the new target are kept. (6) with a base and auto_rollback the base
// becomes the target again, which is (1) with `rolling_back`. A failed first deployment that becomes whole late is (7).
//
// Within `rolling` one wave at a time: start_first (start W, then drain as many outdated ones as became available),
// stop_first (drain W, start as many) or reconfigure (W in place). docs/rollout.md has the rules with worked numbers.
//
// Level-triggered: an event changes counts, then `reconcile` does whatever the counts ask for, step by step. No step
// looks at more than the few cohorts; none scans the replicas. Pure: time and chance come in with the event.
#pragma once

#include <troupe/actors/deployment_state/release.hpp>
#include <troupe/actors/deployment_state/replica_table.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::deployment_state {

namespace event {
struct deploy {
  deployment_spec spec; ///< Validated.
  code_ref user_code;
  bool can_reconfigure = false;
  bool can_check = false;
};
struct scale {
  std::uint32_t num_replicas = 0;
};
struct remove {};
struct control {
  rollout_action action = rollout_action::pause;
  std::uint64_t revision = 0;
  code_ref user_code{}; ///< For rollback and restart: loaded anew; empty = as it is loaded.
};
/// The first event of a machine that takes up what a stored snapshot left.
struct restore {
  std::shared_ptr<const stored_deployment> state;
  bool others_follow = false; ///< No more room than was held is claimed until `restored_all`.
};
struct restored_all {};
struct started {
  replica_ref replica;
};
struct reconfigured {
  replica_ref replica;
  std::uint32_t seq = 0;
  bool ok = true;
  std::string message;
};
struct checked {
  replica_ref replica;
  std::uint32_t seq = 0;
  bool ok = true;
  std::string message;
};
/// Answer to `effect::probe`: what the replica's thread does at the deadline of its check.
struct probed {
  replica_ref replica;
  std::uint32_t seq = 0;
  bool in_handler = false; ///< A handler runs: the check's clock has not been running.
};
struct stopped {
  replica_ref replica;
  stop_reason reason = stop_reason::asked;
  std::string message;
};
struct stuck {
  replica_ref replica;
  milliseconds running{0};
};
/// It has a place on a node. Without this word it is on this machine.
struct placed {
  replica_ref replica;
  std::string node;
};
/// What is on this node, or becomes available there, is replaced, at most `max_unavailable` at a time. Off: no longer.
struct evacuate {
  std::string node;
  bool on = true;
  bool open = true; ///< Where it is off: new replicas may come there.
};
struct room {
  std::uint64_t seq = 0;
  std::uint64_t serial = 0;           ///< Of the answers to this claim.
  std::vector<std::uint32_t> granted; ///< By shape, in the claim's order.
  resources spare{};                  ///< What the next replica could have of.
  room_shortage lacks{};
  std::string nodes{};                     ///< Why nodes don't fit; empty on one machine.
  std::string spare_on{};                  ///< The node that `spare` is on; empty on one machine.
  std::vector<std::uint32_t> idle_there{}; ///< By shape: granted there, and held by no replica.
  std::uint32_t must_leave = 0;            ///< Of other shapes, for the bound per node there.
};
/// The timer armed last has fired; an older epoch is ignored.
struct timer {
  std::uint64_t epoch = 0;
};
} // namespace event

using any_event =
    std::variant<event::deploy, event::scale, event::remove, event::control, event::started, event::reconfigured,
                 event::checked, event::probed, event::stopped, event::stuck, event::room, event::timer, event::restore,
                 event::restored_all, event::placed, event::evacuate>;

namespace effect {
/// Spawn a replica of `what`.
struct start {
  replica_ref replica;
  release_ptr what;
};
/// It is available: routers may choose it.
struct route {
  replica_ref replica;
};
struct update {
  replica_ref replica;
  std::uint32_t seq = 0;
  json_doc user_config;
};
struct check {
  replica_ref replica;
  std::uint32_t seq = 0;
};
/// Ask what runs on the replica's thread now; answered by `event::probed`.
struct probe {
  replica_ref replica;
  std::uint32_t seq = 0;
};
/// Routers leave it; what it has not begun goes elsewhere; it ends what it has begun, then stops.
struct stop {
  replica_ref replica;
  stop_cause cause = stop_cause::wave;
};
/// Past its deadline: what it had begun gets its outcome now; kill it. It may live on while its code runs.
struct abandon {
  replica_ref replica;
};
/// It has ended: forget it.
struct forget {
  replica_ref replica;
};
/// The light options of this release hold from now on.
struct apply_options {
  release_ptr from;
};
/// Requests fail at once (`unavailable`, with `why`), or wait and are served again.
struct serve {
  bool unavailable = false;
  std::string why;
};
struct claim {
  std::uint64_t seq = 0;
  std::vector<shape_claim> shapes; ///< The target's first.
  std::uint32_t reserve = 0;       ///< Of the target: what a wave gives back is kept for so many.
};
struct arm_timer {
  instant at{0};
  std::uint64_t epoch = 0;
};
/// For people and hooks: something worth an event. `kind` is a stable word.
struct notify {
  std::string kind;
  std::string text;
};
/// Nothing is left of a deleted deployment.
struct removed {};
/// What has to outlive the process has changed. Commands are acknowledged when it is stored.
struct persist {
  std::shared_ptr<stored_deployment> what; ///< Apart, as it is large: effects come by the hundred thousand.
};
} // namespace effect

using any_effect = std::variant<effect::start, effect::route, effect::update, effect::check, effect::probe,
                                effect::stop, effect::abandon, effect::forget, effect::apply_options, effect::serve,
                                effect::claim, effect::arm_timer, effect::notify, effect::removed, effect::persist>;

/// The moment of an event: the clock, and 64 random bits for jitter.
struct moment {
  instant now{0};
  std::uint64_t chance = 0;
};

/// What a step asks for. Commands are answered by `result`, or refused with `refused` (then nothing changed).
struct transition {
  std::vector<any_effect> effects;
  command_result result;
  error refused;
};

/// Deliberately wrong variants of single rules; the simulation proves with them that it would notice.
enum class wrong_rule : std::uint8_t {
  none,
  round_up,              ///< Percentages round up (W too large).
  drain_below_n,         ///< start_first drains without looking at what is available.
  wave_ignores_stopping, ///< The next wave does not wait for what still stops.
  starts_superseded,     ///< Empty slots are filled with the previous target.
  skips_config,          ///< New replicas are not reconfigured again when the config changed meanwhile.
  reconfigure_all,       ///< Reconfigure waves have no size.
  keeps_surplus,         ///< Surplus after a wave stays.
  no_retry,              ///< A dead replica is not replaced.
  drains_early,          ///< Outdated replicas drain when the new ones start, not when they are available.
  fills_with_target,     ///< Empty slots are filled with the target before its first wave is available.
  trusts_old_room,       ///< A room message that was overtaken counts.
  scale_not_stored,      ///< A new count alone makes no new snapshot.
};

/// Limits of the runtime that the machine works in.
struct limits {
  bool room_limited = false; ///< Every replica needs room, which is claimed; else those that ask for resources.
  bool durable = false;      ///< Snapshots are stored.
  wrong_rule wrong = wrong_rule::none;
};

/// Confined to its actor (or test). Not copyable cheaply; holds all replicas' records.
class machine {
public:
  explicit machine(deployment_name name, limits l = {}) : name_(std::move(name)), limits_(l) {}

  transition step(const moment& at, const any_event& ev);

  /// Full status; `with_replicas` costs O(replicas). Router figures (queued, ongoing, overdue) are left at 0.
  deployment_status status(instant now, bool with_replicas) const;
  /// The effective spec: the target's with the present count.
  deployment_spec effective_spec() const;
  revision_list revisions() const;
  bool deleting() const { return deleting_; }
  /// What has to outlive the process. Precondition: there is a target.
  stored_deployment snapshot() const;

private:
  friend struct machine_access; // tests look at counts

  enum class wave_kind : std::uint8_t { none, start_first, stop_first, reconfigure };

  /// The running wave.
  struct wave_state {
    wave_kind kind = wave_kind::none;
    std::uint32_t size = 0;       ///< W of this wave, fixed when it began.
    std::uint32_t to_start = 0;   ///< Its replicas not yet started.
    std::uint32_t vacant = 0;     ///< Its replicas whose start failed and that wait to be started again.
    std::uint32_t pending = 0;    ///< Its replicas not yet available, `to_start` and `vacant` included.
    std::uint32_t stopping = 0;   ///< Outdated replicas that still stop on its account.
    std::uint32_t same_shape = 0; ///< Of `stopping`, those whose room the target's replicas take over as it is.
    std::uint32_t credit = 0;     ///< start_first: replicas that became available and have not yet drained another.
    std::uint32_t hold = 0;       ///< Canary: available replicas that drain nobody until `resume`.
    bool canary = false;
  };

  /// A slot whose start failed, or whose replica died: started again not before `not_before`.
  struct vacancy {
    std::uint16_t cohort = 0;
    std::uint16_t attempts = 0;
    std::uint32_t wave = 0;
    bool for_check = false;
    bool replacement = false;
  };

  // -- events (machine.cpp, commands.cpp, health.cpp) --
  void on(const event::deploy& ev);
  void on(const event::scale& ev);
  void on(const event::remove& ev);
  void on(const event::control& ev);
  void on(const event::started& ev);
  void on(const event::reconfigured& ev);
  void on(const event::checked& ev);
  void on(const event::probed& ev);
  void on(const event::stopped& ev);
  void on(const event::stuck& ev);
  void on(const event::placed& ev);
  void on(const event::evacuate& ev);
  void on(const event::room& ev);
  void on(const event::timer& ev);
  void on(const event::restore& ev); // durable.cpp
  void on(const event::restored_all& ev);

  // -- targets (commands.cpp, rollback.cpp) --
  void set_target(const release_ptr& r, bool rolling_back);
  void refuse(errc code, std::string why);
  void set_count(std::uint32_t n);
  void resume(bool skip_bake);
  void abort();
  void roll_back_to(std::uint64_t revision, const code_ref& loaded);
  void restart(const code_ref& loaded);
  void fail(rollout_reason reason, const std::string& message);
  void enter(rollout_phase phase, rollout_reason reason);

  // -- the level-triggered part (reconcile.cpp) --
  void reconcile();
  bool finish_wave(); // waves.cpp
  bool begin_wave();  // waves.cpp
  bool begin_reconfigure();
  bool begin_start_first(std::uint32_t size);
  bool begin_stop_first(std::uint32_t size);
  bool complete_rollout(); // waves.cpp
  bool shed();             // surplus.cpp: what goes when too many live
  using predicate = bool (machine::*)(const cohort&) const;
  bool shed_vacancy(predicate which);
  bool shed_unavailable(predicate which);
  bool shed_available(bool base_last);
  void spend_credit();
  bool fill(); // fill.cpp: what starts when too few live
  bool fill_vacancies();
  bool take_out_failing(); // health.cpp
  void mark_failing(const replica_ref& ref);

  // -- nodes (moves.cpp) --
  static constexpr std::uint8_t failures_until_unhealthy = 3;
  static constexpr std::uint32_t here = 0; ///< In `nodes_`; in a cluster: not placed yet.
  static constexpr std::uint32_t no_node = nil;
  static constexpr std::uint32_t any_node = nil - 1;
  static constexpr std::uint32_t any_usable_node = nil - 2;
  struct known_node {
    std::string name;
    bool evacuated = false;
    bool open = true; ///< For new replicas.
    bool is_usable() const { return open && !evacuated; }
  };
  std::uint32_t node_index(const std::string& name);
  bool is_on_nodes() const { return nodes_.size() > 1 || !nodes_say_.empty(); }
  bool is_moving(const record& r) const; ///< Off a node that is to be empty.
  void reconcile_removal();

  // -- replicas --
  void start_one(const release_ptr& what, std::uint32_t wave, const vacancy& slot);
  void stop_one(std::uint32_t slot, stop_cause cause);
  void abandon_one(std::uint32_t slot);
  void make_available(std::uint32_t slot);
  void leave_wave(const record& r);
  void start_failed(std::uint32_t slot, const std::string& message, bool forget);
  void reconfigure_failed(std::uint32_t slot, const std::string& message, bool timed_out);
  void lost(const record& r, bool by_check);
  void replace(const record& r, std::uint16_t attempts, instant not_before);
  void vacate(vacancy v, instant not_before);
  using vacancy_iterator = std::multimap<instant, vacancy>::iterator;
  vacancy take_vacancy(vacancy_iterator it);          ///< It will be started.
  vacancy_iterator drop_vacancy(vacancy_iterator it); ///< Nobody starts it.
  void end_wave(); ///< What still stops for it is remembered: it holds back the next one.
  std::uint16_t attempts_of(const record& r) const { return r.attempts_epoch == attempts_epoch_ ? r.attempts : 0; }
  instant backoff(std::uint16_t attempts);

  // -- room (room.cpp) --
  struct shape_room {
    resources each;
    placement_options where;
    std::uint32_t want = 0;
    std::uint32_t granted = 0;
    std::uint32_t gone = 0; ///< Of `granted`: seats that have left with their nodes' replicas, until the next answer.
  };
  bool room_limited() const { return limits_.room_limited || asks_; }
  bool needs_room(const shape_ref& each) const { return limits_.room_limited || !each.each.empty(); }
  const shape_room* shape_of(const shape_ref& each) const;
  std::uint32_t granted_of(const shape_ref& each) const;
  std::uint32_t startable_of(const shape_ref& each) const; ///< Granted, and not gone.
  std::uint32_t existing_of(const shape_ref& each) const;
  bool has_room(const release_ptr& what) const;
  bool has_free_room(const release_ptr& what) const;    ///< Beyond what the running wave's own replicas need.
  std::uint32_t reachable() const;                      ///< N, or what there is room for.
  std::uint32_t unused_of(const shape_ref& each) const; ///< Granted, and held by no replica.
  std::uint32_t empty_slots() const;                    ///< Of the N, those that nobody waits to fill.
  /// Whom a stop_first wave takes away, in that order.
  struct departures {
    std::map<std::uint16_t, std::uint32_t> vacancies; ///< By cohort.
    std::vector<std::uint32_t> slots;
  };
  /// Of replicas, those of one node alone, unless `node` is `any_node` or `any_usable_node`.
  departures outgoing(std::uint32_t size, std::uint32_t most_available, std::uint32_t node) const;
  resources cost_of(const shape_ref& each) const;
  resources freed_by(const departures& all) const;
  std::uint32_t given_back_of(const shape_ref& each, const departures& all) const; ///< Of empty slots.
  bool fits_on_one_node(const departures& all);                                    ///< Sets `freed_`.
  resources most_freed(std::uint32_t size, std::uint32_t most_available) const;
  bool is_unclaimed(std::uint32_t more) const; ///< Of the target; or claimed and not answered.
  /// A stop_first wave of `size`, at most `most_available` of them available, starts at least one.
  bool makes_room(std::uint32_t size, std::uint32_t most_available);
  bool would_free_enough(std::uint32_t size, std::uint32_t most_available);
  bool would_free_enough_on_a_node(std::uint32_t size, std::uint32_t most_available);
  bool is_claimed(const std::vector<shape_claim>& now) const;
  bool is_room_known() const; ///< No claim is open, and what is claimed is what is wanted.
  std::uint32_t reserve() const;
  bool give_up_roomless(); ///< A stop_first wave starts no more than there is room for.
  void left_for_wave(const record& r);
  void left_node(const record& r);
  release_ptr vacancy_release(const cohort& c) const;
  std::vector<shape_claim> wanted() const;
  void claim_room();
  std::string room_message() const;

  // -- timers (progress.cpp) --
  void expire();
  void expire_checks();
  bool awaits_progress() const;
  bool is_wave_roomless() const; ///< What it lacks is room alone: a node that it began with is closed by now.
  void account_progress();
  void publish();
  void persist(); // durable.cpp
  std::optional<instant> next_deadline() const;

  // -- questions --
  bool is_target_code(const cohort& c) const { return target_ && c.code_id == target_->code_id; }
  bool is_current(const cohort& c) const { return is_target_code(c) && c.config_id == target_->config_id; }
  bool is_stale(const cohort& c) const;
  bool is_outdated(const cohort& c) const { return !is_current(c) && !is_stale(c); }
  /// Runs the target's code; its config is the target's or can be made so.
  bool is_target(const cohort& c) const { return !is_outdated(c); }
  bool is_base_code(const cohort& c) const { return base_ && c.code_id == base_->code_id; }
  bool is_base(const cohort& c) const { return is_base_code(c) && c.config_id == base_->config_id; }
  bool is_foreign(const cohort& c) const { return !is_base(c); }
  bool in_wave(std::uint32_t wave) const { return wave != 0 && wave == wave_number_ && wave_.kind != wave_kind::none; }
  bool same_release(const release_ptr& a, const release_ptr& b) const {
    return a && b && a->code_id == b->code_id && a->config_id == b->config_id;
  }
  bool held_back() const { return phase_ == rollout_phase::paused || phase_ == rollout_phase::failed; }
  std::uint32_t capacity() const; ///< N and what the running wave has on top.
  std::uint32_t vacancies() const { return static_cast<std::uint32_t>(vacancies_.size()); }
  std::uint32_t share(const replica_share& s) const;
  release_ptr fill_release() const;
  std::uint32_t current_available() const;
  std::uint32_t target_unavailable() const; ///< Waits for a backoff or for room included.
  std::uint32_t count(bool (machine::*which)(const cohort&) const, std::uint32_t (cohort::*what)() const) const;
  deployment_state_name state_name() const;

  template <class Effect>
  void emit(Effect e) {
    out_.effects.emplace_back(std::move(e));
  }
  void note(std::string kind, std::string text) { emit(effect::notify{std::move(kind), std::move(text)}); }

  deployment_name name_;
  limits limits_;
  moment at_;
  transition out_;

  history history_;
  release_ptr target_, base_;
  release_ptr superseded_; ///< For `wrong_rule::starts_superseded` alone.
  std::uint32_t n_ = 0;    ///< Target count.
  bool deleting_ = false;

  replica_table table_;
  std::vector<known_node> nodes_{{"local", false}}; ///< Where replicas are, or were.
  std::multimap<instant, vacancy> vacancies_;       ///< By the moment from which they may start.
  std::uint32_t attempts_epoch_ = 1;                ///< Counts rollout ends: failed starts from before do not count.

  rollout_phase phase_ = rollout_phase::complete;
  rollout_reason reason_ = rollout_reason::none;
  bool rolling_back_ = false;
  bool replace_stale_ = false; ///< Going back by reconfigure has thrown: replace instead.
  enum class scaling : std::uint8_t { no, up, down };
  scaling scaling_ = scaling::no;
  bool struggling_ = false; ///< Outside of a rollout a slot has failed `max_start_attempts` times.
  std::string failure_;     ///< Of the last failed rollout; until the next accepted target.
  std::string last_error_;
  wave_state wave_;
  std::uint32_t wave_number_ = 0; ///< Counts waves of all rollouts; records carry it.
  std::uint32_t waves_done_ = 0;  ///< Of this rollout.
  bool first_wave_up_ = false;    ///< The target's first wave has become available.
  bool canary_done_ = false;
  std::uint32_t first_failures_ = 0; ///< Failed starts of a first deployment without a success between.
  instant bake_until_{0};

  instant progress_used_{0};
  std::optional<instant> progress_since_; ///< The stopwatch runs since then.
  std::uint32_t best_ = 0;                ///< Most replicas that matched the target.

  std::uint32_t taken_out_ = 0;     ///< Failed checks; replacement not yet available.
  std::deque<replica_ref> failing_; ///< Failed checks and wait to be taken out, oldest first.

  std::uint64_t room_seq_ = 0, room_answered_ = 0, room_serial_ = 0;
  std::vector<shape_room> shapes_; ///< As claimed last.
  std::uint32_t reserved_ = 0;     ///< As claimed last.
  bool claims_anew_ = false;       ///< What is granted is not true any more, whatever is wanted.
  resources spare_;
  std::uint32_t spare_node_ = no_node; ///< In `nodes_`, what `spare_` is on; `no_node` on one machine.
  std::vector<std::uint32_t> idle_there_;
  room_shortage lacks_;
  std::string nodes_say_; ///< Of the same answer.
  std::uint32_t must_leave_ = 0;
  bool asks_ = false; ///< A target has asked for resources, or for certain nodes.
  bool waiting_for_room_ = false;
  std::uint32_t waits_for_ = 0;          ///< While `waiting_for_room_`: so many more of the target.
  std::uint32_t leaves_from_ = any_node; ///< Whose replicas `makes_room` would have stop.
  resources freed_; ///< What the wave that was considered last would free; empty where it doesn't matter.
  /// What `would_free_enough` was last asked while nothing was enough: the answer stands until one of these changes.
  struct roomless_key {
    std::uint32_t size = 0, most_available = 0;
    std::uint64_t seq = 0, serial = 0, replicas = 0, vacancies = 0, nodes = 0;
    release_ptr target;
    bool operator==(const roomless_key&) const = default;
  };
  std::optional<roomless_key> roomless_;
  resources roomless_freed_;
  std::uint64_t vacancy_changes_ = 0;
  std::uint64_t node_changes_ = 0;
  std::uint32_t held_ = 0; ///< So many of N have room.
  bool restoring_ = false; ///< What was held is claimed, and nothing else.
  bool awaits_others_ = false, others_are_back_ = false;

  /// What a snapshot depends on; when it changes there is a new one. The position counts by waves.
  struct durable_key {
    std::uint64_t target = 0, base = 0;
    std::uint32_t n = 0, held = 0, waves_done = 0;
    rollout_phase phase = rollout_phase::complete;
    rollout_reason reason = rollout_reason::none;
    bool rolling_back = false, replace_stale = false, first_wave_up = false, canary_done = false, deleting = false;
    std::string failure;
    bool operator==(const durable_key&) const = default;
  };
  durable_key stored_;

  std::optional<instant> armed_;
  std::uint64_t timer_epoch_ = 0;
  bool unavailable_ = false;
  bool removed_ = false; ///< Told that nothing is left.
};

} // namespace troupe::deployment_state
