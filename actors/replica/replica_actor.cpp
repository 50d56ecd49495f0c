// The shell of a replica: translates messages to events of the machine, runs its effects, and calls user code.
// long file: one shell; where user code runs and what may come between is told in one place
//
// Where it runs. Pool: on workers of the scheduler only; a message that comes with any other execution unit (the
// control thread's, a multiplexer's, a caller's) resumes it there. Thread: CAF's private thread. Inlined: also on an
// `inline_unit`, but there for handlers only. When a message makes the machine ask for other user code on such a unit,
// the shell keeps that as `deferred_`, sends itself `user_code_due` and, between two messages, moves to the scheduler
// (`resume`).
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/units.hpp>
#include <troupe/actors/replica/caller_unit.hpp>
#include <troupe/actors/replica/machine.hpp>
#include <troupe/actors/replica/promise_gate.hpp>
#include <troupe/actors/replica/reaper.hpp>
#include <troupe/actors/replica/remote_replica_actor.hpp>
#include <troupe/actors/replica/replica_actor.hpp>
#include <troupe/actors/replica/user_code_border.hpp>
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/result.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::replica {

/// Deferred user code may run now. Local.
struct user_code_due {
  std::uint32_t epoch = 0;
};

} // namespace troupe::replica

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::replica::user_code_due)

namespace troupe::replica {

namespace {

using control::user_code_kind;

/// Requests per wake-up, then other messages and actors have a turn.
constexpr int requests_per_turn = 32;

std::string text_of(const caf::error& reason) {
  if (!reason)
    return "nobody refers to it";
  return reason.category() == caf::atom("exit") ? to_string(static_cast<caf::exit_reason>(reason.code()))
                                                : to_string(reason);
}

using shell_api = replica_actor::extend<takes<wake_replica>, takes<user_code_due>, takes<adopt_replica>>;

class shell final : public shell_api::base, private replica_host {
public:
  using super = shell_api::base;

  shell(caf::actor_config& cfg, control::environment_ptr env, boot&& b)
      : super(cfg), identity_{std::move(env), std::move(b.deployment), std::move(b.owner), b.ref, b.revision},
        code_(std::move(b.user_code)), calls_(std::move(b.calls)), cell_(b.where), execution_(b.execution) {
    deferred_ = std::make_unique<deferred>();
    deferred_->init_args = std::move(b.init_args);
    deferred_->user_config = std::move(b.user_config);
    // Function pointers: no allocation, and no output as CAF's have.
    set_default_handler(caf::drop);
    set_exception_handler(&shell::on_exception);
  }

  const char* name() const override { return "troupe.replica"; }

  using super::enqueue;
  void enqueue(caf::mailbox_element_ptr ptr, caf::execution_unit* unit) override {
    if (execution_ == execution_mode::inlined) {
      if (auto* own = dynamic_cast<inline_unit*>(unit)) {
        const inline_unit::handing_over mark{*own};
        return super::enqueue(std::move(ptr), unit);
      }
    }
    super::enqueue(std::move(ptr), unit && hands_on_or_works(*unit) ? unit : nullptr);
  }

  resume_result resume(caf::execution_unit* unit, std::size_t max_messages) override {
    // What runs in this turn outside of a `user_code_scope`: continuations of the calls that the user code made.
    const auto note = note_of(identity_, "continuation");
    const control::note_scope noted{note};
    if (execution_ != execution_mode::inlined || !dynamic_cast<inline_unit*>(unit))
      return super::resume(unit, max_messages);
    for (std::size_t i = 0; i < max_messages; ++i) {
      // Only after `resume_later` the actor is still ours; after any other answer it may already run elsewhere.
      if (const auto r = super::resume(unit, 1); r != resume_later)
        return r;
      if (std::exchange(leave_unit_, false)) {
        caf::intrusive_ptr_add_ref(ctrl()); // the scheduler's; the unit drops its own
        home_system().scheduler().enqueue(this);
        return awaiting_message;
      }
    }
    return resume_later;
  }

  void on_exit() override { kill(fail_state(), !unreachable_ && !on_foreign_unit()); }

  void on_destroy() override {
    unreachable_ = true; // no reference may be made of this actor any more, and the thread may be anyone's
    context(nullptr);
    super::on_destroy();
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* unit) override {
    if (machine_.current() != phase::ended) { // no `on_exit` came: the scheduler stops, and nothing will run later
      context(nullptr);
      kill(reason, true);
    }
    return super::cleanup(std::move(reason), unit);
  }

protected:
  behavior_type make_behavior() override {
    run(machine_.start());
    return {
        [this](config_update& x) {
          run(machine_.step(event::update{x.seq, std::move(x.user_config)}));
        },
        [this](const check_replica& x) { run(machine_.step(event::check{x.seq})); },
        [this](const stop_replica& x) {
          if (x.id == identity_.ref.id)
            run(machine_.step(event::stop{}));
        },
        [this](wake_replica) { on_wake(); },
        [this](user_code_due x) { on_due(x.epoch); },
        [this](adopt_replica& x) {
          identity_.ref = x.ref;
          identity_.revision = x.revision;
          identity_.owner = std::move(x.owner);
          run(machine_.step(event::adopted{}));
        },
    };
  }

private:
  /// User code that waits for its time or for another thread; rare but for the constructor.
  struct deferred {
    user_code_kind kind = user_code_kind::none;
    json_doc init_args;
    json_doc user_config;
    std::optional<std::string> throws;
  };

  // -- where it runs

  /// A worker, or the control thread's way out, which gives what it gets to the scheduler in bulk.
  bool hands_on_or_works(const caf::execution_unit& unit) const {
    const auto& control = identity_.env->control;
    return (control && control->outbound() == &unit) || control::is_worker_of(unit, home_system());
  }

  bool on_foreign_unit() const {
    return execution_ == execution_mode::inlined && dynamic_cast<inline_unit*>(context());
  }

  // -- requests

  void on_wake() {
    if (machine_.awaits_drained())
      look_whether_drained();
    else
      begin_requests();
  }

  void begin_requests() {
    if (!machine_.may_begin())
      return; // `effect::begin_requests` follows
    const enter_scope scope{{this, nullptr, context()}};
    for (int i = 0; i < requests_per_turn; ++i) {
      const auto call = cell_->next();
      if (!call)
        return;
      handle(*call);
      if (!mailbox().empty())
        break; // control messages go first
    }
    super::enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wake_replica{}), context());
  }

  void handle(call_base& call) {
    const auto attempt = call.attempts();
    handler_frame frame{this, &call};
    auto code = errc::handler_failed;
    const auto failed = run_user_code(identity_, cell_, user_code_kind::handler, {this, &call, context()}, [&] {
      frame_scope scope{frame};
      try {
        object_->handle(call, attempt, frame);
      } catch (const request_failed& e) {
        if (e.code() == errc::backpressure) // a full queue stays one along the chain of calls
          code = e.code();
        throw;
      }
    });
    if (failed && frame.has_promise && !frame.promise_dropped)
      call.fail(error{code, *failed}); // the promise still holds the attempt, or has ended it
    else if (failed)
      call.refuse(attempt, error{code, *failed});
    else if (frame.promise_dropped)
      call.refuse(attempt, error{errc::promise_dropped, "the handler dropped its promise"});
  }

  std::shared_ptr<promise_link> link() override {
    if (!gate_)
      gate_ = std::make_shared<promise_gate>(calls_, *cell_, ctrl());
    return gate_;
  }

  void look_whether_drained() {
    if (cell_->begun() == 0)
      run(machine_.step(event::drained{}));
  }

  // -- user code other than handlers

  void begin(user_code_kind kind) {
    if (!deferred_)
      deferred_ = std::make_unique<deferred>();
    deferred_->kind = kind;
    std::chrono::nanoseconds takes{0};
    if (auto* hook = identity_.env->user_code_hook; hook && kind != user_code_kind::destructor) {
      auto answer = hook->before(kind, identity_.ref, identity_.name());
      takes = answer.takes;
      deferred_->throws = std::move(answer.throws);
    }
    if (takes.count() > 0 || kind == user_code_kind::constructor || on_foreign_unit())
      postpone(takes);
    else
      run_deferred();
  }

  void postpone(std::chrono::nanoseconds delay) {
    leave_unit_ = on_foreign_unit();
    control::post_to_self_after(this, delay, user_code_due{++due_epoch_});
  }

  void on_due(std::uint32_t epoch) {
    if (!deferred_ || epoch != due_epoch_)
      return;
    if (on_foreign_unit())
      postpone(std::chrono::nanoseconds{0});
    else
      run_deferred();
  }

  void run_deferred() {
    const auto work = std::move(deferred_);
    const auto failed = run_user_code(identity_, cell_, work->kind, {this, nullptr, context()}, [&] {
      if (work->throws)
        throw std::runtime_error(*work->throws);
      switch (work->kind) {
      case user_code_kind::constructor:
        object_ = code_->construct(work->init_args.get());
        break;
      case user_code_kind::reconfigure:
        if (!code_->traits().has_reconfigure)
          throw std::runtime_error(code_->traits().name + " has no reconfigure");
        object_->reconfigure(work->user_config.get());
        break;
      case user_code_kind::check:
        if (code_->traits().has_check_health)
          object_->check_health();
        break;
      case user_code_kind::destructor:
        delete object_.release(); // unique_ptr's own way must not throw
        break;
      case user_code_kind::none:
      case user_code_kind::handler:
        break;
      }
    });
    const auto ok = !failed;
    auto message = failed.value_or(std::string{});
    switch (work->kind) {
    case user_code_kind::constructor: {
      auto config = code_->traits().has_reconfigure ? std::move(work->user_config) : json_doc{};
      return run(machine_.step(event::constructed{ok, std::move(message), std::move(config)}));
    }
    case user_code_kind::reconfigure:
      return run(machine_.step(event::reconfigured{ok, std::move(message)}));
    case user_code_kind::check:
      return run(machine_.step(event::checked{ok, std::move(message)}));
    case user_code_kind::destructor:
      return run(machine_.step(event::destroyed{std::move(message)}));
    case user_code_kind::none:
    case user_code_kind::handler:
      break;
    }
  }

  // -- effects

  void run(effects&& xs) {
    for (auto& x : xs)
      std::visit([this](auto& e) { perform(e); }, x);
  }

  void perform(effect::construct&) { begin(user_code_kind::constructor); }
  void perform(effect::reconfigure& e) {
    cell_->standing.fetch_or(cell::configured, std::memory_order_relaxed);
    deferred_ = std::make_unique<deferred>();
    deferred_->user_config = std::move(e.user_config);
    begin(user_code_kind::reconfigure);
  }
  void perform(effect::check&) { begin(user_code_kind::check); }
  void perform(effect::destroy&) {
    cell_->standing.fetch_and(static_cast<std::uint8_t>(~cell::up), std::memory_order_relaxed);
    begin(user_code_kind::destructor);
  }
  void perform(effect::report_started&) {
    cell_->standing.fetch_or(cell::up, std::memory_order_relaxed);
    report(replica_started{identity_.ref});
  }
  void perform(effect::report_reconfigured& e) {
    report(replica_reconfigured{identity_.ref, e.seq, e.ok, std::move(e.message)});
  }
  void perform(effect::report_checked& e) { report(replica_checked{identity_.ref, e.seq, e.ok, std::move(e.message)}); }
  void perform(effect::prefer_others& e) { cell_->set_reconfiguring(e.on); }
  void perform(effect::stop_intake&) {
    cell_->standing.fetch_and(static_cast<std::uint8_t>(~cell::up), std::memory_order_relaxed);
    calls_->close(*cell_);
  }
  void perform(effect::await_drained&) {
    if (gate_)
      gate_->await();
    look_whether_drained();
  }
  void perform(effect::begin_requests&) {
    if (gate_)
      gate_->await_no_more();
    begin_requests();
  }
  void perform(effect::end& e) {
    calls_->abandon(*cell_);
    report(replica_stopped{identity_.ref, e.reason, std::move(e.message)});
    forget();
    quit();
  }

  template <class Fact>
  void report(Fact fact) {
    control::post(*identity_.env, unreachable_ ? nullptr : this, identity_.owner, std::move(fact));
  }

  // -- the end

  /// Ends a replica that has not said its last word. Unless the destructor may run `here`, the scheduler is given it.
  void kill(const caf::error& reason, bool here) {
    if (machine_.current() == phase::ended)
      return;
    cell_->standing.fetch_and(static_cast<std::uint8_t>(~cell::up), std::memory_order_relaxed);
    const auto gone = unreachable_ || reason == caf::exit_reason::user_shutdown;
    auto xs = machine_.step(event::killed{gone ? stop_reason::owner_gone : stop_reason::killed, text_of(reason)});
    if (!object_) {
      run(std::move(xs)); // its end
    } else if (!here) {
      calls_->abandon(*cell_);
      auto last = std::get<effect::end>(machine_.step(event::destroyed{}).front());
      reap(identity_, std::move(code_), std::move(object_), last.reason, std::move(last.message));
      forget();
    } else {
      calls_->abandon(
          *cell_); // before its promises go with the object: what had begun ends by this death, or is tried again
      deferred_ = std::make_unique<deferred>();
      deferred_->kind = user_code_kind::destructor;
      run_deferred();
    }
  }

  /// Breaks the cycles with the owner and the router.
  void forget() {
    deferred_.reset();
    gate_.reset();
    identity_.owner = nullptr;
    calls_.reset();
    code_.reset();
    cell_ = nullptr;
  }

  /// What a continuation of a call threw that this replica made, or a fault of ours.
  static caf::error on_exception(caf::scheduled_actor* self, std::exception_ptr& e) {
    auto& who = static_cast<shell*>(self)->identity_;
    try {
      std::rethrow_exception(e);
    } catch (...) {
      who.env->log(control::log_level::error, who.name() + " replica " + std::to_string(who.ref.id) +
                                                  " ended by an exception: " + text_of_current_exception());
    }
    return caf::sec::runtime_error;
  }

  identity identity_;
  std::shared_ptr<const code> code_;
  std::unique_ptr<instance> object_;
  std::shared_ptr<router> calls_;
  cell* cell_;
  std::shared_ptr<promise_gate> gate_;
  std::unique_ptr<deferred> deferred_;
  machine machine_;
  std::uint32_t due_epoch_ = 0;
  execution_mode execution_;
  bool leave_unit_ = false;
  bool unreachable_ = false;
};

} // namespace

void adopt(const replica_actor& which, adopt_replica by) {
  caf::anon_send(caf::actor_cast<shell_api>(which), std::move(by));
}

replica_actor spawn_replica(const control::environment_ptr& env, boot b) {
  if (auto remote = std::dynamic_pointer_cast<const remote_code>(b.user_code))
    return spawn_remote_replica(env, std::move(b), std::move(remote));
  caf::actor_config cfg;
  if (b.execution == execution_mode::thread && env->detach)
    return env->system.spawn_class<shell, caf::detached>(cfg, env, std::move(b));
  return env->system.spawn_class<shell, caf::no_spawn_options>(cfg, env, std::move(b));
}

} // namespace troupe::replica
