// Changes of the configuration in place (SPEC 1.4).
#include "machine_fixture.hpp"

using namespace troupe;
using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

TEST_CASE("a config change reconfigures in waves of W and restarts nothing") {
  world w;
  establish(w, target("v1", 10, json(1)));
  CHECK(w.deploy(target("v1", 10, json(2))).change == change_kind::reconfigured);
  w.run_for(10s);
  CHECK(w.waves == sizes{2, 2, 2, 2, 2});
  CHECK(w.max_reconfiguring == 2);
  CHECK(w.updated == 10);
  CHECK(w.started + w.stopped == 0);
  CHECK(w.min_available == 10);
  CHECK(w.with_config(json(2)) == 10);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("reconfigure_wave 100 % reconfigures all at once") {
  const auto all = [](int config) {
    auto s = target("v1", 10, json(config));
    s.rollout.has_reconfigure_wave = true;
    s.rollout.reconfigure_wave = replica_share::percent(100);
    return s;
  };
  world w;
  establish(w, all(1));
  w.deploy(all(2));
  w.run_for(1s);
  CHECK(w.max_reconfiguring == 10);
  CHECK(w.with_config(json(2)) == 10);
}

TEST_CASE("from no config to one reconfigures, from one to none replaces") {
  world w;
  establish(w, target("v1", 5));
  CHECK(w.deploy(target("v1", 5, json(1))).change == change_kind::reconfigured);
  w.run_for(10s);
  CHECK(w.with_config(json(1)) == 5);
  CHECK(w.stopped == 0);
  CHECK(w.deploy(target("v1", 5)).change == change_kind::replaced);
  w.run_for(10s);
  CHECK(w.stopped == 5);
  CHECK(w.with_config(nullptr) == 5);
  CHECK_SOUND(w);
}

TEST_CASE("replicas created later get the present config") {
  world w;
  establish(w, target("v1", 2, json(1)));
  w.deploy(target("v1", 2, json(2)));
  w.run_for(1s);
  w.scale(4);
  w.kill(w.refs(&puppet::available).front());
  w.run_for(20s);
  CHECK(w.available() == 4);
  CHECK(w.with_config(json(2)) == 4);
  CHECK_SOUND(w);
}

TEST_CASE("a replica that was starting when the config changed is reconfigured too") {
  world w;
  w.on_start = [](const puppet&) { return outcome{.after = 1s}; };
  w.deploy(target("v1", 3, json(1)));
  w.run_for(100ms);
  w.deploy(target("v1", 3, json(2)));
  w.run_for(10s);
  CHECK(w.with_config(json(2)) == 3);
  CHECK(w.started == 3);
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("older configs of the target come before further replacements, outdated ones keep their own") {
  world w;
  establish(w, target("v1", 5, json(1)));
  w.deploy(target("v2", 5, json(1)));
  w.run_for(25ms);
  REQUIRE(w.available("v2") == 1);
  w.deploy(target("v2", 5, json(2)));
  w.run_for(5ms);
  w.run_for(30ms);
  CHECK(w.with_config(json(2)) >= 1);
  for (const auto& [id, p] : w.puppets())
    if (p.what->spec.version == "v1")
      CHECK(p.update_seq == 0);
  w.run_for(10s);
  CHECK(w.available("v2") == 5);
  CHECK(w.with_config(json(2)) == 5);
  CHECK_SOUND(w);
}

TEST_CASE("a failed reconfigure takes the config back everywhere; the thrower serves no more and is replaced") {
  world w;
  establish(w, target("v1", 10, json(1)));
  int calls = 0;
  w.on_update = [&](const puppet& p) {
    outcome o;
    o.ok = !(p.next_config.get() == json(2) && ++calls == 4);
    o.message = "no such model";
    return o;
  };
  w.deploy(target("v1", 10, json(2)));
  w.run_for(60s);
  CHECK(w.with_config(json(1)) == 10);
  CHECK(w.started == 1);
  CHECK(w.stopped == 1);
  CHECK(w.min_available >= 9);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.status().message.find("no such model") != std::string::npos);
  CHECK(w.status().message.find("rolled back to R1") != std::string::npos);
  CHECK(w.phase() == rollout_phase::complete);
  CHECK_SOUND(w);
}

TEST_CASE("where taking it back throws too, replicas are replaced within W") {
  world w;
  establish(w, target("v1", 10, json(1)));
  int calls = 0;
  w.on_update = [&](const puppet& p) {
    outcome o;
    o.ok = p.next_config.get() == json(2) && ++calls <= 4;
    return o;
  };
  w.deploy(target("v1", 10, json(2)));
  w.run_for(120s);
  CHECK(w.with_config(json(1)) == 10);
  CHECK(w.state() == state::deploy_failed);
  CHECK(w.phase() == rollout_phase::complete);
  CHECK(w.min_available >= 8);
  CHECK(w.max_live <= 12);
  CHECK_SOUND(w);
}

TEST_CASE("where the base has no config, replicas with the failed one are replaced") {
  world w;
  establish(w, target("v1", 5));
  int calls = 0;
  w.on_update = [&](const puppet&) {
    outcome o;
    o.ok = ++calls != 3;
    return o;
  };
  w.deploy(target("v1", 5, json(2)));
  w.run_for(60s);
  CHECK(w.with_config(nullptr) == 5);
  CHECK(w.state() == state::deploy_failed);
  CHECK_SOUND(w);
}

TEST_CASE("a reconfigure that takes longer than its time counts as a throw and is given up") {
  world w;
  establish(w, target("v1", 5, json(1)));
  w.on_update = [](const puppet& p) {
    outcome o;
    o.never = p.next_config.get() == json(2);
    return o;
  };
  w.on_stop = [](const puppet&) { return outcome{.ends = false}; };
  w.deploy(target("v1", 5, json(2)));
  w.run_for(79s); // 20 s to end what has begun, 60 s for reconfigure
  CHECK(w.phase() == rollout_phase::rolling);
  w.run_for(2s);
  CHECK(w.status().given_up == 1);
  w.run_for(60s);
  CHECK(w.with_config(json(1)) == 5);
  CHECK(w.state() == state::deploy_failed);
  CHECK_SOUND(w);
}
