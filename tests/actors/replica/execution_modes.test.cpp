// Replicas on real threads: where each execution mode runs user code. No sleeps: latches and futures.
#include "test_call.hpp"
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/replica/caller_unit.hpp>
#include <troupe/actors/replica/replica_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <future>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

namespace {

using namespace troupe;
using namespace troupe::replica_test;
using control::user_code_kind;

/// Where a class's members ran.
struct places {
  std::mutex mutex;
  std::set<std::thread::id> handlers, others;
  int constructed = 0, destroyed = 0;
  void handler() {
    const std::lock_guard guard{mutex};
    handlers.insert(std::this_thread::get_id());
  }
  void other() {
    const std::lock_guard guard{mutex};
    others.insert(std::this_thread::get_id());
  }
};

class tracked {
public:
  explicit tracked(places* p) : places_(p) {
    places_->other();
    ++places_->constructed;
  }
  tracked(const tracked&) = delete;
  ~tracked() {
    places_->other();
    ++places_->destroyed;
  }
  pong operator()(ping x) {
    places_->handler();
    return {x.value};
  }
  void reconfigure(const json&) { places_->other(); }
  void check_health() { places_->other(); }

private:
  places* places_;
};

class owner_shell;
using owner_api = replica_owner_actor::extend<takes<replica_stuck>>;

/// Lets a test wait for facts. Lives on the control thread like a DeploymentState.
struct expectations {
  std::promise<void> started, reconfigured, checked;
  std::promise<replica_stopped> stopped;
  std::promise<replica_stuck> stuck;
};

class owner_shell final : public control::control_actor<owner_api> {
public:
  owner_shell(caf::actor_config& cfg, control::environment_ptr e, std::shared_ptr<expectations> x)
      : control_actor(cfg, std::move(e)), expected_(std::move(x)) {}

protected:
  behavior_type make_behavior() override {
    return {
        [this](const replica_started&) { expected_->started.set_value(); },
        [this](const replica_reconfigured&) { expected_->reconfigured.set_value(); },
        [this](const replica_checked&) { expected_->checked.set_value(); },
        [this](const replica_stopped& x) {
          on_control_thread = env().control->is_current();
          expected_->stopped.set_value(x);
        },
        [this](const replica_stuck& x) { expected_->stuck.set_value(x); },
    };
  }

public:
  std::atomic<bool> on_control_thread{false};

private:
  std::shared_ptr<expectations> expected_;
};

struct config : caf::actor_system_config {
  config() { register_messages(*this); }
};

struct threaded {
  ~threaded() {
    caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
    calls->shut({errc::runtime_stopped, {}});
    owner = nullptr;
    actor = nullptr;
    env->control->stop();
  }

  void start(std::shared_ptr<const code> user_code, execution_mode mode) {
    where = &calls->acquire({1, 0});
    auto d = std::make_shared<control::watched_deployment>();
    d->name = "echo";
    actor = replica::spawn_replica(env, {.ref = {1, 0},
                                         .user_code = std::move(user_code),
                                         .calls = calls,
                                         .where = where,
                                         .owner = owner,
                                         .execution = mode,
                                         .deployment = d});
    where->actor = caf::actor_cast<caf::strong_actor_ptr>(actor);
    expected->started.get_future().wait();
    calls->open(*where);
  }

  pong ask(int value, caf::execution_unit* unit = nullptr, const std::function<void()>& then = {}) {
    std::promise<void> done;
    auto c = caf::make_counted<ping_call>(ping{value}, [&] { done.set_value(); });
    router::submit(calls, c, unit);
    if (then)
      then();
    done.get_future().wait();
    return {std::stoi(c->text().substr(5))};
  }

  replica_stopped stop() {
    calls->close(*where);
    control::post(*env, nullptr, actor, stop_replica{1});
    auto last = expected->stopped.get_future().get();
    calls->release(*where);
    return last;
  }

  config cfg;
  caf::actor_system sys{cfg};
  std::shared_ptr<control::environment> env = control::make_environment(sys);
  std::shared_ptr<expectations> expected = std::make_shared<expectations>();
  std::shared_ptr<router> calls = router::make(sys, {.name = "echo", .limits = {.max_ongoing = 100}});
  replica_owner_actor owner = control::spawn_control<owner_shell>(env, expected);
  replica_actor actor;
  cell* where = nullptr;
};

std::shared_ptr<const code> code_of(places& p) {
  return make_code<tracked>([x = &p] { return std::make_unique<tracked>(x); });
}

void reconfigure_and_check(threaded& t) {
  control::post(*t.env, nullptr, t.actor, config_update{1, json_doc{json(1)}});
  t.expected->reconfigured.get_future().wait();
  control::post(*t.env, nullptr, t.actor, check_replica{1});
  t.expected->checked.get_future().wait();
}

} // namespace

TEST_CASE("pool: all user code runs on the scheduler's threads, none on the caller's or the control thread") {
  places p;
  threaded t;
  t.start(code_of(p), execution_mode::pool);
  replica::caller_unit unit{t.sys}; // a foreign unit that comes along is not used
  for (int i = 0; i < 200; ++i)
    CHECK(t.ask(i, i % 2 == 0 ? &unit : nullptr).value == i);
  for (int i = 0; i < 20; ++i)
    CHECK(t.ask(i, t.env->control->outbound()).value == i);
  reconfigure_and_check(t);
  CHECK(t.stop().reason == stop_reason::asked);
  CHECK(p.constructed == 1);
  CHECK(p.destroyed == 1);
  CHECK(p.handlers.count(std::this_thread::get_id()) == 0);
  CHECK(p.others.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("thread: a replica has one thread of its own for all its user code") {
  places p;
  threaded t;
  t.start(code_of(p), execution_mode::thread);
  for (int i = 0; i < 50; ++i)
    CHECK(t.ask(i).value == i);
  reconfigure_and_check(t);
  CHECK(t.stop().reason == stop_reason::asked);
  CHECK(p.handlers.size() == 1);
  CHECK(p.handlers == p.others);
  CHECK(p.destroyed == 1);
}

TEST_CASE("inlined: handlers run on the caller's thread, everything else on the scheduler's") {
  places p;
  threaded t;
  t.start(code_of(p), execution_mode::inlined);
  for (int i = 0; i < 50; ++i) {
    replica::caller_unit unit{t.sys};
    CHECK(t.ask(i, &unit, [&] { unit.run(); }).value == i);
  }
  CHECK(p.handlers.count(std::this_thread::get_id()) == 1);
  reconfigure_and_check(t);
  CHECK(t.stop().reason == stop_reason::asked);
  CHECK(p.others.count(std::this_thread::get_id()) == 0);
  CHECK(p.destroyed == 1);
}

TEST_CASE("inlined: control messages that meet requests on callers' threads still run elsewhere") {
  places p;
  threaded t;
  t.start(code_of(p), execution_mode::inlined);
  std::latch go{3};
  auto caller = [&] {
    go.arrive_and_wait();
    for (int i = 0; i < 500; ++i) {
      replica::caller_unit unit{t.sys};
      t.ask(i, &unit, [&] { unit.run(); });
    }
  };
  std::thread first{caller}, second{caller};
  const auto ids = std::set{first.get_id(), second.get_id()};
  go.arrive_and_wait();
  reconfigure_and_check(t);
  first.join();
  second.join();
  CHECK(t.stop().reason == stop_reason::asked);
  for (const auto& id : ids)
    CHECK(p.others.count(id) == 0);
  CHECK(p.destroyed == 1);
}

TEST_CASE("the last promise, answered on another thread, ends a drain") {
  struct later {
    promise<pong>* slot;
    std::latch* taken;
    void operator()(ping, promise<pong> x) {
      *slot = std::move(x);
      taken->count_down();
    }
  };
  promise<pong> held;
  std::latch taken{1};
  threaded t;
  t.start(make_code<later>([&] { return later{&held, &taken}; }), execution_mode::pool);
  auto c = caf::make_counted<ping_call>(ping{1});
  router::submit(t.calls, c, nullptr);
  taken.wait();
  std::thread answers{[&] { held.answer({5}); }};
  CHECK(t.stop().reason == stop_reason::asked);
  answers.join();
  CHECK(c->text() == "pong 5");
}

TEST_CASE("a handler that hangs is reported once its time is over, and the replica ends when it returns") {
  struct hangs {
    std::latch* entered;
    std::latch* leave;
    pong operator()(ping) {
      entered->count_down();
      leave->wait();
      return {1};
    }
  };
  std::latch entered{1}, leave{1};
  std::mutex mutex;
  std::vector<std::string> lines;
  threaded t;
  t.env->on_log = [&](control::log_level, std::string_view text) {
    const std::lock_guard guard{mutex};
    lines.emplace_back(text);
  };
  t.start(make_code<hangs>([&] { return hangs{&entered, &leave}; }), execution_mode::pool);
  auto c = caf::make_counted<ping_call>(ping{1});
  router::submit(t.calls, c, nullptr);
  entered.wait();
  auto& dog = *t.env->watchdog;
  const auto t0 = std::chrono::steady_clock::time_point{} + std::chrono::hours{24};
  t.env->control->every_second({}); // this test looks by itself
  dog.look(*t.env, t0);
  dog.look(*t.env, t0 + std::chrono::milliseconds{999});
  dog.look(*t.env, t0 + std::chrono::seconds{2});
  dog.look(*t.env, t0 + std::chrono::seconds{3});
  {
    const std::lock_guard guard{mutex};
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("handler of echo replica 1") != std::string::npos);
  }
  dog.look(*t.env, t0 + std::chrono::seconds{301});
  dog.look(*t.env, t0 + std::chrono::seconds{302});
  CHECK(t.expected->stuck.get_future().get().replica.id == 1);
  caf::anon_send_exit(t.actor, caf::exit_reason::kill);
  t.calls->abandon(*t.where);
  CHECK(c->text().find("replica_died") == 0);
  leave.count_down();
  CHECK(t.expected->stopped.get_future().get().reason == stop_reason::killed);
  CHECK(c->outcomes() == 1);
  t.calls->release(*t.where);
}

TEST_CASE("a replica that nobody refers to any more destroys its object and tells its owner") {
  places p;
  threaded t;
  t.start(code_of(p), execution_mode::pool);
  t.calls->close(*t.where);
  t.where->actor = nullptr;
  t.actor = nullptr;
  const auto last = t.expected->stopped.get_future().get();
  CHECK(last.reason == stop_reason::owner_gone);
  CHECK(p.destroyed == 1);
  CHECK(p.others.count(std::this_thread::get_id()) == 0);
  t.calls->release(*t.where);
}
