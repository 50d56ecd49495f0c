// Health checks and stuck handlers (SPEC 1.6).
#include "machine_fixture.hpp"

using namespace troupe;
using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

namespace {

/// The checks of replicas up to this id fail.
world::behaviour failing_up_to(std::uint64_t id) {
  return [id](const puppet& p) { return outcome{.after = 1ms, .ok = p.ref.id > id}; };
}

} // namespace

TEST_CASE("three failed checks in a row replace a replica, two do not") {
  world w;
  w.can_check = true;
  establish(w, target("v1", 3));
  int left = 2;
  w.on_check = [&](const puppet& p) { return outcome{.after = 1ms, .ok = p.ref.id != 1 || left-- <= 0}; };
  w.run_for(5min);
  CHECK(w.stopped == 0);
  w.on_check = failing_up_to(1);
  w.run_for(19s); // two checks at most
  CHECK(w.stopped == 0);
  w.run_for(15s);
  CHECK(w.stopped == 1);
  CHECK(w.started == 1);
  CHECK(w.available() == 3);
  CHECK_SOUND(w);
}

TEST_CASE("checks take out at most W at a time, the rest serve on") {
  world w;
  w.can_check = true;
  establish(w, target("v1", 10));
  w.on_check = failing_up_to(10);
  w.on_start = [](const puppet&) { return outcome{.after = 30s}; };
  w.run_for(50s);
  CHECK(w.min_available == 8); // 20 % of 10
  w.run_for(10min);
  CHECK(w.min_available == 8);
  CHECK(w.available() == 10);
  CHECK(w.stopped == 10);
  CHECK_SOUND(w);
}

TEST_CASE("a check without an answer fails after health_check_timeout, unless a handler runs") {
  world w;
  w.can_check = true;
  establish(w, target("v1", 1));
  w.on_check = [](const puppet& p) { return outcome{.after = 1ms, .never = p.ref.id == 1}; };
  w.in_handler = true;
  w.run_for(1h);
  CHECK(w.stopped == 0);
  w.in_handler = false;
  w.run_for(3min);
  CHECK(w.stopped == 1);
  CHECK(w.available() == 1);
  CHECK_SOUND(w);
}

TEST_CASE("code without check_health gets no check, and at rest nothing is sent at all") {
  world w;
  establish(w, target("v1", 5));
  const auto before = w.events;
  w.run_for(24h);
  CHECK(w.checks == 0);
  CHECK(w.events - before <= 1);
}

TEST_CASE("checks begin before min_ready is over, and failing them is a failed start") {
  world w;
  w.can_check = true;
  const auto ready = [](auto& s) { s.rollout.min_ready = milliseconds{60'000}; };
  establish(w, target("v1", 2));
  w.on_check = [](const puppet& p) { return outcome{.after = 1ms, .ok = p.what->spec.version != "v2"}; };
  w.deploy(target("v2", 2, ready));
  w.run_for(10min);
  CHECK(w.available("v1") == 2);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.min_available == 2);
  CHECK_SOUND(w);
}

TEST_CASE("a stuck replica is replaced and given up") {
  world w;
  establish(w, target("v1", 2));
  w.on_stop = [](const puppet&) { return outcome{.never = true, .ends = false}; };
  w.report_stuck(w.refs(&puppet::available).front());
  w.run_for(1s);
  CHECK(w.available() == 2);
  CHECK(w.started == 1);
  w.run_for(20s);
  CHECK(w.status().given_up == 1);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("failed checks of a new version roll its rollout back") {
  world w;
  w.can_check = true;
  const auto knob = [](auto& s) {
    s.rollout.bake = milliseconds{120'000};
    s.max_start_attempts = 1;
  };
  establish(w, target("v1", 5, knob));
  w.on_check = [](const puppet& p) { return outcome{.after = 1ms, .ok = p.what->spec.version != "v2"}; };
  w.deploy(target("v2", 5, knob));
  w.run_for(15min);
  CHECK(w.available("v1") == 5);
  CHECK(w.state() == state::deploy_failed);
  CHECK_SOUND(w);
}

TEST_CASE("the place of one that checks took out is the base's where the target's code has had no whole wave") {
  world w;
  w.can_check = true;
  establish(w, target("v1", 5, json(1)));
  w.deploy(target("v2", 5, json(1)));
  while (w.available("v2") == 0)
    REQUIRE(w.step());
  w.control(rollout_action::pause);
  w.run_for(20s);
  w.on_check = [](const puppet& p) { return outcome{.after = 1ms, .ok = p.what->spec.version != "v2"}; };
  w.on_start = broken_version("v2");
  while (w.available("v2") > 0)
    REQUIRE(w.step());
  w.run_for(20ms); // its replacement has failed, too
  REQUIRE(w.live("v2") == 0);
  w.deploy(target("v2", 5, json(2))); // the same code
  w.run_for(10ms);
  CHECK(w.live("v1") == 5);
  w.run_for(5min);
  CHECK(w.available("v1") == 5);
  CHECK(w.state() == state::deploy_failed);
  CHECK_SOUND(w);
}
