// The shell of a replica in a worker process: the machine of any replica, with a worker's replica actor as its hands.
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/replica/machine.hpp>
#include <troupe/actors/replica/port_calls.hpp>
#include <troupe/actors/replica/remote_replica_actor.hpp>
#include <troupe/actors/replica/user_code_border.hpp>
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <atomic>
#include <utility>
#include <variant>

namespace troupe::replica {

namespace {

std::uint64_t next_place() {
  static std::atomic<std::uint64_t> places{0};
  return ++places;
}

using shell_api = worker_replica_owner_actor::extend<takes<config_update>, takes<check_replica>, takes<stop_replica>,
                                                     takes<wake_replica>, takes<worker_assigned>, takes<worker_lost>>;

class remote_shell final : public shell_api::base {
public:
  using super = shell_api::base;

  remote_shell(caf::actor_config& cfg, control::environment_ptr env, boot&& b, std::shared_ptr<const remote_code> what)
      : super(cfg), identity_{std::move(env), std::move(b.deployment), std::move(b.owner), b.ref, b.revision},
        code_(std::move(what)), calls_(std::move(b.calls)), cell_(b.where), execution_(b.execution),
        init_args_(std::move(b.init_args)), user_config_(std::move(b.user_config)), spec_(std::move(b.spec)),
        place_(next_place()), sent_(calls_, *cell_) {
    set_default_handler(caf::drop);
  }

  const char* name() const override { return "troupe.remote_replica"; }

  void on_exit() override { end_by(fail_state()); }

  void on_destroy() override {
    unreachable_ = true; // no reference may be made of this actor any more, and the thread may be anyone's
    context(nullptr);
    super::on_destroy();
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* unit) override {
    end_by(reason);
    return super::cleanup(std::move(reason), unit);
  }

protected:
  behavior_type make_behavior() override {
    run(machine_.start());
    return {
        // from the owner
        [this](config_update& x) {
          run(machine_.step(event::update{x.seq, std::move(x.user_config)}));
        },
        [this](const check_replica& x) { run(machine_.step(event::check{x.seq})); },
        [this](const stop_replica& x) {
          if (x.id == identity_.ref.id)
            run(machine_.step(event::stop{}));
        },
        [this](wake_replica) { on_wake(); },
        // from the workers
        [this](worker_assigned& x) { on_assigned(x); },
        [this](worker_lost& x) { on_lost(x); },
        // from the replica in the worker
        [this](worker_replica_made& x) { on_made(x); },
        [this](const replica_started& x) {
          if (!remote_) // its first word may overtake the host's
            remote_ = caf::actor_cast<replica_actor>(current_sender());
          if (x.replica == identity_.ref && machine_.current() == phase::constructing)
            run(machine_.step(
                event::constructed{true, {}, code_->traits().has_reconfigure ? std::move(user_config_) : json_doc{}}));
        },
        [this](replica_reconfigured& x) {
          if (x.replica == identity_.ref && x.seq == updates_)
            run(machine_.step(event::reconfigured{x.ok, code_->shown(std::move(x.message))}));
        },
        [this](replica_checked& x) {
          if (x.replica == identity_.ref && x.seq == checks_)
            run(machine_.step(event::checked{x.ok, code_->shown(std::move(x.message))}));
        },
        [this](replica_stopped& x) {
          if (x.replica == identity_.ref)
            on_stopped(x);
        },
        [this](const replica_stuck& x) {
          if (x.replica == identity_.ref)
            tell_owner(x);
        },
        [this](worker_answers& x) { on_answers(x); },
        [this](const calls_refused& x) { on_refused(x); },
        [this](port_has_room) { on_room(); },
    };
  }

private:
  // -- the worker

  void on_assigned(worker_assigned& x) {
    if (x.place != place_ || host_ || machine_.current() == phase::ended)
      return;
    host_ = std::move(x.host);
    on_node_ = !x.node.empty();
    if (on_node_)
      tell_owner(replica_placed{identity_.ref, std::move(x.node)});
    start_worker_replica start;
    start.place = place_;
    start.replica = identity_.ref;
    start.revision = identity_.revision;
    start.deployment = code_->deployment();
    start.full_name = identity_.name();
    start.init_args = std::move(init_args_);
    start.execution = execution_;
    start.stuck_after = milliseconds{identity_.deployment->stuck_after_ms.load(std::memory_order_relaxed)};
    start.owner = this;
    start.kind = kind_of(*code_, *spec_);
    start.configures = code_->traits().has_reconfigure && !user_config_.is_null();
    spec_.reset();
    send_to_host(std::move(start), caf::message_priority::high); // its `drop` must not overtake it
  }

  void on_lost(worker_lost& x) {
    if (x.place != place_ || machine_.current() == phase::ended)
      return;
    lost_ = true;
    may_repeat_ = !x.by_request;
    object_is_gone(std::move(x.how));
  }

  void on_stopped(replica_stopped& x) {
    x.message = code_->shown(std::move(x.message));
    remote_ = nullptr;
    stopped_ = true;
    object_is_gone(std::move(x.message));
  }

  /// Whatever was expected of it.
  void object_is_gone(std::string how) {
    if (machine_.current() == phase::constructing)
      return run(machine_.step(event::constructed{false, std::move(how), {}}));
    if (machine_.current() == phase::destroying)
      return run(machine_.step(event::destroyed{std::move(how)}));
    give_back_calls();
    run(machine_.step(event::killed{stop_reason::killed, std::move(how)}));
  }

  // -- requests

  void on_wake() {
    const enter_scope scope{{nullptr, nullptr, context()}};
    if (machine_.awaits_drained())
      look_whether_drained();
    else
      begin_requests();
  }

  void begin_requests() {
    if (!machine_.may_begin() || !sent_.is_open())
      return; // `effect::begin_requests` follows, or the port
    if (sent_.send(context()))
      enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wake_replica{}), context());
  }

  void on_made(worker_replica_made& x) {
    remote_ = std::move(x.replica);
    if (machine_.current() == phase::ended || sent_.is_open() || !x.port)
      return;
    sent_.open(std::move(x.port), caf::actor_cast<port_caller_actor>(this));
    if (on_node_)
      tell_owner(replica_reachable{identity_.ref, place_, x.port_number});
    const enter_scope scope{{nullptr, nullptr, context()}};
    begin_requests();
  }

  void on_answers(worker_answers& x) {
    if (machine_.current() == phase::ended)
      return;
    const enter_scope scope{{nullptr, nullptr, context()}};
    sent_.answered(x, [this](std::string text) { return code_->shown(std::move(text)); });
    if (machine_.awaits_drained())
      look_whether_drained();
  }

  void on_refused(const calls_refused& x) {
    if (machine_.current() == phase::ended)
      return;
    const enter_scope scope{{nullptr, nullptr, context()}};
    sent_.refused(x);
    if (machine_.awaits_drained())
      look_whether_drained();
  }

  void on_room() {
    if (machine_.current() == phase::ended)
      return;
    const enter_scope scope{{nullptr, nullptr, context()}};
    if (machine_.may_begin())
      return sent_.on_room(context());
    cell_->set_held(false);
    sent_.pass_room(context());
  }

  /// What had begun ends by this death, or is tried again.
  void give_back_calls() { sent_.abandon(may_repeat_); }

  void look_whether_drained() {
    if (cell_->begun() == 0)
      run(machine_.step(event::drained{}));
  }

  /// Not a control message of the protocol with the owner: it goes over one connection, once and in order. Without a
  /// sender, whom both sides would look up for every request.
  template <class T>
  void send_to_host(T&& x, caf::message_priority priority = caf::message_priority::normal) {
    auto* to = caf::actor_cast<caf::abstract_actor*>(host_);
    to->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(priority), {}, std::forward<T>(x)), context());
  }

  // -- effects

  void run(effects&& xs) {
    for (auto& x : xs)
      std::visit([this](auto& e) { perform(e); }, x);
  }

  void perform(effect::construct&) {
    code_->workers().attach({place_, identity_.ref.id, identity_.revision, spec_}, code_, ctrl());
  }
  void perform(effect::reconfigure& e) {
    auto config = code_->delivered(e.user_config);
    if (!config)
      return run(machine_.step(event::reconfigured{false, config.why().message}));
    post_remote(config_update{++updates_, std::move(*config)});
  }
  void perform(effect::check&) { post_remote(check_replica{++checks_}); }
  void perform(effect::destroy&) {
    if (lost_ || stopped_)
      return run(machine_.step(event::destroyed{}));
    post_remote(stop_replica{identity_.ref.id});
  }
  void perform(effect::report_started&) { report(replica_started{identity_.ref}); }
  void perform(effect::report_reconfigured& e) {
    report(replica_reconfigured{identity_.ref, e.seq, e.ok, std::move(e.message)});
  }
  void perform(effect::report_checked& e) { report(replica_checked{identity_.ref, e.seq, e.ok, std::move(e.message)}); }
  void perform(effect::prefer_others& e) { cell_->set_reconfiguring(e.on); }
  void perform(effect::stop_intake&) {
    calls_->close(*cell_);
    sent_.close_intake(context());
  }
  void perform(effect::await_drained&) { look_whether_drained(); }
  void perform(effect::begin_requests&) { begin_requests(); }
  void perform(effect::end& e) {
    give_back_calls();
    if (!lost_)
      code_->workers().detach(place_);
    report(replica_stopped{identity_.ref, e.reason, std::move(e.message)});
    forget();
    quit();
  }

  template <class Command>
  void post_remote(Command command) {
    control::post(*identity_.env, unreachable_ ? nullptr : this, remote_, std::move(command));
  }

  /// What only a DeploymentState listens to.
  template <class Fact>
  void tell_owner(Fact fact) {
    if (identity_.owner)
      control::post_message(*identity_.env, ctrl(), context(), caf::actor_cast<caf::strong_actor_ptr>(identity_.owner),
                            caf::make_message(std::move(fact)));
  }

  template <class Fact>
  void report(Fact fact) {
    control::post(*identity_.env, unreachable_ ? nullptr : this, identity_.owner, std::move(fact));
  }

  // -- the end

  /// Ends a replica that has not said its last word, and its worker.
  void end_by(const caf::error& reason) {
    if (machine_.current() == phase::ended)
      return;
    const auto gone = reason == caf::exit_reason::user_shutdown;
    may_repeat_ = true;
    give_back_calls();
    if (!lost_)
      code_->workers().kill(place_, gone ? "its owner is gone" : "it was given up");
    lost_ = true;
    auto xs = machine_.current() == phase::destroying
                  ? machine_.step(event::destroyed{})
                  : machine_.step(event::killed{gone ? stop_reason::owner_gone : stop_reason::killed,
                                                "killed, and its worker process with it"});
    run(std::move(xs));
  }

  /// Breaks the cycles with the owner, the router and the worker.
  void forget() {
    host_ = nullptr;
    remote_ = nullptr;
    identity_.owner = nullptr;
    sent_.forget();
    calls_.reset();
    code_.reset();
    cell_ = nullptr;
  }

  identity identity_;
  std::shared_ptr<const remote_code> code_;
  std::shared_ptr<router> calls_;
  cell* cell_;
  execution_mode execution_;
  json_doc init_args_;
  json_doc user_config_;
  std::shared_ptr<const deployment_spec> spec_; ///< Until it has its place.
  const std::uint64_t place_;
  machine machine_;
  worker_host_actor host_;
  replica_actor remote_;
  port_calls sent_;
  std::uint32_t updates_ = 0;
  std::uint32_t checks_ = 0;
  bool on_node_ = false; ///< Not in a worker process of this machine.
  bool lost_ = false;    ///< The worker is.
  bool stopped_ = false; ///< The replica in the worker has said its last word.
  bool may_repeat_ = true;
  bool unreachable_ = false;
};

} // namespace

replica_kind kind_of(const remote_code& what, const deployment_spec& spec) {
  replica_kind kind{{spec.application, spec.name}, spec.per_replica, spec.where, what.likeness()};
  if (kind.code == 0)
    return kind;
  for (const auto& text : {what.deployment(), spec.version, spec.init_args.dump(), to_string(spec.execution)})
    kind.code = (kind.code ^ detail::fnv1a(text)) * 0x100000001b3U;
  kind.code += kind.code == 0 ? 1U : 0U;
  return kind;
}

replica_actor spawn_remote_replica(const control::environment_ptr& env, boot b,
                                   std::shared_ptr<const remote_code> what) {
  caf::actor_config cfg;
  return env->system.spawn_class<remote_shell, caf::no_spawn_options>(cfg, env, std::move(b), std::move(what));
}

} // namespace troupe::replica
