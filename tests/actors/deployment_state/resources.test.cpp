// Replicas that ask for resources: what starts, what waits, and rollouts that change what they ask for.
#include "machine_fixture.hpp"

namespace troupe::deployment_state::test {

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

} // namespace troupe::deployment_state::test
