// Waves between revisions that ask for different amounts: who makes way, who fills what is empty, and what waits.
#include "machine_fixture.hpp"

namespace troupe::deployment_state::test {

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

TEST_CASE("on nodes a wave stops nobody whose room is scattered, and takes those on the node that it is told") {
  for (const std::string node : {"", "n1", "n2"}) {
    CAPTURE(node);
    world w;
    w.local = cpus(10);
    w.on_start = [&w](const puppet& p) {
      if (p.what->spec.version == "v1")
        w.place(p.ref, p.ref.id % 2 == 1 ? "n1" : "n2");
      return outcome{.after = 10ms};
    };
    w.spare_on = node;
    establish(w, asking("v1", 10, 1));
    w.deploy(asking("v2", 10, 2)); // W = 2, and the oldest two are on two nodes
    w.run_for(50ms);
    if (node.empty()) {
      REQUIRE(w.rest());
      CHECK(w.stopped == 0);
      CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
    } else {
      while (w.available("v2") == 0)
        REQUIRE(w.step());
      int elsewhere = 0;
      for (const auto& r : w.status(true).replicas)
        elsewhere += r.version == "v1" && r.available && r.node != node ? 1 : 0;
      CHECK(elsewhere % 2 == 1); // of 5: each wave took both of its two from one node
    }
    CHECK_SOUND(w);
  }
}

TEST_CASE("what would be freed on a node that takes no new replicas does not count") {
  world w;
  w.local = cpus(10);
  w.on_start = [&w](const puppet& p) {
    w.place(p.ref, "n1");
    return outcome{.after = 10ms};
  };
  establish(w, asking("v1", 10, 1));
  w.evacuate("n1", false, false);
  w.deploy(asking("v2", 10, 2));
  REQUIRE(w.rest());
  CHECK(w.stopped == 0);
  w.evacuate("n1", false, true);
  REQUIRE(w.rest());
  CHECK(w.available("v2") == 5);
  CHECK_SOUND(w);
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

TEST_CASE("while the answer to a claim is on its way nobody is told to wait for room") {
  world w;
  w.local = cpus(12);
  establish(w, asking("v1", 10, 1));
  w.scale(12);
  CHECK(w.status().waiting_for_room == 0);
  CHECK(w.status().message.empty());
  w.deploy(asking("v2", 12, 1));
  CHECK(w.status().rollout.reason != rollout_reason::waiting_for_room);
  w.run_for(60s);
  CHECK(w.available("v2") == 12);
  CHECK_SOUND(w);
}

TEST_CASE("a failed first deployment leaves to others what it will not start") {
  world w;
  w.local = cpus(10);
  w.on_start = [](const puppet& p) { return outcome{.ok = p.ref.id <= 3}; };
  w.deploy(asking("v1", 10, 1));
  w.run_for(600s);
  REQUIRE(w.state() == state::deploy_failed);
  CHECK(w.available() == 3);
  CHECK(w.status().waiting_for_room == 0);
  w.others_hold(cpus(1), 7);
  CHECK(w.others_have() == 7);
}

TEST_CASE("an answer that comes late is not taken for the last one") {
  world w;
  w.local = cpus(10);
  w.others_hold(cpus(1), 1);
  establish(w, asking("v1", 9, 1));
  w.deploy(asking("v2", 9, 3)); // W = 1: what one leaves is too little
  w.run_for(1s);
  REQUIRE(w.status().rollout.reason == rollout_reason::waiting_for_room);
  const auto old = w.last_room;
  w.others_hold(cpus(1), 0);
  w.run_for(1s);
  CHECK(w.status().message.find("1 of 10 free") != std::string::npos);
  w.inject(old);
  CHECK(w.status().message.find("1 of 10 free") != std::string::npos);
}

TEST_CASE("a target that can never fit says so, also where the base lacks room") {
  world w;
  w.local = cpus(8);
  w.deploy(asking("v1", 8, 1));
  w.run_for(30s);
  w.scale(10);
  w.run_for(30s);
  REQUIRE(w.status().waiting_for_room == 2);
  w.deploy(asking("v2", 10, 9));
  w.run_for(30s);
  CHECK(w.available("v1") == 8);
  CHECK(w.status().message.find("it can never start here") != std::string::npos);
}

TEST_CASE("who dies in a wave is started again at once, though outgoing ones of the wave still stop") {
  world w;
  w.local = cpus(12);
  establish(w, asking("v1", 10, 1));
  w.on_stop = [](const puppet&) { return outcome{.after = 15s}; };
  w.deploy(asking("v2", 10, 1));
  w.run_for(1s);
  REQUIRE(w.available("v2") == 2);
  REQUIRE(w.status().stopping == 2);
  w.kill(w.refs(&puppet::available, "v2").front());
  w.run_for(2s);
  CHECK(w.available("v2") == 2);
  CHECK(w.status().stopping == 2);
  w.run_for(600s);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

} // namespace troupe::deployment_state::test
