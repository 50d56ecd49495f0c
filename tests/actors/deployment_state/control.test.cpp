// What operators do to a rollout: pause, resume, promote, abort, canary, restart, rollback, delete (SPEC 1.1, 1.3).
#include "machine_fixture.hpp"

using namespace troupe;
using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

namespace {

void canary(deployment_spec& s) { s.rollout.canary = 1; }

} // namespace

TEST_CASE("pause lets the running wave end and begins no other; resume goes on") {
  world w;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.run_for(5ms);
  w.control(rollout_action::pause);
  CHECK(w.state() == state::paused);
  w.run_for(1h);
  CHECK(w.waves == sizes{2});
  CHECK(w.available("v2") == 2);
  CHECK(w.available("v1") == 8);
  w.control(rollout_action::resume);
  w.run_for(10s);
  CHECK(w.available("v2") == 10);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("pause without a rollout is refused, resume of what is not paused says so") {
  world w;
  establish(w, target("v1", 2));
  w.control(rollout_action::pause);
  CHECK(w.refused.code == errc::rejected);
  CHECK(w.control(rollout_action::resume).message == "nothing is paused");
  w.control(rollout_action::abort);
  CHECK(w.refused.code == errc::rejected);
}

TEST_CASE("a new target clears a pause, a light change or another N does not") {
  world w;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.control(rollout_action::pause);
  w.deploy(target("v2", 10, [](auto& s) { s.max_ongoing_requests = 7; }));
  CHECK(w.state() == state::paused);
  w.deploy(target("v2", 11, [](auto& s) { s.max_ongoing_requests = 7; }));
  CHECK(w.state() == state::paused);
  w.run_for(1min);
  CHECK(w.available() == 11);
  w.deploy(target("v3", 10));
  CHECK(w.state() == state::updating);
  w.run_for(1min);
  CHECK(w.available("v3") == 10);
  CHECK_SOUND(w);
}

TEST_CASE("abort acts at once in a hanging wave and makes the base the target") {
  world w;
  establish(w, target("v1", 10));
  w.on_start = [](const puppet& p) { return outcome{.never = p.what->spec.version == "v2"}; };
  w.deploy(target("v2", 10));
  w.run_for(5s);
  CHECK(w.control(rollout_action::abort).revision == 1);
  CHECK(w.starting("v2") == 0);
  w.run_for(1min);
  CHECK(w.available("v1") == 10);
  CHECK(w.min_available == 10);
  CHECK(w.state() == state::healthy); // an abort is no failure
  CHECK_SOUND(w);
}

TEST_CASE("abort of a first deployment is refused: there is no base") {
  world w;
  w.on_start = [](const puppet&) { return outcome{.never = true}; };
  w.deploy(target("v1", 2));
  w.control(rollout_action::abort);
  CHECK(w.refused.code == errc::rejected);
}

TEST_CASE("bake waits after each wave; promote skips the wait") {
  const auto baked = [](auto& s) { s.rollout.bake = milliseconds{60'000}; };
  world w;
  establish(w, target("v1", 4, baked));
  w.deploy(target("v2", 4, baked));
  w.run_for(59s);
  CHECK(w.waves == sizes{1});
  CHECK(w.phase() == rollout_phase::baking);
  w.run_for(2s);
  CHECK(w.waves == sizes{1, 1});
  w.control(rollout_action::promote);
  CHECK(w.waves == sizes{1, 1, 1});
  w.run_for(1s);
  SUBCASE("a pause while baking does not shorten it") {
    w.control(rollout_action::pause);
    w.run_for(1s);
    w.control(rollout_action::resume);
    CHECK(w.phase() == rollout_phase::baking);
    CHECK(w.waves.size() == 3);
  }
  w.run_for(1min);
  CHECK(w.waves.size() == 4);
  w.run_for(1min);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a start_first canary serves beside all others until resume, promote or abort") {
  world w;
  establish(w, target("v1", 10, canary));
  w.deploy(target("v2", 10, canary));
  w.run_for(1h);
  CHECK(w.state() == state::paused);
  CHECK(w.status().rollout.reason == rollout_reason::canary_pause);
  CHECK(w.available("v1") == 10);
  CHECK(w.available("v2") == 1);
  w.check_at_rest();
  SUBCASE("resume goes on, and pauses no more") {
    w.control(rollout_action::resume);
    w.run_for(1min);
    CHECK(w.available("v2") == 10);
    CHECK(w.state() == state::healthy);
  }
  SUBCASE("promote does too") {
    w.control(rollout_action::promote);
    w.run_for(1min);
    CHECK(w.available("v2") == 10);
  }
  SUBCASE("abort removes it") {
    w.control(rollout_action::abort);
    w.run_for(1min);
    CHECK(w.available("v1") == 10);
    CHECK(w.live() == 10);
    CHECK(w.stopped == 1);
  }
  SUBCASE("a canary that dies is replaced by a canary") {
    w.kill(w.refs(&puppet::available, "v2").front());
    w.run_for(30s);
    CHECK(w.available("v2") == 1);
    CHECK(w.available("v1") == 10);
    CHECK(w.state() == state::paused);
  }
  CHECK(w.min_available == 10);
  CHECK_SOUND(w);
}

TEST_CASE("an operator's pause and resume while the canary starts do not skip the canary's own pause") {
  world w;
  establish(w, target("v1", 5, canary));
  w.on_start = [](const puppet&) { return outcome{.after = 5s}; };
  w.deploy(target("v2", 5, canary));
  w.run_for(1s);
  w.control(rollout_action::pause);
  w.control(rollout_action::resume);
  w.run_for(1min);
  CHECK(w.state() == state::paused);
  CHECK(w.available("v1") == 5);
  CHECK_SOUND(w);
}

TEST_CASE("a stop_first canary replaces n and pauses") {
  const auto both = [](auto& s) {
    stop_first(s);
    canary(s);
  };
  world w;
  establish(w, target("v1", 10, both));
  w.deploy(target("v2", 10, both));
  w.run_for(1h);
  CHECK(w.state() == state::paused);
  CHECK(w.available("v1") == 9);
  CHECK(w.available("v2") == 1);
  w.control(rollout_action::resume);
  w.run_for(1min);
  CHECK(w.available("v2") == 10);
  CHECK_SOUND(w);
}

TEST_CASE("without room for it a canary waits") {
  world w{1, {.room_limited = true}};
  w.max_replicas = 5;
  establish(w, target("v1", 5, canary));
  w.deploy(target("v2", 5, canary));
  w.run_for(1h);
  CHECK(w.started + w.stopped == 0);
  CHECK(w.status().rollout.reason == rollout_reason::waiting_for_room);
  CHECK_SOUND(w);
}

TEST_CASE("a canary is ignored without a base and for changes of the config alone") {
  world w;
  w.deploy(target("v1", 3, canary));
  w.run_for(1s);
  CHECK(w.state() == state::healthy);
  w.deploy(target("v1", 3, [](auto& s) {
    canary(s);
    s.user_config = json_doc{json(1)};
  }));
  w.run_for(1s);
  CHECK(w.state() == state::healthy);
  CHECK(w.with_config(json(1)) == 3);
}

TEST_CASE("restart replaces all with the same spec as a new revision") {
  world w;
  establish(w, target("v1", 4));
  w.scale(5);
  w.run_for(1s);
  const auto result = w.control(rollout_action::restart);
  CHECK(result.change == change_kind::replaced);
  CHECK(result.revision == 2);
  w.run_for(1min);
  CHECK(w.stopped == 5);
  CHECK(w.available("v1") == 5);
  CHECK(w.deploy(target("v1", 5)).change == change_kind::none); // the same target still
  CHECK_SOUND(w);
}

TEST_CASE("rollback brings everything of an older revision but the count, as a new revision") {
  world w;
  establish(w, target("v1", 4, json(1)));
  w.deploy(target("v2", 4, json(2)));
  w.run_for(1min);
  w.scale(6);
  w.run_for(1s);
  const auto result = w.control(rollout_action::rollback);
  CHECK(result.revision == 3);
  CHECK(w.state() == state::rolling_back);
  w.run_for(1min);
  CHECK(w.available("v1") == 6);
  CHECK(w.with_config(json(1)) == 6);
  CHECK(w.state() == state::healthy);
  CHECK(w.subject().revisions().revisions.back().cause == "rollback to R1");
  SUBCASE("an unknown revision is refused and changes nothing") {
    w.control(rollout_action::rollback, 77);
    CHECK(w.refused.code == errc::rejected);
    CHECK(w.state() == state::healthy);
  }
  SUBCASE("a named one") {
    w.control(rollout_action::rollback, 2);
    w.run_for(1min);
    CHECK(w.available("v2") == 6);
  }
  CHECK_SOUND(w);
}

TEST_CASE("rollback of a first deployment is refused: there is no earlier revision") {
  world w;
  establish(w, target("v1", 1));
  w.control(rollout_action::rollback);
  CHECK(w.refused.code == errc::rejected);
}

TEST_CASE("history keeps ten revisions, and the base beyond them") {
  world w;
  establish(w, target("v1", 1));
  w.on_start = [](const puppet&) { return outcome{.never = true}; };
  for (int i = 2; i <= 20; ++i)
    w.deploy(target("v" + std::to_string(i), 1));
  const auto list = w.subject().revisions().revisions;
  CHECK(list.front().number == 1);
  CHECK(list.front().is_base);
  CHECK(list.back().number == 20);
  CHECK(list.back().is_target);
  CHECK(list.size() <= 11);
  CHECK(list.size() >= 10);
}

TEST_CASE("delete drains all, even in a rollout, and says so once it is gone") {
  world w;
  establish(w, target("v1", 5));
  w.deploy(target("v2", 5));
  w.run_for(25ms);
  w.remove();
  CHECK(w.live() == 0);
  CHECK(w.unavailable);
  CHECK(w.subject().deleting());
  w.scale(3);
  CHECK(w.refused.code == errc::rejected);
  w.run_for(1min);
  CHECK(w.removed);
  CHECK(w.puppets().empty());
  CHECK_SOUND(w);
}

TEST_CASE("a deploy supersedes the delete: what stops goes on stopping, all else is new") {
  world w;
  establish(w, target("v1", 3));
  w.on_stop = [](const puppet&) { return outcome{.after = 5s}; };
  w.remove();
  w.run_for(1s);
  CHECK(w.deploy(target("v1", 2)).change == change_kind::created);
  CHECK_FALSE(w.unavailable);
  w.run_for(10s);
  CHECK(w.available() == 2);
  CHECK(w.started == 2);
  CHECK_FALSE(w.removed);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}
