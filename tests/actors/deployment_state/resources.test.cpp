// Replicas that ask for resources: what starts, what waits, and waves between revisions that ask for different amounts.
#include "machine_fixture.hpp"

namespace troupe::deployment_state::test {

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

auto each(resources r) {
  return [r = std::move(r)](deployment_spec& s) { s.per_replica = r; };
}

deployment_spec asking(const std::string& version, std::uint32_t n, std::uint64_t cpus_each) {
  return target(version, n, each(cpus(cpus_each)));
}

} // namespace

TEST_CASE("as many start as there is room for, the others wait with the reason and start when room appears") {
  world w;
  w.local = cpus(8);
  w.deploy(asking("v1", 5, 2));
  w.run_for(1s);
  CHECK(w.available() == 4);
  CHECK(w.status().waiting_for_room == 1);
  CHECK(w.status().message == "waiting for room: 1 replica wants 2 num_cpus, 0 of 8 free");
  CHECK(w.state() == state::upscaling);
  w.grow_room(cpus(9));
  w.run_for(1s);
  CHECK(w.available() == 4);
  w.grow_room(cpus(10));
  w.run_for(1s);
  CHECK(w.available() == 5);
  CHECK(w.state() == state::healthy);
  CHECK(w.status().message.empty());
  CHECK_SOUND(w);
}

TEST_CASE("what others hold is not there until they give it back") {
  world w;
  w.local = cpus(8);
  w.others_hold(cpus(1), 7);
  w.deploy(asking("v1", 3, 2));
  w.run_for(1s);
  CHECK(w.available() == 0);
  CHECK(w.status().message == "waiting for room: 3 replicas want 2 num_cpus each, 1 of 8 free");
  w.others_hold(cpus(1), 4);
  w.run_for(1s);
  CHECK(w.available() == 2);
  w.others_hold(cpus(1), 0);
  w.run_for(1s);
  CHECK(w.available() == 3);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("what can never fit says so, and waits") {
  world w;
  w.local = cpus(8);
  w.deploy(asking("v1", 2, 9));
  w.run_for(1h);
  CHECK(w.started == 0);
  CHECK(w.status().waiting_for_room == 2);
  CHECK(w.status().message ==
        "waiting for room: 2 replicas want 9 num_cpus each, more than there is in all (8): it can "
        "never start here");
  w.grow_room(cpus(18));
  w.run_for(1s);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("an update to what can never fit takes nothing away") {
  world w;
  w.local = cpus(8);
  establish(w, asking("v1", 8, 1));
  w.deploy(asking("v2", 8, 9));
  w.run_for(1h);
  CHECK(w.waves.empty());
  CHECK(w.min_available == 8);
  CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
  CHECK(w.status().message.find("more than there is in all (8)") != std::string::npos);
  w.control(rollout_action::abort);
  w.run_for(1s);
  CHECK(w.status().rollout.phase == rollout_phase::complete);
  CHECK(w.available("v1") == 8);
  CHECK_SOUND(w);
}

TEST_CASE("a change of what replicas ask for rolls, an equal one does not") {
  world w;
  w.local = cpus(20);
  establish(w, asking("v1", 4, 1));
  CHECK(w.deploy(asking("v1", 4, 1)).change == change_kind::none);
  CHECK(w.deploy(asking("v1", 4, 2)).change == change_kind::replaced);
  w.run_for(10s);
  CHECK(w.state() == state::healthy);
  CHECK(w.min_available == 4);
  CHECK(w.waves == sizes{1, 1, 1, 1});
  CHECK_SOUND(w);
}

TEST_CASE("with room for the surge waves are start_first, without it they are stop_first") {
  for (const auto& [has, least] : {std::pair{12U, 10U}, {11U, 10U}, {10U, 8U}}) {
    CAPTURE(has);
    world w;
    w.local = cpus(has);
    establish(w, asking("v1", 10, 1));
    w.deploy(asking("v2", 10, 1));
    w.run_for(20s);
    CHECK(w.available("v2") == 10);
    CHECK(w.min_available == least);
    CHECK(w.state() == state::healthy);
    CHECK_SOUND(w);
  }
}

TEST_CASE("a stop_first wave to larger replicas starts as many as its outgoing ones make room for") {
  world w;
  w.local = cpus(10);
  establish(w, asking("v1", 10, 1));
  w.deploy(asking("v2", 10, 2)); // W = 2: each wave stops two of 1 and starts one of 2
  w.run_for(30s);
  CHECK(w.available("v2") == 5);
  CHECK(w.available("v1") == 0);
  CHECK(w.waves == sizes{2, 2, 2, 2, 2});
  CHECK(w.phase() == rollout_phase::complete);
  CHECK(w.status().waiting_for_room == 5);
  w.grow_room(cpus(20));
  w.run_for(2s);
  CHECK(w.available("v2") == 10);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a wave that makes room for none does not begin: just before and at the size that fits") {
  for (const auto& [size, fitting] : {std::pair{2U, true}, {3U, true}, {4U, false}}) { // W = 2 of 1, and 1 is free
    CAPTURE(size);
    world w;
    w.local = cpus(11);
    establish(w, asking("v1", 10, 1));
    w.deploy(asking("v2", 10, size));
    w.run_for(60s);
    CHECK((w.available("v2") > 0) == fitting);
    if (!fitting) {
      CHECK(w.min_available == 10);
      CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
      CHECK(w.status().message == "waiting for room: 1 replica wants 4 num_cpus, 1 of 11 free, and 2 of those that a "
                                  "wave would stop");
    }
    CHECK_SOUND(w);
  }
}

TEST_CASE("room that a wave's outgoing replicas free is the wave's, though another deployment waits for it") {
  world w;
  w.local = cpus(10);
  establish(w, asking("v1", 10, 1));
  w.others_hold(cpus(1), 3); // waits
  w.deploy(asking("v2", 10, 2));
  w.run_for(30s);
  CHECK(w.available("v2") == 5);
  CHECK_SOUND(w);
}

TEST_CASE("to smaller replicas: what is left over starts those that waited") {
  world w;
  w.local = cpus(6);
  w.deploy(asking("v1", 6, 2));
  w.run_for(30s);
  CHECK(w.available() == 3);
  w.deploy(asking("v2", 6, 1));
  w.run_for(30s);
  CHECK(w.available("v2") == 6);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("from replicas that ask for nothing to such that do: as many as fit, the others serve on as they are") {
  world w;
  w.local = cpus(3);
  establish(w, target("v1", 5));
  w.deploy(asking("v2", 5, 1));
  w.run_for(30s);
  CHECK(w.available("v2") == 3);
  CHECK(w.available("v1") == 2);
  CHECK(w.min_available == 5);
  CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
  w.scale(3);
  w.run_for(30s);
  CHECK(w.available("v2") == 3);
  CHECK(w.phase() == rollout_phase::complete);
  CHECK_SOUND(w);
}

TEST_CASE("from replicas that ask to such that ask for nothing all are started") {
  world w;
  w.local = cpus(3);
  w.deploy(asking("v1", 5, 1));
  w.run_for(30s);
  CHECK(w.available() == 3);
  w.deploy(target("v2", 5));
  w.run_for(30s);
  CHECK(w.available("v2") == 5);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a larger release that does not start is rolled back to replicas of the former size") {
  world w;
  w.local = cpus(10);
  establish(w, asking("v1", 10, 1));
  w.on_start = broken_version("v2");
  w.deploy(asking("v2", 10, 2));
  w.run_for(60s);
  CHECK(w.available("v1") == 10);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.status().waiting_for_room == 0);
  CHECK_SOUND(w);
}

TEST_CASE("a dead replica is replaced at once in a wave that waits for its outgoing ones") {
  world w;
  w.local = cpus(10);
  establish(w, asking("v1", 10, 1));
  w.on_stop = [](const puppet&) { return outcome{.after = 15s}; };
  w.deploy(asking("v2", 10, 2));
  w.run_for(1s); // two drain
  REQUIRE(w.available("v1") == 8);
  w.kill(w.refs(&puppet::available, "v1").front());
  w.run_for(1s);
  CHECK(w.available("v1") == 8);
  CHECK_SOUND(w);
}

TEST_CASE("with max_replicas too, both bounds hold") {
  world w{1, {.room_limited = true}};
  w.local = cpus(10);
  w.max_replicas = 6;
  w.deploy(asking("v1", 8, 1));
  w.run_for(30s);
  CHECK(w.available() == 6);
  w.deploy(asking("v2", 8, 2));
  w.run_for(30s);
  CHECK(w.available("v2") == 4); // W = 1: another one of 1 makes no room for one of 2
  CHECK(w.available("v1") == 2);
  CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
  CHECK_SOUND(w);
}

TEST_CASE("empty slots that the old revision has no room for are the new one's, and nothing stops for that") {
  for (const auto strategy : {rollout_strategy::start_first, rollout_strategy::stop_first}) {
    CAPTURE(to_string(strategy));
    const auto with = [&](const std::string& version, resources r) {
      return target(version, 5, [&](deployment_spec& s) {
        s.per_replica = std::move(r);
        s.rollout.strategy = strategy;
      });
    };
    world w;
    w.local = cpus(5).set(resource_name::memory, 800);
    w.deploy(with("v1", cpus(1).set(resource_name::memory, 300)));
    w.run_for(30s);
    REQUIRE(w.available() == 2);
    w.reset_extremes();
    w.deploy(with("v2", cpus(1)));
    REQUIRE(w.rest());
    CHECK(w.waves == sizes{1, 1, 1}); // after the first one the other empty slots are the target's at once
    CHECK(w.stopped == 2);
    CHECK(w.min_available == 2);
    CHECK(w.available("v2") == 5);
    CHECK(w.state() == state::healthy);
    CHECK_SOUND(w);
  }
}

TEST_CASE("a base that there is no room for any more keeps out no target that there is room for") {
  world w;
  w.local = cpus(4);
  establish(w, asking("v1", 2, 2));
  w.scale(0);
  w.run_for(30s);
  w.others_hold(cpus(1), 3);
  w.scale(2);
  w.run_for(30s);
  CHECK(w.live() == 0);
  CHECK(w.status().message == "waiting for room: 2 replicas want 2 num_cpus each, 1 of 4 free");
  w.deploy(asking("v2", 2, 1));
  w.run_for(30s);
  CHECK(w.available("v2") == 1);
  w.others_hold(cpus(1), 0);
  w.run_for(30s);
  CHECK(w.available("v2") == 2);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a restart in the middle of a rollout to larger replicas: those that are new already are replaced, too") {
  world w;
  w.local = cpus(10);
  establish(w, asking("v1", 10, 1));
  w.on_start = [](const puppet&) { return outcome{.after = 5s}; };
  w.deploy(asking("v2", 10, 2));
  while (w.available("v2") < 2)
    REQUIRE(w.step());
  const auto revision = w.control(rollout_action::restart).revision;
  REQUIRE(w.rest());
  CHECK(w.available("v2") == 5);
  CHECK(w.live() == 5);
  for (const auto& r : w.status(true).replicas)
    CHECK(r.revision == revision);
  CHECK(w.status().waiting_for_room == 5);
  CHECK(w.phase() == rollout_phase::complete);
  CHECK_SOUND(w);
}

TEST_CASE("a restart needs no room beyond what it has, and one of a rollout that waits for room waits on") {
  world w;
  w.local = cpus(10);
  establish(w, asking("v1", 10, 1));
  w.control(rollout_action::restart);
  REQUIRE(w.rest());
  CHECK(w.waves == sizes{2, 2, 2, 2, 2});
  CHECK(w.min_available == 8);
  CHECK(w.state() == state::healthy);
  w.reset_extremes();
  w.deploy(asking("v2", 10, 4));
  REQUIRE(w.rest());
  const auto told = w.status().message;
  CHECK(told == "waiting for room: 1 replica wants 4 num_cpus, 0 of 10 free, and 2 of those that a wave would stop");
  w.control(rollout_action::restart);
  REQUIRE(w.rest());
  CHECK(w.status().message == told);
  CHECK(w.min_available == 10);
  w.scale(8); // frees 2: 2 and the 2 of a wave (W = 1 of 8, so 1 more is missing)
  REQUIRE(w.rest());
  CHECK(w.min_available == 8);
  CHECK(w.available("v1") == 8);
  w.scale(7);
  REQUIRE(w.rest());
  CHECK(w.available("v2") > 0);
  CHECK_SOUND(w);
}

TEST_CASE("with three revisions of different sizes a wave stops nobody unless those that go make room for one") {
  for (const std::uint64_t size : {3U, 4U, 5U}) { // W = 2: of 1 (v1, the base's) and 2 (v2, who go first)
    CAPTURE(size);
    world w;
    w.local = cpus(10);
    establish(w, asking("v1", 10, 1));
    w.deploy(asking("v2", 10, 2));
    while (w.available("v2") < 2)
      REQUIRE(w.step());
    w.deploy(asking("v3", 10, size));
    REQUIRE(w.rest());
    CHECK((w.available("v3") > 0) == (size <= 4));
    if (size == 5) {
      CHECK(w.available("v2") >= 2);
      CHECK(w.status().message ==
            "waiting for room: 2 replicas want 5 num_cpus each, 0 of 10 free, and 4 of those that a wave would stop");
    }
    CHECK_SOUND(w);
  }
}

TEST_CASE("without the fallback a wave waits for room to surge, and says how much") {
  world w;
  w.local = cpus(10);
  const auto patient = [](const std::string& version) {
    return target(version, 5, [](deployment_spec& s) {
      s.per_replica = cpus(2);
      s.rollout.surge_fallback = false;
    });
  };
  establish(w, patient("v1"));
  w.deploy(patient("v2"));
  REQUIRE(w.rest());
  CHECK(w.waves.empty());
  CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
  CHECK(w.status().message == "waiting for room: 1 replica wants 2 num_cpus, 0 of 10 free");
  w.grow_room(cpus(12));
  REQUIRE(w.rest());
  CHECK(w.min_available == 5);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a wave that finds too few available to take one away keeps its claim until the stopping one has gone") {
  world w{1, {.room_limited = true}};
  w.local = cpus(10);
  w.max_replicas = 3;
  const auto gentle = [](const std::string& version, std::uint64_t cpus_each) {
    return target(version, 4, [&](deployment_spec& s) {
      s.per_replica = cpus(cpus_each);
      stop_first(s);
    });
  };
  w.deploy(gentle("v1", 2));
  w.run_for(30s);
  REQUIRE(w.available() == 3);
  w.on_stop = [](const puppet&) { return outcome{.after = 15s}; };
  w.report_stuck(w.refs(&puppet::available).front());
  w.run_for(1s);
  REQUIRE(w.available() == 2);
  w.deploy(gentle("v2", 1));
  const auto before = w.events;
  w.run_for(10s);
  CHECK(w.events < before + 20); // or it claims and gives back without end
  CHECK(w.available() == 2);
  REQUIRE(w.rest());
  CHECK(w.available("v2") == 3);
  CHECK_SOUND(w);
}

} // namespace troupe::deployment_state::test
