// The control thread, posting, epochs and the watchdog.
#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/control/units.hpp>
#include <troupe/actors/control/watchdog.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::control;

struct config : caf::actor_system_config {
  explicit config(bool simulated = false) {
    register_messages(*this);
    if (simulated)
      set("scheduler.policy", caf::atom("testing"));
  }
};

using counter_api = caf::typed_actor<takes<check_replica>, takes<stop_replica>>;

/// Counts check_replica; on stop_replica it tells how many came, in which order, and whether all ran where they should.
class counter final : public control_actor<counter_api> {
public:
  struct report {
    std::uint32_t count = 0;
    bool in_order = true;
    std::set<std::thread::id> threads;
  };

  counter(caf::actor_config& cfg, environment_ptr e, std::promise<report>* out, caf::actor peer)
      : control_actor(cfg, std::move(e)), out_(out), peer_(std::move(peer)) {}

  void on_exit() override { peer_ = nullptr; }

protected:
  behavior_type make_behavior() override {
    return {
        [this](const check_replica& x) {
          note_.in_order = note_.in_order && x.seq == note_.count + 1;
          ++note_.count;
          note_.threads.insert(std::this_thread::get_id());
          if (peer_)
            post_message(env(), ctrl(), context(), caf::actor_cast<caf::strong_actor_ptr>(peer_),
                         caf::make_message(x.seq));
        },
        [this](const stop_replica&) { out_->set_value(note_); },
    };
  }

private:
  std::promise<report>* out_;
  report note_;
  caf::actor peer_;
};

} // namespace

TEST_CASE("control actors run on the control thread alone, whoever sends, in order per sender") {
  config cfg;
  caf::actor_system sys{cfg};
  auto env = make_environment(sys);
  std::promise<std::thread::id> id;
  std::promise<counter::report> done;
  auto actor = spawn_control<counter>(env, &done, caf::actor{});
  // From a pool actor, which sends with its worker as unit.
  auto sender = sys.spawn([actor, env](caf::event_based_actor* self) {
    for (std::uint32_t i = 1; i <= 10'000; ++i)
      post(*env, self, actor, check_replica{i});
    post(*env, self, actor, stop_replica{});
  });
  auto report = done.get_future().get();
  CHECK(report.count == 10'000);
  CHECK(report.in_order);
  CHECK(report.threads.size() == 1);
  CHECK(report.threads.count(std::this_thread::get_id()) == 0);
  CHECK_FALSE(env->control->is_current());
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_CASE("pool actors that a control actor wakes run in the scheduler") {
  config cfg;
  caf::actor_system sys{cfg};
  auto env = make_environment(sys);
  std::promise<bool> on_control_thread;
  auto peer = sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[&, self](std::uint32_t) {
      on_control_thread.set_value(env->control->is_current());
      CHECK(is_worker_of(*self->context(), sys));
      self->quit();
    }};
  });
  std::promise<counter::report> done;
  auto actor = spawn_control<counter>(env, &done, peer);
  post(*env, nullptr, actor, check_replica{1});
  CHECK_FALSE(on_control_thread.get_future().get());
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_CASE("a stopped control thread leaves its actors to the scheduler, and stopping twice is fine") {
  config cfg;
  caf::actor_system sys{cfg};
  auto env = make_environment(sys);
  std::promise<counter::report> done;
  auto actor = spawn_control<counter>(env, &done, caf::actor{});
  env->control->stop();
  env->control->stop();
  post(*env, nullptr, actor, check_replica{1});
  post(*env, nullptr, actor, stop_replica{});
  CHECK(done.get_future().get().count == 1);
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_CASE("the last reference to an environment may be dropped on the control thread") {
  config cfg;
  caf::actor_system sys{cfg};
  std::promise<counter::report> done;
  auto env = make_environment(sys);
  auto actor = spawn_control<counter>(env, &done, caf::actor{});
  env.reset();
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  actor = nullptr;
} // the system's destructor waits for the actor

TEST_CASE("the control thread looks once per second, also when idle") {
  config cfg;
  caf::actor_system sys{cfg};
  control_thread thread{sys};
  std::promise<void> looked;
  std::atomic<bool> once{false};
  thread.every_second([&](auto) {
    if (!once.exchange(true))
      looked.set_value();
  });
  looked.get_future().wait();
  thread.stop();
}

namespace {

struct recorder : interceptor {
  void post(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest, caf::message content) override {
    held.push_back({sender, dest, std::move(content)});
  }
  void release(std::size_t i) { deliver(held[i].sender, held[i].dest, held[i].content, nullptr); }
  struct item {
    caf::strong_actor_ptr sender, dest;
    caf::message content;
  };
  std::vector<item> held;
};

} // namespace

TEST_CASE("in a simulation the interceptor decides when a control message arrives, how often and in which order") {
  config cfg{true};
  caf::actor_system sys{cfg};
  auto& sched = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  auto env = make_simulated_environment(sys, 7);
  CHECK(env->control == nullptr);
  CHECK(env->seed == 7);
  recorder r;
  env->interceptor = &r;
  std::promise<counter::report> done;
  auto actor = spawn_control<counter>(env, &done, caf::actor{});
  post(*env, nullptr, actor, check_replica{1});
  post(*env, nullptr, actor, check_replica{2});
  post(*env, nullptr, actor, stop_replica{});
  sched.run();
  REQUIRE(r.held.size() == 3);
  r.release(1);
  r.release(0);
  r.release(0);
  r.release(2);
  sched.run();
  auto report = done.get_future().get();
  CHECK(report.count == 3);
  CHECK_FALSE(report.in_order);
  r.held.clear();
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  sched.run();
}

TEST_CASE("a delayed message to oneself comes with the virtual clock") {
  config cfg{true};
  caf::actor_system sys{cfg};
  auto& sched = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  int ticks = 0;
  auto actor = sys.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    post_to_self_after(self, std::chrono::nanoseconds{0}, check_replica{0});
    post_to_self_after(self, std::chrono::seconds{2}, check_replica{1});
    return {[&](const check_replica&) { ++ticks; }};
  });
  sched.run();
  CHECK(ticks == 1);
  sched.advance_time(std::chrono::milliseconds{1999});
  sched.run();
  CHECK(ticks == 1);
  sched.advance_time(std::chrono::milliseconds{1});
  sched.run();
  CHECK(ticks == 2);
}

TEST_CASE("only the tick that was armed last counts, and once") {
  tick_epoch t;
  const auto old = t.arm();
  const auto current = t.arm();
  CHECK_FALSE(t.take(old));
  CHECK(t.take(current));
  CHECK_FALSE(t.take(current));
  const auto again = t.arm();
  t.disarm();
  CHECK_FALSE(t.take(again));
  CHECK_FALSE(t.armed());
}

TEST_CASE("the watchdog logs a run that lasts, once, and forgets it when it ends") {
  config cfg{true};
  caf::actor_system sys{cfg};
  auto env = make_simulated_environment(sys, 1);
  std::vector<std::string> lines;
  env->on_log = [&](log_level, std::string_view text) { lines.emplace_back(text); };
  watched_deployment d;
  d.name = "shop/cart";
  auto& dog = *env->watchdog;
  std::chrono::steady_clock::time_point now{};
  auto look = [&](int ms) { dog.look(*env, now += std::chrono::milliseconds{ms}); };

  running_code outer{.kind = user_code_kind::reconfigure, .replica = {3, 0}, .deployment = &d};
  dog.begin(outer);
  look(0);
  look(999);
  CHECK(lines.empty());
  look(1);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("reconfigure of shop/cart replica 3") != std::string::npos);
  look(5000);
  CHECK(lines.size() == 1);

  running_code inner{.kind = user_code_kind::handler, .replica = {4, 0}, .deployment = &d};
  dog.begin(inner);
  look(0);
  dog.end(inner);
  dog.end(outer);
  look(60'000);
  CHECK(lines.size() == 1);

  running_code next{
      .kind = user_code_kind::check, .replica = {3, 0}, .deployment = &d}; // same place on the stack or not
  dog.begin(next);
  look(60'000);
  CHECK(lines.size() == 1); // seen for the first time
  look(1000);
  CHECK(lines.size() == 2);
  dog.end(next);
  CHECK(dog.threads() == 1);
}

TEST_CASE("threads that have ended are forgotten, and a new watchdog starts afresh") {
  config cfg{true};
  caf::actor_system sys{cfg};
  for (int round = 0; round < 2; ++round) {
    auto env = make_simulated_environment(sys, 1);
    auto& dog = *env->watchdog;
    auto run_once = [&] {
      running_code x;
      dog.begin(x);
      dog.end(x);
    };
    run_once();
    std::thread{run_once}.join();
    CHECK(dog.threads() == 2);
    dog.look(*env, std::chrono::steady_clock::now());
    CHECK(dog.threads() == 1);
  }
}
