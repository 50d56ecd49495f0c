// The controller on the virtual clock, with real DeploymentStates and replicas.
// long file: one fixture, one scenario per promise of the front door
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/controller/controller_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/handle/handle.hpp>

#include <doctest/doctest.h>

#include <fixtures/deterministic.hpp>
#include <optional>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct ping {
  int n = 0;
};
struct pong {
  int n = 0;
};

struct echo {
  pong operator()(const ping& x) { return {x.n}; }
};

// Delivers at once; remembers who claims room (the state actors), and what copies of facts a test may send again.
class spy : public control::interceptor {
public:
  struct sent {
    caf::strong_actor_ptr sender, dest;
    caf::message content;
  };

  void post(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest, caf::message content) override {
    if (content.match_elements<claim_room>()) {
      state_actors[content.get_as<claim_room>(0).from] = sender;
      claims.push_back({sender, dest, content});
    }
    if (content.match_elements<deployment_removed>())
      removals.push_back({sender, dest, content});
    if (content.match_elements<deployment_removed>() && hold_removals)
      return;
    control::deliver(sender, dest, std::move(content), nullptr);
  }

  void again(const sent& x) { control::deliver(x.sender, x.dest, x.content, nullptr); }

  void clear() {
    state_actors.clear();
    claims.clear();
    removals.clear();
  }

  std::map<deployment_name, caf::strong_actor_ptr> state_actors;
  std::vector<sent> claims, removals;
  bool hold_removals = false;
};

class world : public test::deterministic {
public:
  explicit world(std::uint32_t max_replicas = 1000, resources local = {}) {
    env->interceptor = &wire;
    front = guard(
        controller::spawn_controller(env, {.max_replicas = max_replicas, .local = std::move(local), .listed = listed}));
    run();
  }
  ~world() {
    end();
    wire.clear();
  }

  static deploy_deployment wish(const std::string& name, std::uint32_t n, const std::string& version = "1") {
    deploy_deployment m;
    m.spec.name = name;
    m.spec.version = version;
    m.spec.num_replicas = n;
    m.user_code = {"echo", make_code<echo>()};
    return m;
  }

  command_result deploy(const std::string& name, std::uint32_t n, const std::string& version = "1") {
    auto answer = ask<command_result>(front, wish(name, n, version));
    REQUIRE(answer);
    return *answer;
  }

  deployment_status status(const std::string& name) {
    auto answer = ask<deployment_status>(front, get_deployment{{"default", name}, true});
    REQUIRE(answer);
    return *answer;
  }

  template <class Answer, class Message>
  error refusal(Message m) {
    auto answer = ask<Answer>(front, std::move(m));
    REQUIRE(!answer);
    return from_caf(answer.error(), system);
  }

  void kill_state_actor(const std::string& name) {
    caf::anon_send_exit(wire.state_actors.at({"default", name}), caf::exit_reason::kill);
    wire.clear();
    run();
  }

  handle<pong(ping)> handle_to(const std::string& name) {
    return handle<pong(ping)>{listed->find({"default", name}).value().calls};
  }

  // What one request gives.
  std::optional<result<pong>> request(const handle<pong(ping)>& h, int n = 1) {
    std::optional<result<pong>> out;
    h.call(ping{n}, [&](result<pong> x) { out.emplace(std::move(x)); });
    run();
    return out;
  }

  std::shared_ptr<controller::directory> listed = std::make_shared<controller::directory>();
  spy wire;
  controller_actor front;
};

const deployment_name echo_name{"default", "echo"};

} // namespace

TEST_CASE("a deployment is created, listed and answers") {
  world w;
  CHECK(w.deploy("echo", 3).change == change_kind::created);
  const auto s = w.status("echo");
  CHECK(s.state == deployment_state_name::healthy);
  CHECK(s.available == 3);
  CHECK(w.listed->names() == std::vector{echo_name});
  auto answer = w.request(w.handle_to("echo"), 7);
  REQUIRE(answer);
  CHECK(answer->value().n == 7);
}

TEST_CASE("a bad deploy is refused with all its bad fields and changes nothing") {
  world w;
  auto m = w.wish("a#b", 0);
  m.spec.user_config = json_doc{json(1)};
  const auto why = w.refusal<command_result>(m);
  CHECK(why.code == errc::invalid_spec);
  for (const auto* part : {"name", "num_replicas", "user_config", "reconfigure"})
    CHECK_MESSAGE(why.message.find(part) != std::string::npos, why.message);
  CHECK(w.listed->names().empty());

  w.deploy("echo", 2);
  m = w.wish("echo", 0, "2");
  CHECK(w.refusal<command_result>(m).code == errc::invalid_spec);
  CHECK(w.status("echo").num_replicas == 2);
}

TEST_CASE("an unknown name is told what there is, by every command and question") {
  world w;
  w.deploy("echo", 1);
  const deployment_name wrong{"default", "ecco"};
  const auto check = [](const error& e) {
    CHECK(e.code == errc::unknown_deployment);
    CHECK(e.message.find("did you mean \"echo\"?") != std::string::npos);
  };
  check(w.refusal<removed_deployment>(delete_deployment{wrong}));
  check(w.refusal<command_result>(scale_deployment{wrong, 2}));
  check(w.refusal<command_result>(control_rollout{wrong, rollout_action::pause, 0}));
  check(w.refusal<deployment_status>(get_deployment{wrong, true}));
  check(w.refusal<deployment_spec>(get_effective_spec{wrong}));
  check(w.refusal<revision_list>(get_history{wrong}));
}

TEST_CASE("of two deploys that race the later one wins, and both are answered") {
  world w;
  auto first = w.send<command_result>(w.front, w.wish("echo", 2, "1"));
  auto second = w.send<command_result>(w.front, w.wish("echo", 4, "2"));
  w.run();
  REQUIRE(first.arrived());
  REQUIRE(second.arrived());
  CHECK(first.get()->revision == 1);
  CHECK(second.get()->revision == 2);
  w.advance(1min);
  const auto s = w.status("echo");
  CHECK(s.state == deployment_state_name::healthy);
  CHECK(s.available == 4);
  for (const auto& r : s.replicas)
    CHECK(r.version == "2");
}

TEST_CASE("scale takes 0 and refuses more than there may be") {
  world w;
  w.deploy("echo", 2);
  CHECK(w.ask<command_result>(w.front, scale_deployment{echo_name, 0})->change == change_kind::scaled);
  CHECK(w.status("echo").available == 0);
  CHECK(w.refusal<command_result>(scale_deployment{echo_name, 10'000'001}).code == errc::invalid_spec);
}

TEST_CASE("config and history come from the deployment") {
  world w;
  w.deploy("echo", 2);
  w.ask<command_result>(w.front, scale_deployment{echo_name, 3});
  CHECK(w.ask<deployment_spec>(w.front, get_effective_spec{echo_name})->num_replicas == 3);
  CHECK(w.ask<revision_list>(w.front, get_history{echo_name})->revisions.size() == 1);
}

TEST_CASE("a deleted deployment is gone, its requests fail, and its handles serve the next of that name") {
  world w;
  w.deploy("echo", 2);
  auto h = w.handle_to("echo");
  REQUIRE(w.ask<removed_deployment>(w.front, delete_deployment{echo_name}));
  CHECK(w.listed->names().empty());
  CHECK(w.count_events("removed") == 1);
  CHECK(w.refusal<deployment_status>(get_deployment{echo_name, true}).code == errc::unknown_deployment);
  auto answer = w.request(h);
  REQUIRE(answer);
  CHECK(answer->code() == errc::unavailable);
  CHECK(answer->why().message.find("deleted") != std::string::npos);

  CHECK(w.deploy("echo", 1).change == change_kind::created);
  answer = w.request(h, 5);
  REQUIRE(answer);
  REQUIRE(answer->ok());
  CHECK(answer->value().n == 5);
}

TEST_CASE("a deploy right behind a delete is served by handles too") {
  world w;
  w.deploy("echo", 2);
  auto h = w.handle_to("echo");
  auto gone = w.send<removed_deployment>(w.front, delete_deployment{echo_name});
  auto again = w.send<command_result>(w.front, w.wish("echo", 1, "2"));
  w.run();
  REQUIRE(gone.arrived());
  REQUIRE(again.arrived());
  CHECK(again.get());
  w.advance(1min);
  CHECK(w.status("echo").state == deployment_state_name::healthy);
  auto answer = w.request(h, 5);
  REQUIRE(answer);
  CHECK(answer->ok());
}

TEST_CASE("the end of a removed state actor does not touch the next of that name") {
  world w;
  w.deploy("echo", 2);
  auto h = w.handle_to("echo");
  auto gone = w.send<removed_deployment>(w.front, delete_deployment{echo_name});
  while (w.count_events("removed") == 0)
    w.sched.run_once(); // its exit message is on the way
  auto again = w.send<command_result>(w.front, w.wish("echo", 1, "2"));
  w.run();
  CHECK(w.status("echo").state == deployment_state_name::healthy);
  auto answer = w.request(h, 5);
  REQUIRE(answer);
  CHECK(answer->ok());
}

TEST_CASE("a removal that a deploy has overtaken does not remove") {
  world w;
  w.deploy("echo", 2);
  w.wire.hold_removals = true;
  w.send<removed_deployment>(w.front, delete_deployment{echo_name});
  w.run();
  REQUIRE(!w.wire.removals.empty());
  auto late = w.wire.removals.back();
  w.deploy("echo", 1, "2"); // goes to the same state actor
  w.wire.hold_removals = false;
  w.wire.again(late);
  w.run();
  CHECK(w.status("echo").available == 1);
  CHECK(w.count_events("removed") == 0);
}

TEST_CASE("copies of a removed deployment's facts do not touch the next of that name") {
  world w{2};
  w.deploy("echo", 2);
  const auto old_claim = w.wire.claims.back();
  w.ask<removed_deployment>(w.front, delete_deployment{echo_name});
  const auto old_removal = w.wire.removals.back();
  w.deploy("echo", 2);
  w.wire.again(old_removal);
  w.wire.again(old_claim);
  w.run();
  CHECK(w.status("echo").available == 2);
  CHECK(w.count_events("removed") == 1);
}

TEST_CASE("deleting what is not there is an error, also the second time") {
  world w;
  w.deploy("echo", 1);
  REQUIRE(w.ask<removed_deployment>(w.front, delete_deployment{echo_name}));
  CHECK(w.refusal<removed_deployment>(delete_deployment{echo_name}).code == errc::unknown_deployment);
}

TEST_CASE("the loss of a state actor is told, survived and repaired by a deploy") {
  world w;
  w.deploy("echo", 2);
  w.deploy("other", 1);
  auto h = w.handle_to("echo");
  w.kill_state_actor("echo");
  CHECK(w.count_events("state_actor_ended") == 1);
  CHECK(!w.log.empty());

  const auto s = w.status("echo");
  CHECK(s.state == deployment_state_name::unhealthy);
  CHECK(s.message.find("state actor of echo ended") != std::string::npos);
  CHECK(s.num_replicas == 2);
  CHECK(w.refusal<command_result>(scale_deployment{echo_name, 3}).code == errc::unavailable);
  CHECK(w.refusal<revision_list>(get_history{echo_name}).code == errc::unavailable);
  CHECK(w.ask<deployment_spec>(w.front, get_effective_spec{echo_name})->num_replicas == 2);
  auto answer = w.request(h);
  REQUIRE(answer);
  CHECK(answer->code() == errc::unavailable);
  CHECK(answer->why().message.find("state actor") != std::string::npos);
  CHECK(w.status("other").state == deployment_state_name::healthy);

  CHECK(w.deploy("echo", 2).change == change_kind::created);
  CHECK(w.status("echo").state == deployment_state_name::healthy);
  answer = w.request(h, 9);
  REQUIRE(answer);
  CHECK(answer->ok());
}

TEST_CASE("a deployment whose state actor is lost can be deleted") {
  world w;
  w.deploy("echo", 2);
  w.kill_state_actor("echo");
  CHECK(w.ask<removed_deployment>(w.front, delete_deployment{echo_name}));
  CHECK(w.listed->names().empty());
  CHECK(w.refusal<deployment_status>(get_deployment{echo_name, true}).code == errc::unknown_deployment);
}

TEST_CASE("no command hangs when its state actor is lost") {
  world w;
  w.deploy("echo", 1);
  // Both are in its mailbox, behind the kill or not; either way they are answered.
  auto state = w.wire.state_actors.at(echo_name);
  w.wire.clear();
  auto gone = w.send<removed_deployment>(w.front, delete_deployment{echo_name});
  auto wish = w.send<command_result>(w.front, w.wish("echo", 3, "2"));
  auto list = w.send<application_list>(w.front, get_applications{});
  while (w.sched.has_job() && !gone.arrived() && !wish.arrived()) {
    w.sched.run_once();
    if (state && w.sched.jobs.size() <= 1)
      caf::anon_send_exit(std::exchange(state, nullptr), caf::exit_reason::kill);
  }
  state = nullptr;
  w.run();
  CHECK(gone.arrived());
  CHECK(wish.arrived());
  REQUIRE(list.arrived());
  CHECK(list.get());
}

TEST_CASE("all applications are listed by name, the lost ones too") {
  world w;
  auto m = w.wish("count", 1);
  m.spec.application = "text";
  REQUIRE(w.ask<command_result>(w.front, m));
  w.deploy("zeta", 1);
  w.deploy("echo", 2);
  w.kill_state_actor("echo");
  const auto list = w.ask<application_list>(w.front, get_applications{});
  REQUIRE(list);
  REQUIRE(list->applications.size() == 2);
  const auto& a = list->applications[0];
  CHECK(a.name == "default");
  REQUIRE(a.deployments.size() == 2);
  CHECK(a.deployments[0].name == "echo");
  CHECK(a.deployments[0].state == deployment_state_name::unhealthy);
  CHECK(a.deployments[1].name == "zeta");
  CHECK(a.state == application_state_name::unhealthy);
  CHECK(a.message.find("echo: ") == 0);
  CHECK(list->applications[1].name == "text");
  CHECK(list->applications[1].state == application_state_name::running);
}

TEST_CASE("without deployments the list is empty") {
  world w;
  const auto list = w.ask<application_list>(w.front, get_applications{});
  REQUIRE(list);
  CHECK(list->applications.empty());
}

TEST_CASE("deployments share the room; what one gives back the next one gets") {
  world w{3};
  w.deploy("a", 2);
  w.deploy("b", 2);
  CHECK(w.status("a").available == 2);
  auto b = w.status("b");
  CHECK(b.available == 1);
  CHECK(b.waiting_for_room == 1);
  w.ask<command_result>(w.front, scale_deployment{{"default", "a"}, 1});
  w.advance(1min);
  CHECK(w.status("b").available == 2);
}

TEST_CASE("deployments share resources; orphans hold theirs until they end, and what can never fit is told at once") {
  world w{0, resources{}.set(resource_name::cpus, 4 * resource_unit)};
  const auto asking = [](const std::string& name, std::uint32_t n, std::uint64_t cpus) {
    auto m = world::wish(name, n);
    m.spec.per_replica.set(resource_name::cpus, cpus * resource_unit);
    return m;
  };
  const auto used = [&] {
    const auto report = w.ask<resource_report>(w.front, get_resources{});
    REQUIRE(report);
    return report->nodes.at(0).used.of(resource_name::cpus) / resource_unit;
  };
  w.ask<command_result>(w.front, asking("a", 3, 1));
  w.ask<command_result>(w.front, asking("b", 2, 1));
  CHECK(used() == 4);
  CHECK(w.status("b").waiting_for_room == 1);
  CHECK(w.status("b").message == "waiting for room: 1 replica wants 1 num_cpus, 0 of 4 free");
  w.kill_state_actor("a");
  w.advance(1min);
  CHECK(w.status("b").available == 2);
  CHECK(used() == 2);
  w.ask<command_result>(w.front, asking("a", 3, 1));
  w.advance(1min);
  CHECK(w.status("a").available == 2);
  const auto never = w.ask<command_result>(w.front, asking("c", 1, 5));
  REQUIRE(never);
  CHECK(never->message == "its replicas wait for room: each asks for 5 num_cpus, more than there is in all (4)");
}

TEST_CASE("the room of a deleted deployment, and of a lost one, is free") {
  world w{2};
  w.deploy("a", 2);
  w.deploy("b", 1);
  w.deploy("c", 1);
  CHECK(w.status("b").available == 0);
  w.kill_state_actor("a");
  w.advance(1min);
  CHECK(w.status("b").available == 1);
  CHECK(w.status("c").available == 1);
  w.deploy("a", 1);
  CHECK(w.status("a").available == 0);
  w.ask<removed_deployment>(w.front, delete_deployment{{"default", "b"}});
  w.advance(1min);
  CHECK(w.status("a").available == 1);
}

TEST_CASE("replicas whose state actor is lost keep their room and their places in the router until they have ended") {
  struct counted : echo {
    counted(int& now, int& most) : alive(now) { most = std::max(most, ++alive); }
    ~counted() { --alive; }
    counted(const counted&) = delete;
    int& alive;
  };
  world w{4};
  int alive = 0, most = 0;
  auto wish = w.wish("echo", 4);
  wish.user_code.local = make_code<counted>([&] { return std::make_unique<counted>(alive, most); });
  REQUIRE(w.ask<command_result>(w.front, wish));
  CHECK(alive == 4);
  const auto state_actor = w.wire.state_actors.at(echo_name);
  w.wire.clear();
  caf::anon_send_exit(state_actor, caf::exit_reason::kill);
  while (w.sched.prioritize(state_actor) || w.sched.prioritize(w.front))
    w.sched.run_once();
  CHECK(w.count_events("state_actor_ended") == 1);
  CHECK(alive == 4);
  auto again = w.send<command_result>(w.front, wish);
  // Control actors first, then the newest job: new replicas, if there were room for them, before old ones end.
  const auto control_first = [&] {
    for (const auto& [name, state] : w.wire.state_actors)
      if (state && w.sched.prioritize(state))
        return w.sched.try_run_once();
    return w.sched.prioritize(w.front) ? w.sched.try_run_once() : w.sched.try_run_once_lifo();
  };
  while (control_first()) {
  }
  REQUIRE(again.arrived());
  w.advance(1min);
  CHECK(w.status("echo").available == 4);
  CHECK(alive == 4);
  CHECK(most == 4);
  const auto calls = w.listed->find(echo_name).value().calls;
  auto& free_place = calls->acquire({99, 0});
  CHECK(free_place.index() < 8);
  calls->release(free_place);
  w.kill_state_actor("echo");
  CHECK(alive == 0);
  CHECK(calls->acquire({99, 0}).index() == 0);
}

TEST_CASE("an exit message ends all in order: open commands fail, handles too, nothing is left") {
  world w;
  w.deploy("echo", 2);
  auto h = w.handle_to("echo");
  caf::anon_send_exit(w.front, caf::exit_reason::user_shutdown);
  auto late = w.send<command_result>(w.front, w.wish("echo", 3, "2"));
  w.run();
  REQUIRE(late.arrived());
  CHECK(!late.get());
  CHECK(w.listed->names().empty());
  auto answer = w.request(h);
  REQUIRE(answer);
  CHECK(answer->code() == errc::runtime_stopped);
  w.advance(1min);
  w.wire.clear();
  CHECK(w.system.registry().running() == 0);
}

TEST_CASE("a command has an answer wherever it is when the controller ends or is killed") {
  for (const auto reason : {caf::exit_reason::user_shutdown, caf::exit_reason::kill}) {
    for (int steps = 0; steps < 12; ++steps) {
      CAPTURE(steps);
      CAPTURE(to_string(reason));
      world w;
      w.deploy("echo", 1);
      auto wish = w.send<command_result>(w.front, w.wish("echo", 2, "2"));
      auto list = w.send<application_list>(w.front, get_applications{});
      auto gone = w.send<removed_deployment>(w.front, delete_deployment{echo_name});
      for (int i = 0; i < steps && w.sched.has_job(); ++i)
        w.sched.run_once();
      caf::anon_send_exit(w.front, reason);
      w.sched.prioritize(w.front); // before its state actors answer
      w.run();
      CHECK(wish.arrived());
      CHECK(list.arrived());
      CHECK(gone.arrived());
    }
  }
}
