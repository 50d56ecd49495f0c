// The shell of the machine: messages in, effects out.
// long file: one shell; what it decides is in the machine beside it
#include <troupe/actors/control/deployment_store.hpp>
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/deployment_state/deployment_state_actor.hpp>
#include <troupe/actors/deployment_state/observer.hpp>
#include <troupe/actors/deployment_state/orphans.hpp>
#include <troupe/actors/deployment_state/update_pacer.hpp>
#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/replica/replica_actor.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::deployment_state {

namespace {

/// The timer that was armed last. Private: never leaves this actor.
struct machine_tick {
  std::uint64_t epoch = 0;
};
TROUPE_INSPECT(machine_tick, x.epoch)

/// Updates still wait although those under way were not answered for a while. Private, too.
struct updates_tick {
  std::uint64_t epoch = 0;
};
TROUPE_INSPECT(updates_tick, x.epoch)

/// The store has answered. Private, too.
struct deployment_saved {
  std::uint64_t seq = 0;
  error failure;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, deployment_saved& x) {
  return f(caf::meta::type_name("troupe::deployment_state::deployment_saved"), x.seq, x.failure.message);
}

/// The store has failed: time to try again.
struct save_tick {
  std::uint64_t epoch = 0;
};
TROUPE_INSPECT(save_tick, x.epoch)

using shell_actor =
    deployment_state_actor::extend<takes<machine_tick>, takes<updates_tick>, takes<deployment_saved>, takes<save_tick>>;

instant to_instant(control::environment::time_point t) {
  return std::chrono::duration_cast<instant>(t.time_since_epoch());
}

/// splitmix64: one stream of random bits per deployment, from the runtime's seed.
std::uint64_t next_random(std::uint64_t& state) {
  auto z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

class shell : public control::control_actor<shell_actor> {
public:
  shell(caf::actor_config& cfg, control::environment_ptr env, boot b)
      : control_actor(cfg, std::move(env)), name_(b.name), machine_(b.name, b.bounds), calls_(std::move(b.calls)),
        controller_(std::move(b.controller)), watched_(std::make_shared<control::watched_deployment>()),
        random_(this->env().seed ^ std::hash<std::string>{}(b.name.full())) {
    watched_->name = name_.full();
  }

  const char* name() const override { return "troupe.deployment_state"; }

  void on_exit() override {
    leave_orphans(shared_env(), this, name_, controller_, calls_, std::exchange(replicas_, {}));
    for (auto& p : removals_)
      p.deliver(to_caf({errc::runtime_stopped, name_.full() + " has ended"}));
    removals_.clear();
    for (auto& x : unsaved_)
      x.promise.deliver(to_caf({errc::runtime_stopped, name_.full() + " has ended"}));
    unsaved_.clear();
    controller_ = nullptr;
    machine_ = machine{name_}; // the clock may hold this actor until its last tick: not the user's code, too
  }

protected:
  behavior_type make_behavior() override {
    return {
        [this](replica_started& m) { dispatch(event::started{m.replica}); },
        [this](replica_reconfigured& m) {
          dispatch(event::reconfigured{m.replica, m.seq, m.ok, std::move(m.message)});
          if (updates_.answered())
            send_updates();
        },
        [this](replica_checked& m) {
          dispatch(event::checked{m.replica, m.seq, m.ok, std::move(m.message)});
        },
        [this](replica_stopped& m) {
          dispatch(event::stopped{m.replica, m.reason, std::move(m.message)});
        },
        [this](deploy_deployment& m) { return deploy(std::move(m)); },
        [this](const delete_deployment&) {
          auto promise = make_response_promise<removed_deployment>();
          removals_.push_back(promise);
          dispatch(event::remove{});
          return promise;
        },
        [this](const scale_deployment& m) { return command(event::scale{m.num_replicas}); },
        [this](const control_rollout& m) {
          return command(event::control{m.action, m.revision, m.user_code});
        },
        [this](const get_deployment& m) { return status(m.with_replicas); },
        [this](const get_effective_spec&) { return machine_.effective_spec(); },
        [this](const get_history&) { return machine_.revisions(); },
        [this](const room_granted& m) {
          dispatch(event::room{m.seq, m.serial, m.granted, m.spare, m.lacks, m.nodes, m.spare_on, m.idle_there,
                               m.must_leave});
        },
        [this](const replica_stuck& m) {
          dispatch(event::stuck{m.replica, m.running});
        },
        [this](replica_placed& m) {
          dispatch(event::placed{m.replica, std::move(m.node)});
        },
        [this](const replica_reachable& m) { reachable(m); },
        [this](evacuate_node& m) {
          dispatch(event::evacuate{std::move(m.node), m.on, m.open});
        },
        [this](const restore_deployment& m) {
          ++deploys_seen_;
          return command(event::restore{m.state, m.others_follow});
        },
        [this](const restoration_finished&) { dispatch(event::restored_all{}); },
        [this](const machine_tick& m) { dispatch(event::timer{m.epoch}); },
        [this](deployment_saved& m) { saved(m.seq, std::move(m.failure)); },
        [this](const save_tick& m) {
          if (!save_again_.take(m.epoch))
            return;
          if (erasing_ != 0)
            erase();
          else
            save(machine_.snapshot());
        },
        [this](const updates_tick& m) {
          if (updates_.stalled(m.epoch))
            send_updates();
        },
    };
  }

private:
  caf::result<command_result> deploy(deploy_deployment m) {
    ++deploys_seen_;
    if (!storage_failure_.empty())
      return to_caf(refusal());
    erasing_ = 0;
    erased_ = false;
    const bool can_reconfigure = m.user_code.local && m.user_code.local->traits().has_reconfigure;
    const bool can_check = m.user_code.local && m.user_code.local->traits().has_check_health;
    auto answer = command(event::deploy{std::move(m.spec), std::move(m.user_code), can_reconfigure, can_check});
    for (auto& p : removals_)
      p.deliver(to_caf({errc::rejected, "a deploy of " + name_.full() + " came before it was gone"}));
    removals_.clear();
    return answer;
  }

  /// Answered when everything that has changed so far is stored.
  caf::result<command_result> command(any_event ev) {
    if (!storage_failure_.empty())
      return to_caf(refusal());
    auto t = dispatch(std::move(ev));
    if (t.refused.code != errc::none)
      return to_caf(t.refused);
    if (saves_done_ == saves_sent_)
      return std::move(t.result);
    unsaved_.push_back({saves_sent_, make_response_promise<command_result>(), std::move(t.result)});
    return caf::delegated<command_result>{};
  }

  // -- durable state

  error refusal() const {
    return {errc::unavailable,
            "changes of " + name_.full() + " are refused until they can be stored: " + storage_failure_};
  }

  void save(stored_deployment what) { env().store->save(std::move(what), answer_for(++saves_sent_)); }

  void erase() {
    erasing_ = ++saves_sent_;
    env().store->erase(name_, answer_for(erasing_));
  }

  control::deployment_store::done answer_for(std::uint64_t seq) {
    return [me = caf::actor_cast<shell_actor>(this), seq](error why) {
      caf::anon_send(me, deployment_saved{seq, std::move(why)});
    };
  }

  void saved(std::uint64_t seq, error failure) {
    saves_done_ = std::max(saves_done_, seq);
    storage_failure_ = failure.message;
    if (failure.code != errc::none) {
      env().log(control::log_level::error, name_.full() + " is not stored: " + failure.message);
      if (seq == saves_sent_)
        tick_after(std::chrono::seconds{1}, save_tick{save_again_.arm()});
    }
    for (; !unsaved_.empty() && unsaved_.front().seq <= saves_done_; unsaved_.pop_front()) {
      auto& x = unsaved_.front();
      if (failure.code == errc::none)
        x.promise.deliver(std::move(x.result));
      else
        x.promise.deliver(
            to_caf({errc::not_stored, "the change runs but is not stored, it is tried again: " + failure.message}));
    }
    if (erasing_ != seq || erasing_ == 0)
      return;
    if (failure.code == errc::none) {
      erasing_ = 0;
      erased_ = true;
      gone();
    } else {
      for (auto& p : std::exchange(removals_, {}))
        p.deliver(to_caf({errc::not_stored,
                          name_.full() + " has ended but that is not stored, it is tried again: " + failure.message}));
    }
  }

  /// Nothing is left, and that is stored.
  void gone() {
    for (auto& p : removals_)
      p.deliver(removed_deployment{name_});
    removals_.clear();
    post(controller_, deployment_removed{name_, deploys_seen_});
  }

  /// Steps the machine and runs its effects; effects that are answered at once (`probe`) step it again, in order.
  transition dispatch(any_event ev) {
    auto first = step(ev);
    while (!answers_.empty()) {
      auto next = std::move(answers_.front());
      answers_.pop_front();
      step(next);
    }
    return first;
  }

  transition step(const any_event& ev) {
    auto t = machine_.step({to_instant(env().now()), next_random(random_)}, ev);
    if (env().observer != nullptr)
      env().observer->stepped(name_, ev, t, machine_);
    for (auto& e : t.effects)
      std::visit([this](auto& x) { run(x); }, e);
    t.effects.clear();
    return t;
  }

  void run(effect::start& e) {
    const auto slot = e.replica.slot;
    if (replicas_.size() <= slot)
      replicas_.resize(slot + 1);
    auto& r = replicas_[slot];
    r.holds = e.what->spec.per_replica;
    r.where = e.what->spec.where;
    r.place = &calls_->acquire(e.replica);
    r.actor = replica::spawn_replica(shared_env(), {.ref = e.replica,
                                                    .revision = e.what->revision,
                                                    .user_code = e.what->user_code.local,
                                                    .init_args = e.what->spec.init_args,
                                                    .user_config = e.what->spec.user_config,
                                                    .calls = calls_,
                                                    .where = r.place,
                                                    .owner = owner_handle(),
                                                    .execution = e.what->spec.execution,
                                                    .spec = {e.what, &e.what->spec},
                                                    .deployment = watched_});
  }

  void run(const effect::route& e) {
    auto& r = replicas_[e.replica.slot];
    r.place->actor = caf::actor_cast<caf::strong_actor_ptr>(r.actor);
    calls_->open(*r.place);
    route_elsewhere(e.replica.slot, true);
    tell("replica_available", e.replica);
  }
  void run(effect::update& e) {
    updates_.push(std::move(e));
    send_updates();
  }
  void run(const effect::check& e) { post(replicas_[e.replica.slot].actor, check_replica{e.seq}); }

  void run(const effect::probe& e) {
    const auto running = replicas_[e.replica.slot].place->running.load(std::memory_order_relaxed);
    const auto kind = static_cast<control::user_code_kind>(running);
    const bool busy = kind != control::user_code_kind::none && kind != control::user_code_kind::check;
    answers_.push_back(event::probed{e.replica, e.seq, busy});
  }

  void run(const effect::stop& e) {
    auto& r = replicas_[e.replica.slot];
    calls_->close(*r.place);
    route_elsewhere(e.replica.slot, false);
    tell("replica_stopping", e.replica);
    post(r.actor, stop_replica{e.replica.id});
  }

  void run(const effect::abandon& e) {
    auto& r = replicas_[e.replica.slot];
    r.given_up = true;
    calls_->abandon(*r.place);
    route_elsewhere(e.replica.slot, false);
    tell("replica_stopping", e.replica);
    caf::anon_send_exit(r.actor, caf::exit_reason::kill);
  }

  void run(const effect::forget& e) {
    auto& r = replicas_[e.replica.slot];
    route_elsewhere(e.replica.slot, false);
    calls_->release(*r.place);
    tell("replica_stopped", e.replica);
    r = {};
  }

  void run(const effect::apply_options& e) {
    const auto& s = e.from->spec;
    calls_->set_limits(
        {.max_ongoing = s.max_ongoing_requests, .max_queued = s.max_queued_requests, .idempotent = s.idempotent});
    watched_->stuck_after_ms.store(s.stuck_after.count(), std::memory_order_relaxed);
    routed_.target = name_;
    routed_.max_ongoing = s.max_ongoing_requests;
    routed_.max_queued = s.max_queued_requests;
    routed_.idempotent = s.idempotent;
    routed_.signatures.clear();
    if (const auto& code = e.from->user_code.local)
      for (const auto& x : code->traits().signatures)
        routed_.signatures.push_back(x.key);
    send(controller_, routed_);
  }

  void run(effect::serve& e) {
    routed_.refusal = e.unavailable ? e.why : std::string{};
    if (e.unavailable)
      calls_->refuse({errc::unavailable, std::move(e.why)});
    else
      calls_->accept();
    send(controller_, routed_);
  }

  // -- towards routers of other processes: not by `post`, since they rely on the order

  void reachable(const replica_reachable& m) {
    if (m.replica.slot >= replicas_.size())
      return;
    auto& r = replicas_[m.replica.slot];
    if (!r.place || r.place->replica != m.replica || r.port != 0)
      return;
    r.seat = m.place;
    r.port = m.port;
    if (r.is_routed)
      send(controller_, replica_routed{name_, m.replica.id, r.seat, r.port, true});
  }

  void route_elsewhere(std::uint32_t slot, bool open) {
    auto& r = replicas_[slot];
    if (std::exchange(r.is_routed, open) != open && r.port != 0)
      send(controller_, replica_routed{name_, r.place->replica.id, r.seat, r.port, open});
  }
  void run(effect::claim& e) { post(controller_, claim_room{name_, e.seq, std::move(e.shapes), e.reserve}); }
  void run(const effect::arm_timer& e) {
    tick_after(std::max(e.at - to_instant(env().now()), instant{0}), machine_tick{e.epoch});
  }
  void run(effect::notify& e) { env().emit({name_, std::move(e.kind), 0, std::move(e.text)}); }

  void run(const effect::removed&) {
    if (!env().store || erased_) // what is stored under this name by now is another one's
      return gone();
    save_again_.disarm();
    erase();
  }
  void run(effect::persist& e) { save(std::move(*e.what)); }

  deployment_status status(bool with_replicas) const {
    auto s = machine_.status(to_instant(env().now()), with_replicas);
    s.queued = calls_->queued();
    s.ongoing = calls_->ongoing();
    s.overdue = calls_->overdue();
    if (!storage_failure_.empty())
      s.message +=
          (s.message.empty() ? "" : "; ") + ("what runs is not stored, it is tried again: " + storage_failure_);
    if (with_replicas) {
      std::unordered_map<std::uint64_t, std::uint32_t> ongoing;
      for (const auto& r : replicas_)
        if (r.place)
          ongoing.emplace(r.place->replica.id, r.place->in_flight());
      for (auto& r : s.replicas)
        if (const auto it = ongoing.find(r.id); it != ongoing.end())
          r.ongoing = it->second;
    }
    return s;
  }

  /// Each change of what the router may use, in its order: who listens knows at any moment how many are available.
  void tell(const char* what, const replica_ref& who) const {
    if (env().on_event)
      env().emit({name_, what, who.id, {}});
  }

  void send_updates() {
    while (updates_.may_send())
      send_update();
    if (const auto epoch = updates_.arm())
      tick_after(update_pacer::patience, updates_tick{*epoch});
  }

  void send_update() {
    auto e = updates_.pop();
    auto& r = replicas_[e.replica.slot];
    if (r.place && r.place->replica.id == e.replica.id) // else it has ended meanwhile
      post(r.actor, config_update{e.seq, std::move(e.user_config)});
    else
      updates_.skipped();
  }

  replica_owner_actor owner_handle() { return caf::actor_cast<replica_owner_actor>(this); }

  deployment_name name_;
  machine machine_;
  std::shared_ptr<router> calls_;
  controller_actor controller_;
  std::shared_ptr<control::watched_deployment> watched_;
  std::vector<replica_entry> replicas_; ///< By slot, as the machine's records.
  deployment_routed routed_;
  update_pacer updates_;
  std::deque<any_event> answers_;
  std::vector<caf::typed_response_promise<removed_deployment>> removals_;
  std::uint64_t deploys_seen_ = 0;
  std::uint64_t random_;

  /// A command whose change is not stored yet.
  struct unsaved_command {
    std::uint64_t seq = 0;
    caf::typed_response_promise<command_result> promise;
    command_result result;
  };
  std::deque<unsaved_command> unsaved_;
  std::uint64_t saves_sent_ = 0, saves_done_ = 0;
  std::uint64_t erasing_ = 0; ///< The save that erases; 0 = none.
  bool erased_ = false;       ///< Of the store, and no deploy has come since.
  std::string storage_failure_;
  control::tick_epoch save_again_;
};

} // namespace

deployment_state_actor spawn_deployment_state(const control::environment_ptr& env, boot b) {
  return caf::actor_cast<deployment_state_actor>(control::spawn_control<shell>(env, std::move(b)));
}

} // namespace troupe::deployment_state
