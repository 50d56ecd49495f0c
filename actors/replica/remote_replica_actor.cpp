// The shell of a replica in a worker process: the machine of any replica, with a worker's replica actor as its hands.
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/replica/machine.hpp>
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
#include <unordered_map>
#include <utility>
#include <variant>

namespace troupe::replica {

namespace {

/// Requests per message to the worker, then other messages and actors have a turn.
constexpr int requests_per_turn = 64;

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
        place_(next_place()) {
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
        [this](worker_replica_made& x) { remote_ = std::move(x.replica); },
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
    };
  }

private:
  struct begun_call {
    call_ptr call;
    attempt_number attempt = 0;
  };

  // -- the worker

  void on_assigned(worker_assigned& x) {
    if (x.place != place_ || host_ || machine_.current() == phase::ended)
      return;
    host_ = std::move(x.host);
    if (!x.node.empty())
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
    if (!machine_.may_begin() || !host_)
      return; // `effect::begin_requests` follows
    worker_calls out;
    out.place = place_;
    bool more = true;
    for (int i = 0; i < requests_per_turn && more; ++i) {
      auto call = cell_->next();
      if (!call)
        more = false;
      else
        begin(std::move(call), out);
    }
    if (!out.calls.empty())
      send_to_host(std::move(out));
    if (more)
      enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wake_replica{}), context());
  }

  void begin(call_ptr call, worker_calls& out) {
    const auto attempt = call->attempts();
    auto request = call->write_request();
    if (!request)
      return call->refuse(attempt, {errc::signature_mismatch,
                                    identity_.name() + " runs in a worker process, and the request's type cannot "
                                                       "travel there: give it an `inspect`"});
    auto& x = out.calls.emplace_back();
    x.id = ++last_id_;
    x.key = call->key;
    x.request = std::move(*request);
    x.context.request_number = call->ctx.request_number;
    if (call->ctx.has_deadline())
      x.context.remaining = std::max(call->ctx.deadline - calls_->now(), time_point::duration{0});
    const auto caller = call->ctx.caller();
    if (call->ctx.tags || !caller.empty()) {
      x.context.tags = call->ctx.tags ? *call->ctx.tags : request_tags{};
      x.context.tags->caller = caller;
    }
    begun_.emplace(x.id, begun_call{std::move(call), attempt});
    note_running();
  }

  void on_answers(worker_answers& x) {
    const enter_scope scope{{nullptr, nullptr, context()}};
    for (auto& a : x.answers) {
      const auto it = begun_.find(a.id);
      if (it == begun_.end())
        continue;
      const auto which = std::move(it->second);
      begun_.erase(it);
      if (a.code == 0)
        which.call->answer_from(which.attempt, a.content);
      else
        which.call->refuse(which.attempt, error{static_cast<errc>(a.code), code_->shown(std::move(a.content))});
    }
    note_running();
    if (machine_.awaits_drained())
      look_whether_drained();
  }

  /// Health checks are not judged while requests are in the worker.
  void note_running() {
    const auto kind = begun_.empty() ? control::user_code_kind::none : control::user_code_kind::handler;
    cell_->running.store(static_cast<std::uint8_t>(kind), std::memory_order_relaxed);
  }

  /// What had begun ends by this death, or is tried again.
  void give_back_calls() {
    calls_->abandon(*cell_, may_repeat_);
    begun_.clear();
  }

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
  void perform(effect::stop_intake&) { calls_->close(*cell_); }
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
  std::unordered_map<std::uint64_t, begun_call> begun_;
  std::uint64_t last_id_ = 0;
  std::uint32_t updates_ = 0;
  std::uint32_t checks_ = 0;
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
