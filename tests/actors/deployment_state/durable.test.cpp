// What is stored, and that a machine which takes it up goes on from there.
#include "machine_fixture.hpp"
#include <troupe/messages/stored_deployment.hpp>

namespace troupe::deployment_state::test {

namespace {

constexpr limits durable{.room_limited = false, .durable = true};

/// Another process finds what `before` has stored last; the form on disk is part of the way.
void crash(const world& before, world& after) {
  REQUIRE(before.stored);
  after.restore(stored_deployment_from_json(json::parse(to_json(*before.stored).dump())));
  REQUIRE(after.refused.code == errc::none);
}

std::uint32_t of_version(const world& w, const std::string& version) {
  std::uint32_t n = 0;
  for (const auto& r : w.status(true).replicas)
    n += r.version == version ? 1U : 0U;
  return n;
}

/// v1 runs on ten replicas, v2 rolls until `waves` waves have ended.
void roll_half(world& w, std::uint32_t waves) {
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  for (int i = 0; i < 10'000 && w.stored->waves_done < waves; ++i)
    w.run_for(1ms);
  REQUIRE(w.stored->waves_done == waves);
}

} // namespace

TEST_CASE("an accepted deploy, a scale and a rollback are stored with the step that accepts them") {
  world w{1, durable};
  w.deploy(target("v1", 3));
  REQUIRE(w.stored);
  CHECK(w.stored->target == 1);
  CHECK(w.stored->base == 0);
  w.run_for(30s);
  CHECK(w.stored->base == 1);
  CHECK(w.stored->phase == rollout_phase::complete);
  w.scale(7);
  CHECK(w.stored->num_replicas == 7);
  w.run_for(30s);
  w.deploy(target("v2", 7));
  CHECK(w.stored->target == 2);
  CHECK(w.stored->base == 1);
  w.run_for(30s);
  w.control(rollout_action::rollback);
  CHECK(w.stored->target == 3);
  CHECK(w.stored->rolling_back);
  w.remove();
  CHECK(w.stored->deleting);
}

TEST_CASE("at rest nothing is stored again") {
  world w{1, durable};
  w.can_check = true;
  establish(w, target("v1", 5));
  w.stored.reset();
  w.run_for(120s);
  CHECK_FALSE(w.stored);
}

TEST_CASE("an embedded runtime stores nothing") {
  world w{1, {}};
  w.deploy(target("v1", 3));
  CHECK_FALSE(w.stored);
}

TEST_CASE("an interrupted rollout starts as many of each revision as were there, all at once, and goes on") {
  world before{1, durable}, after{2, durable};
  roll_half(before, 2);
  crash(before, after);
  CHECK(of_version(after, "v2") == 4); // two waves of 20 % of 10
  CHECK(of_version(after, "v1") == 6);
  after.run_for(60s);
  CHECK(after.state() == state::healthy);
  CHECK(of_version(after, "v2") == 10);
  CHECK(after.stored->base == 2);
}

TEST_CASE("a paused rollout is still paused after a restart, and resume goes on") {
  world before{1, durable}, after{2, durable};
  roll_half(before, 1);
  before.control(rollout_action::pause);
  before.run_for(10s);
  crash(before, after);
  after.run_for(60s);
  CHECK(after.state() == state::paused);
  CHECK(of_version(after, "v1") == 10 - before.stored->of_target);
  after.control(rollout_action::resume);
  after.run_for(60s);
  CHECK(after.state() == state::healthy);
  CHECK(of_version(after, "v2") == 10);
}

TEST_CASE("what was rolled back is still told after a restart") {
  world before{1, durable}, after{2, durable};
  establish(before, target("v1", 5));
  before.on_start = broken_version("v2");
  before.deploy(target("v2", 5));
  before.run_for(120s);
  REQUIRE(before.state() == state::deploy_failed);
  crash(before, after);
  after.run_for(60s);
  CHECK(after.state() == state::deploy_failed);
  CHECK(after.status().message == before.status().message);
  CHECK(of_version(after, "v1") == 5);
}

TEST_CASE("a rollback that was interrupted ends on the base") {
  world before{1, durable}, after{2, durable};
  roll_half(before, 3);
  before.control(rollout_action::abort);
  crash(before, after);
  after.run_for(60s);
  CHECK(of_version(after, "v1") == 10);
  CHECK(after.phase() == rollout_phase::complete);
}

TEST_CASE("a failed first deployment does not start again what failed, and keeps what had started") {
  world before{1, durable}, after{2, durable};
  before.on_start = [](const puppet& p) { return outcome{.ok = p.ref.id <= 2}; };
  before.deploy(target("v1", 5));
  before.run_for(300s);
  REQUIRE(before.state() == state::deploy_failed);
  crash(before, after);
  after.run_for(60s);
  CHECK(after.state() == state::deploy_failed);
  CHECK(after.status().available == before.stored->of_target);
}

TEST_CASE("a config that was being rolled out reaches every replica after a restart") {
  world before{1, durable}, after{2, durable};
  establish(before, target("v1", 10, json{{"a", 1}}));
  before.on_update = [](const puppet& p) { return outcome{.never = p.ref.id > 4}; };
  before.deploy(target("v1", 10, json{{"a", 2}}));
  before.run_for(5s);
  crash(before, after);
  after.run_for(60s);
  CHECK(after.state() == state::healthy);
  for (const auto& r : after.status(true).replicas)
    CHECK(r.config_revision == 2);
}

TEST_CASE("revisions and their numbers go on after a restart") {
  world before{1, durable}, after{2, durable};
  establish(before, target("v1", 2));
  before.deploy(target("v2", 2));
  before.run_for(30s);
  crash(before, after);
  after.run_for(30s);
  CHECK(after.control(rollout_action::rollback).revision == 3);
  after.run_for(30s);
  CHECK(of_version(after, "v1") == 2);
  CHECK(after.deploy(target("v1", 2)).change == change_kind::none); // the same as the target: a no-op, as before
}

TEST_CASE(
    "a revision that was made while nothing ran can be taken up, also one whose canary no longer fits its count") {
  world w{1, durable};
  auto spec = target("v1", 10);
  spec.rollout.canary = 2;
  establish(w, spec);
  w.scale(0);
  w.control(rollout_action::restart);
  REQUIRE(w.refused.code == errc::none);
  {
    world after{2, durable};
    crash(w, after);
    CHECK(after.status().num_replicas == 0);
    CHECK(after.status().rollout.target_revision == 2);
  }
  w.scale(1);
  w.control(rollout_action::restart);
  world after{3, durable};
  crash(w, after);
  CHECK(after.status().num_replicas == 1);
}

TEST_CASE("a machine that has a target takes up no other") {
  world w{1, durable};
  w.deploy(target("v1", 1));
  w.restore(*w.stored);
  CHECK(w.refused.code == errc::rejected);
}

TEST_CASE("a snapshot without its target, or of another format, is refused by name") {
  world w{1, durable};
  w.deploy(target("v1", 1));
  auto stored = to_json(*w.stored);
  stored["target"] = 17;
  CHECK_THROWS_WITH(stored_deployment_from_json(stored), "the target or the base is not among the revisions");
  stored["format"] = 99;
  CHECK_THROWS_WITH(stored_deployment_from_json(stored), "format 99 is not known");
}

// -- with room that is limited ---------------------------------------------------------------------------------------

namespace {

/// Each replica asks for a CPU, or counts against `max_replicas`; there is room for `n`.
struct limited {
  bool by_count = false;
  std::uint32_t n = 0;
  world make(std::uint64_t seed) const {
    world w{seed, {.room_limited = by_count, .durable = true}};
    w.max_replicas = n;
    if (!by_count)
      w.local = cpus(n);
    return w;
  }
  deployment_spec target(const std::string& version, std::uint32_t count) const {
    return by_count ? test::target(version, count) : asking(version, count, 1);
  }
};

} // namespace

TEST_CASE("with limited room, too, a restart starts as many of each revision as were there") {
  for (const bool by_count : {false, true}) {
    for (const std::uint32_t there : {10U, 12U}) { // without room for a surge, and with
      CAPTURE(by_count);
      CAPTURE(there);
      const limited room{by_count, there};
      auto before = room.make(1), after = room.make(2);
      establish(before, room.target("v1", 10));
      before.deploy(room.target("v2", 10));
      for (int i = 0; i < 10'000 && before.stored->waves_done < 2; ++i)
        before.run_for(1ms);
      REQUIRE(before.stored->waves_done == 2);
      before.control(rollout_action::pause);
      before.run_for(10s);
      const auto of_v2 = before.stored->of_target;
      CHECK(of_v2 >= 4);
      crash(before, after);
      after.run_for(60s);
      CHECK(after.state() == state::paused);
      CHECK(of_version(after, "v2") == of_v2);
      CHECK(of_version(after, "v1") == 10 - of_v2);
      after.control(rollout_action::resume);
      after.run_for(60s);
      CHECK(after.state() == state::healthy);
      CHECK(of_version(after, "v2") == 10);
    }
  }
}

TEST_CASE("a failed first deployment that asks for resources keeps what had started over a restart, and no more room") {
  const limited room{false, 10};
  auto before = room.make(1), after = room.make(2);
  before.on_start = [](const puppet& p) { return outcome{.ok = p.ref.id <= 2}; };
  before.deploy(room.target("v1", 5));
  before.run_for(300s);
  REQUIRE(before.state() == state::deploy_failed);
  REQUIRE(before.status().available == 2);
  CHECK(before.status().waiting_for_room == 0);
  crash(before, after);
  after.run_for(60s);
  CHECK(after.state() == state::deploy_failed);
  CHECK(after.status().available == 2);
  CHECK_FALSE(after.unavailable);
}

TEST_CASE("who comes first after a restart takes what it had, and more when all are back") {
  const limited room{false, 8};
  auto before = room.make(1), after = room.make(2);
  before.others_hold(cpus(1), 5);
  before.deploy(room.target("v1", 8));
  before.run_for(30s);
  REQUIRE(before.available() == 3);
  REQUIRE(before.stored->held == 3);
  after.restore(*before.stored, true);
  after.run_for(60s);
  CHECK(after.available() == 3);
  CHECK(after.status().waiting_for_room == 0); // nothing is known of the rest yet
  after.others_hold(cpus(1), 4);
  after.inject(event::restored_all{});
  after.run_for(60s);
  CHECK(after.available() == 4);
  CHECK(after.status().waiting_for_room == 4);
}

TEST_CASE("that all are back may be said before a deployment is") {
  const limited room{false, 8};
  auto before = room.make(1), after = room.make(2);
  establish(before, room.target("v1", 8));
  after.inject(event::restored_all{});
  after.restore(*before.stored, true);
  after.run_for(60s);
  CHECK(after.state() == state::healthy);
}

TEST_CASE("a snapshot from before rooms were stored starts all") {
  const limited room{false, 8};
  auto before = room.make(1), after = room.make(2);
  establish(before, room.target("v1", 8));
  auto old = json::parse(to_json(*before.stored).dump());
  old.erase("held");
  after.restore(stored_deployment_from_json(old));
  after.run_for(60s);
  CHECK(after.available() == 8);
}

} // namespace troupe::deployment_state::test
