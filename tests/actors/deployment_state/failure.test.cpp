// Failed starts, deadlines, rollbacks and deaths (SPEC 1.3 "Failing", 1.6).
// long file: one table of claims on everything that can fail
#include "machine_fixture.hpp"

using namespace troupe;
using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

namespace {

void no_rollback(deployment_spec& s) { s.rollout.auto_rollback = false; }

} // namespace

TEST_CASE("three failed starts of one slot roll back to the base, with the reason, while all serve") {
  world w;
  establish(w, target("v1", 10));
  w.on_start = broken_version("v2");
  w.deploy(target("v2", 10));
  w.run_for(60s);
  CHECK(w.started <= 6); // two slots, three attempts at most
  CHECK(w.started >= 3);
  CHECK(w.available("v1") == 10);
  CHECK(w.min_available == 10);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.status().message.find("rolled back to R1") == 0);
  CHECK(w.status().message.find("boom") != std::string::npos);
  CHECK(w.phase() == rollout_phase::complete);
  CHECK(w.status().rollout.target_revision == 1);
  CHECK(w.subject().effective_spec().version == "v1"); // the config that is shown is what runs
  CHECK_SOUND(w);
}

TEST_CASE("failed starts of different slots do not add up") {
  world w;
  establish(w, target("v1", 10));
  std::map<std::uint32_t, int> failures;
  int failed = 0;
  w.on_start = [&](const puppet&) {
    outcome o;
    o.ok = ++failed > 4; // two slots, two failures each
    return o;
  };
  w.deploy(target("v2", 10));
  w.run_for(60s);
  CHECK(w.available("v2") == 10);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("DEPLOY_FAILED stays until the next accepted target") {
  world w;
  establish(w, target("v1", 2));
  w.on_start = broken_version("v2");
  w.deploy(target("v2", 2));
  w.run_for(1h);
  CHECK(w.state() == state::deploy_failed);
  w.scale(3);
  w.run_for(1min);
  CHECK(w.state() == state::deploy_failed);
  w.deploy(target("v3", 3));
  CHECK(w.state() == state::updating);
  w.run_for(1min);
  CHECK(w.state() == state::healthy);
  CHECK(w.status().message.empty());
}

TEST_CASE("deploying what was rolled back to is a no-op: the reason of the failure stays, and the answer tells it") {
  world w;
  establish(w, target("v1", 2));
  w.on_start = broken_version("v2");
  w.deploy(target("v2", 2));
  w.run_for(1min);
  w.reset_extremes();
  const auto effects = w.significant;
  const auto again = w.deploy(target("v1", 2));
  CHECK(again.change == change_kind::none);
  CHECK(again.revision == 1);
  CHECK(again.message.find("rolled back to R1") != std::string::npos);
  CHECK(w.significant == effects);
  CHECK(w.state() == state::deploy_failed);
  SUBCASE("other light options are an accepted target: healthy at once") {
    CHECK(w.deploy(target("v1", 2, [](auto& s) { s.max_ongoing_requests = 9; })).change == change_kind::light);
    CHECK(w.state() == state::healthy);
  }
  SUBCASE("another count, too") {
    CHECK(w.deploy(target("v1", 3)).change == change_kind::scaled);
    CHECK(w.status().message.empty());
    w.run_for(1min);
    CHECK(w.state() == state::healthy);
  }
  SUBCASE("and a restart") {
    w.control(rollout_action::restart);
    w.run_for(1min);
    CHECK(w.state() == state::healthy);
  }
}

TEST_CASE("without auto_rollback it stays failed, serves N, and the failed slots are the base's") {
  world w;
  establish(w, target("v1", 10, [](auto& s) {
              stop_first(s);
              no_rollback(s);
            }));
  int calls = 0;
  w.on_start = [&](const puppet& p) {
    outcome o;
    o.ok = p.what->spec.version != "v2" || ++calls <= 2; // the first wave is good
    return o;
  };
  const auto next = target("v2", 10, [](auto& s) {
    stop_first(s);
    no_rollback(s);
  });
  w.deploy(next);
  w.run_for(5min);
  CHECK(w.phase() == rollout_phase::failed);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.available("v2") == 2);
  CHECK(w.available("v1") == 8);
  CHECK(w.status().rollout.target_revision == 2);
  SUBCASE("the same target again is a no-op that names restart") {
    const auto again = w.deploy(next);
    CHECK(again.change == change_kind::none);
    CHECK(again.message.find("restart") != std::string::npos);
  }
  SUBCASE("resume does nothing") {
    w.control(rollout_action::resume);
    CHECK(w.phase() == rollout_phase::failed);
  }
  SUBCASE("one of the target that dies is replaced by the base") {
    w.kill(w.refs(&puppet::available, "v2").front());
    w.run_for(15s);
    CHECK(w.available("v2") == 1);
    CHECK(w.available("v1") == 9);
  }
  SUBCASE("scale-down takes those that are not the base's first") {
    w.scale(8);
    CHECK(w.available("v2") == 0);
    CHECK(w.available("v1") == 8);
  }
  SUBCASE("restart tries again") {
    calls = -100;
    w.on_start = [](const puppet&) { return outcome{}; };
    w.control(rollout_action::restart);
    w.run_for(1min);
    CHECK(w.state() == state::healthy);
    CHECK(w.available("v2") == 10);
  }
  SUBCASE("abort makes the base the target") {
    w.control(rollout_action::abort);
    w.run_for(1min);
    CHECK(w.available("v1") == 10);
    CHECK(w.state() == state::healthy);
  }
  CHECK_SOUND(w);
}

TEST_CASE("what exceeds N in a failed start_first wave is stopped, those not of the base first") {
  world w;
  establish(w, target("v1", 10, no_rollback));
  int calls = 0;
  w.on_start = [&](const puppet&) {
    outcome o;
    o.ok = ++calls == 1;
    return o;
  };
  w.deploy(target("v2", 10, no_rollback));
  w.run_for(5s);
  CHECK(w.phase() == rollout_phase::failed);
  CHECK(w.live() == 10);
  CHECK_SOUND(w);
}

TEST_CASE("a rollback that fails is not rolled back: what serves keeps serving") {
  world w;
  establish(w, target("v1", 5, stop_first));
  int calls = 0;
  w.on_start = [&](const puppet&) {
    outcome o;
    o.ok = ++calls == 1;
    return o;
  };
  w.deploy(target("v2", 5, stop_first));
  w.run_for(2min);
  CHECK(w.phase() == rollout_phase::failed);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.available() >= 4);
  CHECK_SOUND(w);
  w.on_start = [](const puppet&) { return outcome{}; };
  w.run_for(2min);
  CHECK(w.available() == 5);
}

TEST_CASE("a first deployment fails after max(3, min(3 N, 20)) failed starts, and requests fail at once") {
  const auto failures_of = [](std::uint32_t n) {
    world w;
    w.on_start = broken_version("v1");
    w.deploy(target("v1", n));
    std::uint32_t seen = 0;
    while (w.phase() != rollout_phase::failed && seen < 1000 && w.step())
      seen = w.started - w.live();
    CHECK(w.unavailable);
    CHECK(w.state() == state::deploy_failed);
    CHECK(w.status().message.find("boom") != std::string::npos);
    w.rest();
    w.check_at_rest();
    CHECK_SOUND(w);
    return seen;
  };
  CHECK(failures_of(1) == 3);
  CHECK(failures_of(2) == 6);
  CHECK(failures_of(6) == 18);
  CHECK(failures_of(7) == 20);
  CHECK(failures_of(50) == 20);
}

TEST_CASE("a failed first deployment keeps what did start and ends whole if late starts make it so") {
  world w;
  w.on_start = [](const puppet& p) {
    outcome o;
    o.ok = p.ref.id != 1 && p.ref.id < 4;
    if (p.ref.id == 2)
      o.after = 5s;
    return o;
  };
  w.deploy(target("v1", 3, [](auto& s) { s.max_start_attempts = 3; }));
  w.run_for(60s);
  CHECK(w.phase() == rollout_phase::rolling); // after 10 s two starts had proved themselves: the budget began anew
  w.run_for(60s);
  CHECK(w.phase() == rollout_phase::failed);
  CHECK(w.available() == 2);
  CHECK_FALSE(w.unavailable);
  w.scale(2);
  w.run_for(1s);
  CHECK(w.state() == state::healthy);
  CHECK(w.status().rollout.base_revision == 1);
  CHECK_SOUND(w);
}

TEST_CASE("starts are retried after 100 ms, doubling to 10 s, with at most a quarter of jitter") {
  world w;
  establish(w, target("v1", 1));
  w.on_start = [](const puppet&) { return outcome{.after = 0ms, .ok = false}; };
  w.scale(2);
  auto expected = 100ms;
  auto last = w.now();
  for (int attempt = 1; attempt <= 12; ++attempt) {
    const auto before = w.started;
    while (w.started == before)
      REQUIRE(w.step());
    const auto waited = w.now() - last;
    CHECK(waited <= expected);
    CHECK(waited >= expected * 3 / 4);
    last = w.now();
    expected = std::min<std::chrono::milliseconds>(expected * 2, 10'000ms);
  }
  CHECK(w.state() == state::unhealthy); // outside of a rollout it is tried for ever, and told
  CHECK(w.status().message.find("boom") != std::string::npos);
  w.on_start = [](const puppet&) { return outcome{}; };
  w.run_for(11s);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a scale-up that cannot start is UPSCALING for two attempts and UNHEALTHY from the third") {
  world w;
  establish(w, target("v1", 1));
  w.on_start = [](const puppet&) { return outcome{.after = 0ms, .ok = false}; };
  w.scale(2);
  w.run_for(150ms);
  CHECK(w.state() == state::upscaling);
  w.run_for(1s);
  CHECK(w.state() == state::unhealthy);
}

TEST_CASE("a constructor longer than startup_timeout is a failed start; the hanging one is given up") {
  world w;
  establish(w, target("v1", 2));
  w.on_start = [](const puppet& p) { return outcome{.never = p.ref.id == 3}; };
  w.on_stop = [](const puppet&) { return outcome{.ends = false}; };
  w.scale(3);
  w.run_for(59s);
  CHECK(w.starting() == 1);
  w.run_for(2s);
  CHECK(w.available() == 3);
  CHECK(w.status().given_up == 1);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a rollout without progress fails at the deadline, not before") {
  const auto knob = [](auto& s) {
    s.startup_timeout = milliseconds{1'000'000};
    s.rollout.progress_deadline = milliseconds{100'000};
  };
  world w;
  establish(w, target("v1", 4, knob));
  w.on_start = [](const puppet& p) { return outcome{.after = 10ms, .never = p.what->spec.version == "v2"}; };
  w.deploy(target("v2", 4, knob));
  w.run_for(99'999ms);
  CHECK(w.state() == state::updating);
  w.run_for(1ms);
  CHECK(w.state() == state::deploy_failed);
  w.run_for(60s);
  CHECK(w.available("v1") == 4);
  CHECK(w.min_available == 4);
  CHECK(w.status().message.find("progress") != std::string::npos);
  CHECK_SOUND(w);
}

TEST_CASE("progress starts the deadline anew; what does not wait for a start does not count") {
  const auto knob = [](auto& s) {
    s.startup_timeout = milliseconds{1'000'000};
    s.rollout.progress_deadline = milliseconds{100'000};
  };
  SUBCASE("each new replica") {
    world w;
    establish(w, target("v1", 4, knob));
    w.on_start = [](const puppet&) { return outcome{.after = 90s}; };
    w.deploy(target("v2", 4, knob));
    w.run_for(361s);
    CHECK(w.state() == state::healthy);
    CHECK(w.available("v2") == 4);
  }
  SUBCASE("paused") {
    world w;
    establish(w, target("v1", 4, knob));
    w.on_start = [](const puppet&) { return outcome{.after = 1h}; };
    w.deploy(target("v2", 4, knob));
    w.run_for(90s);
    w.control(rollout_action::pause);
    w.run_for(10min);
    CHECK(w.state() == state::paused);
    w.control(rollout_action::resume);
    w.run_for(9s);
    CHECK(w.state() == state::updating);
    w.run_for(2s);
    CHECK(w.state() == state::deploy_failed);
  }
  SUBCASE("baking") {
    world w;
    const auto baked = [&](auto& s) {
      knob(s);
      s.rollout.bake = milliseconds{3'600'000};
    };
    establish(w, target("v1", 4, baked));
    w.deploy(target("v2", 4, baked));
    w.run_for(5h);
    CHECK(w.state() == state::healthy);
  }
  SUBCASE("another N") {
    world w;
    establish(w, target("v1", 4, knob));
    w.on_start = [](const puppet& p) { return outcome{.after = 10ms, .never = p.what->spec.version == "v2"}; };
    w.deploy(target("v2", 4, knob));
    w.run_for(99s);
    w.scale(5);
    w.run_for(99s);
    CHECK(w.state() == state::updating);
    w.run_for(2s);
    CHECK(w.state() == state::deploy_failed);
  }
}

TEST_CASE("a death long after becoming available is replaced at once, an early one after the backoff") {
  world w;
  establish(w, target("v1", 3));
  w.kill(w.refs(&puppet::available).front());
  w.step();
  CHECK(w.starting() == 1);
  w.run_for(1s);
  w.kill(w.refs(&puppet::available).back());
  w.step();
  CHECK(w.starting() == 0);
  CHECK(w.state() == state::unhealthy);
  w.run_for(101ms);
  CHECK(w.live() == 3);
  CHECK_SOUND(w);
}

TEST_CASE("who is started when one dies in a rollout: the target for one of it, the base for all others") {
  world w;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.run_for(15ms);
  w.control(rollout_action::pause);
  w.run_for(1s);
  REQUIRE(w.available("v2") == 2);
  w.kill(w.refs(&puppet::available, "v1").front());
  w.step();
  CHECK(w.starting("v1") == 1);
  w.kill(w.refs(&puppet::available, "v2").front());
  w.step();
  CHECK(w.available("v2") == 1);
  w.run_for(200ms); // it was an early death
  CHECK(w.available("v2") == 2);
  CHECK(w.available("v1") == 8);
  CHECK_SOUND(w);
}

TEST_CASE("with a base, deaths before the rollout's end count as failed starts of their slot") {
  world w;
  establish(w, target("v1", 10));
  w.deploy(target("v2", 10));
  w.run_for(15ms);
  w.control(rollout_action::pause);
  for (int i = 0; i < 3; ++i) {
    CHECK(w.state() == state::paused);
    w.run_for(1s);
    REQUIRE(w.available("v2") == 2);
    w.kill(w.refs(&puppet::available, "v2").back(), "segmentation fault");
  }
  w.run_for(60s);
  CHECK(w.state() == state::deploy_failed); // a paused rollout can still fail
  CHECK(w.available("v1") == 10);
  CHECK_SOUND(w);
}

TEST_CASE("given up past the graceful timeout it frees its place") {
  world w{1, {.room_limited = true}};
  w.max_replicas = 4;
  establish(w, target("v1", 4, stop_first));
  w.on_stop = [](const puppet&) { return outcome{.never = true, .ends = false}; };
  w.deploy(target("v2", 4, stop_first));
  w.run_for(19s);
  CHECK(w.started == 0);
  w.run_for(70s);
  CHECK(w.available("v2") == 4);
  CHECK(w.status().given_up == 4);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("killed in every state, a replica is replaced and nothing else happens") {
  const auto kill_when = [](auto reached) {
    world w;
    w.can_check = true;
    establish(w, target("v1", 3, [](auto& s) {
                s.user_config = json_doc{json(1)};
                s.rollout.min_ready = milliseconds{1000};
              }));
    w.on_stop = [](const puppet&) { return outcome{.after = 2s}; };
    w.on_update = [](const puppet&) { return outcome{.after = 2s}; };
    reached(w);
    w.rest();
    CHECK(w.available() == w.status().num_replicas);
    w.check_at_rest();
    CHECK_SOUND(w);
  };
  SUBCASE("starting")
  kill_when([](world& w) {
    w.scale(4);
    w.kill(w.refs(&puppet::starting).front());
  });
  SUBCASE("waiting for min_ready")
  kill_when([](world& w) {
    w.scale(4);
    w.run_for(500ms);
    w.kill(w.refs(&puppet::starting).front());
  });
  SUBCASE("available")
  kill_when([](world& w) { w.kill(w.refs(&puppet::available).front()); });
  SUBCASE("reconfiguring")
  kill_when([](world& w) {
    auto s = w.subject().effective_spec();
    s.user_config = json_doc{json(2)};
    w.deploy(s);
    w.run_for(10ms);
    for (const auto& [id, p] : w.puppets())
      if (p.reconfiguring)
        w.kill(p.ref);
  });
  SUBCASE("stopping")
  kill_when([](world& w) {
    w.scale(2);
    w.run_for(10ms);
    w.kill(w.refs(&puppet::stopping).front());
  });
}

TEST_CASE("late and copied facts change nothing") {
  world w;
  w.copy_percent = 1; // lets facts of the gone through
  establish(w, target("v1", 2, json(1)));
  const auto gone = w.refs(&puppet::available).front();
  w.kill(gone);
  w.run_for(15s);
  w.reset_extremes();
  const auto quiet = [&](const any_event& ev) {
    const auto t = w.inject(ev);
    return t.effects.empty() && t.refused.code == errc::none;
  };
  CHECK(quiet(event::started{gone}));
  CHECK(quiet(event::stopped{gone, stop_reason::killed, ""}));
  CHECK(quiet(event::reconfigured{gone, 1, false, "x"}));
  CHECK(quiet(event::checked{gone, 1, false, "x"}));
  CHECK(quiet(event::stuck{gone, 300s}));
  const auto present = w.refs(&puppet::available).front();
  CHECK(quiet(event::started{present}));
  CHECK(quiet(event::reconfigured{present, 0, false, "x"}));
  CHECK(quiet(event::checked{present, 0, false, "x"}));
  CHECK(quiet(event::timer{0}));
  CHECK(quiet(event::timer{999}));
  CHECK(quiet(event::room{0, 1, {}}));
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a timer of an older epoch is ignored") {
  machine m{{"default", "d"}};
  auto s = target("v1", 1);
  std::uint64_t epoch = 0;
  for (const auto& e : m.step({1s, 0}, event::deploy{s, {}, true, false}).effects)
    if (const auto* t = std::get_if<effect::arm_timer>(&e))
      epoch = t->epoch;
  REQUIRE(epoch > 0);
  CHECK(m.step({100s, 0}, event::timer{epoch - 1}).effects.empty());
  CHECK_FALSE(m.step({100s, 0}, event::timer{epoch}).effects.empty()); // startup_timeout has passed
}
