// Replacement in waves: sizes, availability, room, supersession, scaling (SPEC 1.2, 1.3).
#include "machine_fixture.hpp"

using namespace troupe;
using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

TEST_CASE("a first deployment starts all replicas at once") {
  world w;
  const auto result = w.deploy(target("v1", 10));
  CHECK(result.change == change_kind::created);
  CHECK(result.revision == 1);
  CHECK(w.starting() == 10);
  CHECK(w.state() == state::updating);
  w.run_for(1s);
  CHECK(w.available() == 10);
  CHECK(w.state() == state::healthy);
  CHECK(w.phase() == rollout_phase::complete);
  CHECK_SOUND(w);
}

TEST_CASE("ten replicas roll start_first in five waves of two, never below 10 available nor above 12") {
  world w;
  establish(w, target("v1", 10));
  CHECK(w.deploy(target("v2", 10)).change == change_kind::replaced);
  CHECK(w.state() == state::updating);
  w.run_for(10s);
  CHECK(w.waves == sizes{2, 2, 2, 2, 2});
  CHECK(w.min_available == 10);
  CHECK(w.max_live == 12);
  CHECK(w.available("v2") == 10);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("ten replicas roll stop_first with 8 to 10 available and never more than 10") {
  world w;
  establish(w, target("v1", 10, stop_first));
  w.deploy(target("v2", 10, stop_first));
  w.run_for(10s);
  CHECK(w.waves == sizes{2, 2, 2, 2, 2});
  CHECK(w.min_available == 8);
  CHECK(w.max_live == 10);
  CHECK(w.available("v2") == 10);
  CHECK_SOUND(w);
}

TEST_CASE("the last wave of nine by two is one") {
  world w;
  establish(w, target("v1", 9, [](auto& s) { s.rollout.max_surge = replica_share::count(2); }));
  w.deploy(target("v2", 9, [](auto& s) { s.rollout.max_surge = replica_share::count(2); }));
  w.run_for(10s);
  CHECK(w.waves == sizes{2, 2, 2, 2, 1});
  CHECK_SOUND(w);
}

TEST_CASE("29 percent of 100 is 29, and shares round down to at least one") {
  CHECK(replica_share::percent(29).of(100) == 29); // 0.29 * 100 is 28 in binary
  CHECK(replica_share::percent(20).of(4) == 1);
  CHECK(replica_share::percent(20).of(9) == 1);
  CHECK(replica_share::percent(20).of(10) == 2);
  CHECK(replica_share::percent(100).of(7) == 7);
  CHECK(replica_share::count(12).of(5) == 5);
  CHECK(replica_share::percent(20).of(0) == 0);
  world w;
  const auto knob = [](auto& s) { s.rollout.max_surge = replica_share::percent(29); };
  establish(w, target("v1", 100, knob));
  w.deploy(target("v2", 100, knob));
  w.run_for(10s);
  CHECK(w.waves == sizes{29, 29, 29, 13});
  CHECK_SOUND(w);
}

TEST_CASE("a single replica is replaced start_first without a moment of absence") {
  world w;
  establish(w, target("v1", 1));
  w.deploy(target("v2", 1));
  w.run_for(10s);
  CHECK(w.min_available == 1);
  CHECK(w.max_live == 2);
  CHECK(w.available("v2") == 1);
  CHECK_SOUND(w);
}

TEST_CASE("no outdated replica drains before a new one is available") {
  world w;
  establish(w, target("v1", 10));
  w.on_start = [](const puppet&) { return outcome{.after = 5s}; };
  w.deploy(target("v2", 10));
  w.run_for(4s);
  CHECK(w.stopped == 0);
  CHECK(w.available("v1") == 10);
  w.run_for(2s);
  CHECK(w.stopped == 2);
}

TEST_CASE("the next wave waits for what still stops, or until that is given up") {
  world w;
  establish(w, target("v1", 10));
  w.on_stop = [](const puppet& p) { return outcome{.after = 10ms, .never = p.ref.id == 1, .ends = false}; };
  w.deploy(target("v2", 10));
  w.run_for(19s); // graceful_shutdown_timeout is 20 s
  CHECK(w.waves == sizes{2});
  w.run_for(2s);
  CHECK(w.waves.size() == 5);
  CHECK(w.status().given_up == 1);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("replicas become available only after min_ready, and a death within it is a failed start") {
  const auto ready = [](auto& s) { s.rollout.min_ready = milliseconds{2000}; };
  world w;
  w.deploy(target("v1", 1, ready));
  w.run_for(2009ms);
  CHECK(w.available() == 0);
  w.run_for(2ms);
  CHECK(w.available() == 1);
  CHECK_SOUND(w);

  world v;
  v.deploy(target("v1", 1, ready));
  v.run_for(1s);
  v.kill(v.refs(&puppet::live).front());
  v.run_for(1ms);
  CHECK(v.live() == 0); // backoff
  v.run_for(3s);
  CHECK(v.available() == 1);
  CHECK_SOUND(v);
}

TEST_CASE("without room for one surge replica a wave runs as stop_first") {
  world w{1, {.room_limited = true}};
  w.max_replicas = 10;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.run_for(10s);
  CHECK(w.waves == sizes{2, 2, 2, 2, 2});
  CHECK(w.min_available == 8);
  CHECK(w.max_live == 10);
  CHECK(w.available("v2") == 10);
  CHECK_SOUND(w);
}

TEST_CASE("with room for one a start_first wave is one") {
  world w{1, {.room_limited = true}};
  w.max_replicas = 11;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.run_for(10s);
  CHECK(w.waves == sizes(10, 1));
  CHECK(w.min_available == 10);
  CHECK_SOUND(w);
}

TEST_CASE("with surge_fallback false a wave waits for room, says so, and goes on when there is some") {
  const auto knob = [](auto& s) { s.rollout.surge_fallback = false; };
  world w{1, {.room_limited = true}};
  w.max_replicas = 10;
  establish(w, target("v1", 10, knob));
  w.deploy(target("v2", 10, knob));
  w.run_for(1h); // and the progress clock does not run
  CHECK(w.waves.empty());
  CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
  CHECK(w.phase() == rollout_phase::rolling);
  w.grow_room(12);
  w.run_for(10s);
  CHECK(w.available("v2") == 10);
  CHECK(w.min_available == 10);
  CHECK_SOUND(w);
}

TEST_CASE("room for fewer than N: that number stands for N, the missing wait") {
  world w{1, {.room_limited = true}};
  w.max_replicas = 6;
  w.deploy(target("v1", 10));
  w.run_for(1s);
  CHECK(w.available() == 6);
  CHECK(w.status().waiting_for_room == 4);
  CHECK(w.phase() == rollout_phase::complete);
  w.reset_extremes();
  w.deploy(target("v2", 10));
  w.run_for(10s);
  CHECK(w.available("v2") == 6);
  CHECK(w.min_available == 4); // W = 2 of 6
  CHECK(w.phase() == rollout_phase::complete);
  w.grow_room(20);
  w.run_for(1s);
  CHECK(w.available() == 10);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("the same target again is a no-op: no effect, the revision stays") {
  world w;
  establish(w, target("v1", 3, json(1)));
  const auto effects = w.significant;
  const auto result = w.deploy(target("v1", 3, json(1)));
  CHECK(result.change == change_kind::none);
  CHECK(result.revision == 1);
  CHECK(w.significant == effects);
}

TEST_CASE("without a version every deploy replaces all") {
  world w;
  establish(w, target("", 4));
  CHECK(w.deploy(target("", 4)).change == change_kind::replaced);
  w.run_for(10s);
  CHECK(w.available("R2") == 4);
  CHECK(w.available("R1") == 0);
  CHECK_SOUND(w);
}

TEST_CASE("the version label alone is not enough: other init args replace") {
  world w;
  establish(w, target("v1", 2));
  CHECK(w.deploy(target("v1", 2, [](auto& s) { s.init_args = json_doc{json(7)}; })).change == change_kind::replaced);
  w.run_for(10s);
  CHECK(w.stopped == 2);
  CHECK(w.deploy(target("v1", 2, [](auto& s) {
           s.init_args = json_doc{json(7)};
           s.execution = execution_mode::thread;
         })).change == change_kind::replaced);
}

TEST_CASE("a light option touches nobody and makes a revision") {
  world w;
  establish(w, target("v1", 5));
  const auto result = w.deploy(target("v1", 5, [](auto& s) { s.max_ongoing_requests = 9; }));
  CHECK(result.change == change_kind::light);
  CHECK(result.revision == 2);
  w.run_for(10s);
  CHECK(w.started + w.stopped + w.updated == 0);
  CHECK(w.subject().effective_spec().max_ongoing_requests == 9);
  CHECK(w.status().rollout.base_revision == 2);
}

TEST_CASE("scaling 10 to 25 to 5 starts and stops the difference, and is no revision") {
  world w;
  establish(w, target("v1", 10));
  CHECK(w.scale(25).change == change_kind::scaled);
  CHECK(w.state() == state::upscaling);
  CHECK(w.starting() == 15);
  w.run_for(1s);
  CHECK(w.available() == 25);
  CHECK(w.state() == state::healthy);
  CHECK(w.scale(5).revision == 1);
  CHECK(w.state() == state::downscaling);
  CHECK(w.available() == 5);
  w.run_for(1s);
  CHECK(w.state() == state::healthy);
  CHECK(w.started == 15);
  CHECK(w.stopped == 20);
  CHECK(w.scale(5).change == change_kind::none);
  CHECK(w.subject().effective_spec().num_replicas == 5);
  CHECK_SOUND(w);
}

TEST_CASE("the same file after a scale returns to its own count") {
  world w;
  establish(w, target("v1", 10));
  w.scale(25);
  w.run_for(1s);
  CHECK(w.deploy(target("v1", 10)).change == change_kind::scaled);
  w.run_for(1s);
  CHECK(w.available() == 10);
}

TEST_CASE("scale-down takes what is not available first, then the youngest") {
  world w;
  establish(w, target("v1", 4));
  w.on_start = [](const puppet&) { return outcome{.after = 30s}; };
  w.scale(6);
  w.scale(3);
  CHECK(w.starting() == 0);
  CHECK(w.available() == 3);
  for (const auto& r : w.refs(&puppet::available))
    CHECK(r.id <= 3);
}

TEST_CASE(
    "empty slots of a scale-up in a rollout are the base's until the first wave is available, then the target's") {
  world w;
  establish(w, target("v1", 10));
  w.on_start = [](const puppet& p) { return outcome{.after = p.what->spec.version == "v2" ? 1s : 10ms}; };
  w.deploy(target("v2", 10));
  w.run_for(100ms);
  w.scale(12);
  CHECK(w.starting("v1") == 2);
  w.run_for(950ms); // the first wave is available
  w.scale(14);
  CHECK(w.starting("v1") == 0);
  CHECK(w.starting("v2") >= 2);
  w.run_for(60s);
  CHECK(w.available("v2") == 14);
  CHECK_SOUND(w);
}

TEST_CASE("scaled to 0 nothing runs and the rollout is held; scaled up again it goes on") {
  world w;
  establish(w, target("v1", 5));
  w.on_start = [](const puppet&) { return outcome{.after = 1s}; };
  w.deploy(target("v2", 5));
  w.run_for(100ms);
  w.scale(0);
  CHECK(w.live() == 0);
  w.run_for(1h);
  CHECK(w.live() == 0);
  CHECK_FALSE(w.unavailable); // requests wait
  CHECK(w.phase() == rollout_phase::rolling);
  CHECK(w.status().rollout.reason == rollout_reason::held_at_zero);
  CHECK(w.status().rollout.base_revision == 1);
  w.scale(5);
  CHECK(w.starting("v1") == 5);
  w.run_for(60s);
  CHECK(w.available("v2") == 5);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a new target in the middle of a wave supersedes: nothing of the old one starts any more") {
  world w;
  establish(w, target("v1", 10));
  w.on_start = [](const puppet&) { return outcome{.after = 1s}; };
  w.deploy(target("v2", 10));
  w.run_for(1500ms); // the second wave starts
  CHECK(w.available("v2") == 2);
  CHECK(w.starting("v2") == 2);
  w.deploy(target("v3", 10));
  CHECK(w.starting("v2") == 0);
  w.run_for(1h);
  CHECK(w.available("v3") == 10);
  CHECK(w.min_available == 10);
  CHECK_SOUND(w);
}

TEST_CASE("v1 again during v1 to v2 goes back and keeps the v1 replicas that are left") {
  world w;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.run_for(45ms);
  const auto kept = w.available("v1");
  REQUIRE(kept < 10);
  REQUIRE(kept > 4);
  w.reset_extremes();
  w.deploy(target("v1", 10));
  w.run_for(60s);
  CHECK(w.available("v1") == 10);
  CHECK(w.started <= 10 - kept);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("not available replicas go first, then those not of the base, then the oldest") {
  world w;
  establish(w, target("v1", 4));
  w.deploy(target("v2", 4));
  w.run_for(25ms); // v1's oldest has gone for v2's first
  REQUIRE(w.available("v2") == 1);
  w.deploy(target("v3", 4));
  w.run_for(25ms);
  CHECK(w.available("v2") == 0); // before any further v1
  CHECK(w.available("v1") == 3);
  const auto left = w.refs(&puppet::available, "v1");
  CHECK(left.front().id == 2);
  CHECK_SOUND(w);
}
