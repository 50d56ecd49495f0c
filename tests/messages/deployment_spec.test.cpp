// Share arithmetic of waves and the JSON form of a spec.
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

namespace {

using namespace troupe;

rc::Gen<replica_share> shares() {
  return rc::gen::mapcat(rc::gen::arbitrary<bool>(), [](bool percent) {
    return rc::gen::map(rc::gen::inRange<std::uint32_t>(1, percent ? 101 : 10'000'001), [percent](std::uint32_t n) {
      return replica_share{percent, n};
    });
  });
}

// A spec that is allowed but for rules across options; durations down to the millisecond.
deployment_spec any_spec() {
  const auto duration = [](std::int64_t least) {
    return milliseconds{*rc::gen::oneOf(rc::gen::inRange<std::int64_t>(least, 100'000),
                                        rc::gen::inRange<std::int64_t>(least, max_duration.count() + 1))};
  };
  deployment_spec s;
  s.application = "app";
  s.name = "d" + std::to_string(*rc::gen::inRange(0, 1000));
  s.version = *rc::gen::element<std::string>("", "v1", "1.0-ä", std::string(256, 'v'));
  s.init_args = json_doc{*rc::gen::element<json>(nullptr, json{1, "a"}, json{{"k", {{"l", false}}}})};
  s.user_config = json_doc{*rc::gen::element<json>(nullptr, 1, "text", json::object(), json{{"x", 0.1}})};
  s.execution = *rc::gen::element(execution_mode::pool, execution_mode::inlined, execution_mode::thread);
  s.per_replica.set(resource_name::cpus, *rc::gen::inRange<std::uint64_t>(0, 1'000'000'001));
  s.per_replica.set(resource_name::gpus, *rc::gen::inRange<std::uint64_t>(0, 10'001));
  s.per_replica.set(resource_name::memory, *rc::gen::inRange<std::uint64_t>(0, (std::uint64_t{1} << 50U) + 1));
  s.per_replica.set("tokens", *rc::gen::inRange<std::uint64_t>(0, 10'000'000'000'001));
  s.where.strategy = *rc::gen::element(placement_strategy::spread, placement_strategy::pack);
  s.where.max_replicas_per_node = *rc::gen::inRange<std::uint32_t>(0, max_num_replicas + 1);
  for (auto* rules : {&s.where.required, &s.where.preferred})
    for (const auto* key : {"disk", "zone"})
      if (*rc::gen::arbitrary<bool>())
        rules->push_back(*read_label_rule(key, *rc::gen::element<std::string>("a", "!a", "in(a, b)", "!in(ä, b c)")));
  s.num_replicas = *rc::gen::inRange<std::uint32_t>(1, max_num_replicas + 1);
  s.max_ongoing_requests = *rc::gen::inRange<std::uint32_t>(1, 1'000'001);
  s.max_queued_requests = *rc::gen::element<std::int64_t>(-1, 1, 2, 1'000'000, INT64_MAX);
  s.backpressure_status = *rc::gen::element(503U, 429U);
  s.backpressure_retry_after_s = *rc::gen::inRange<std::uint32_t>(0, 315'360'001);
  s.graceful_shutdown_timeout = duration(0);
  s.health_check_period = duration(1);
  s.health_check_timeout = duration(1);
  s.startup_timeout = duration(1);
  s.stuck_after = duration(1);
  s.max_start_attempts = *rc::gen::inRange<std::uint32_t>(1, 1001);
  s.idempotent = *rc::gen::arbitrary<bool>();
  auto& r = s.rollout;
  r.strategy = *rc::gen::element(rollout_strategy::start_first, rollout_strategy::stop_first);
  r.max_surge = *shares();
  r.max_unavailable = *shares();
  r.has_reconfigure_wave = *rc::gen::arbitrary<bool>();
  if (r.has_reconfigure_wave)
    r.reconfigure_wave = *shares();
  r.surge_fallback = *rc::gen::arbitrary<bool>();
  r.min_ready = duration(0);
  r.bake = duration(0);
  r.progress_deadline = duration(1);
  r.auto_rollback = *rc::gen::arbitrary<bool>();
  r.canary = *rc::gen::inRange<std::uint32_t>(0, 5);
  return s;
}

bool is_across(const field_error& e) {
  return e.path == "rolling_update.progress_deadline_s" || e.path == "rolling_update.canary";
}

} // namespace

TEST_CASE("20 % of N rounds down, to at least 1") {
  struct row {
    std::uint32_t n, wave;
  };
  for (const auto& x : {row{0, 0},
                        {1, 1},
                        {2, 1},
                        {3, 1},
                        {4, 1},
                        {5, 1},
                        {9, 1},
                        {10, 2},
                        {14, 2},
                        {15, 3},
                        {29, 5},
                        {30, 6},
                        {99, 19},
                        {100, 20},
                        {10'000'000, 2'000'000}}) {
    CAPTURE(x.n);
    CHECK(replica_share{}.of(x.n) == x.wave);
    CHECK(replica_share::percent(20).of(x.n) == x.wave);
  }
}

TEST_CASE("29 % is exact: in binary, 0.29 * 100 is less than 29") {
  CHECK(replica_share::percent(29).of(100) == 29);
  CHECK(replica_share::percent(29).of(99) == 28);
  CHECK(replica_share::percent(29).of(101) == 29);
  CHECK(replica_share::percent(29).of(200) == 58);
  CHECK(replica_share::percent(29).of(1) == 1);
  CHECK(replica_share::percent(57).of(100) == 57);
}

TEST_CASE("the ends: 1 %, 100 %, counts around N, and no overflow") {
  CHECK(replica_share::percent(1).of(99) == 1);
  CHECK(replica_share::percent(1).of(199) == 1);
  CHECK(replica_share::percent(1).of(200) == 2);
  CHECK(replica_share::percent(100).of(7) == 7);
  CHECK(replica_share::percent(100).of(UINT32_MAX) == UINT32_MAX);
  CHECK(replica_share::count(1).of(10) == 1);
  CHECK(replica_share::count(9).of(10) == 9);
  CHECK(replica_share::count(10).of(10) == 10);
  CHECK(replica_share::count(11).of(10) == 10);
  CHECK(replica_share::count(3).of(0) == 0);
  CHECK(replica_share::percent(100).of(0) == 0);
}

TEST_CASE("a share is between 1 and N, and grows with N") {
  CHECK(rc::check([] {
    const auto share = *shares();
    const auto n = *rc::gen::inRange<std::uint32_t>(1, 1'000'000);
    RC_ASSERT(share.of(n) >= 1U);
    RC_ASSERT(share.of(n) <= n);
    RC_ASSERT(share.of(n) <= share.of(n + 1));
    if (share.is_percent && share.of(n) > 1)
      RC_ASSERT(std::uint64_t{share.of(n)} * 100 <= std::uint64_t{n} * share.value);
  }));
}

TEST_CASE("reconfigure waves are of max_unavailable unless they have a share of their own") {
  rolling_update r;
  r.max_unavailable = replica_share::count(3);
  r.reconfigure_wave = replica_share::percent(100);
  CHECK(r.reconfigure_share() == replica_share::count(3));
  r.has_reconfigure_wave = true;
  CHECK(r.reconfigure_share() == replica_share::percent(100));
}

TEST_CASE("the full name leaves out the default application") {
  deployment_spec s;
  s.name = "d";
  CHECK(s.full_name() == "d");
  s.application = "a";
  CHECK(s.full_name() == "a/d");
}

TEST_CASE("the JSON form has every option with its default") {
  deployment_spec s;
  s.name = "d";
  CHECK(to_json(s) == json::parse(R"({
    "application": "default", "name": "d", "version": "", "init_args": null, "execution": "pool",
    "isolation": "none", "replicas_per_worker": 1, "runtime_env": null, "user_config": null,
    "ray_actor_options": {"num_cpus": 0, "num_gpus": 0, "memory": 0, "resources": {}, "label_selector": {}},
    "preferred_labels": {}, "placement_strategy": "spread", "max_replicas_per_node": 0,
    "num_replicas": 1, "max_ongoing_requests": 5, "max_queued_requests": -1,
    "backpressure_config": {"status_code": 503, "retry_after_s": 0},
    "graceful_shutdown_timeout_s": 20, "health_check_period_s": 10, "health_check_timeout_s": 30,
    "startup_timeout_s": 60, "stuck_after_s": 300, "max_start_attempts": 3, "idempotent": false,
    "rolling_update": {"strategy": "start_first", "max_surge": "20%", "max_unavailable": "20%",
      "reconfigure_wave": null, "surge_fallback": true, "min_ready_s": 0, "bake_s": 0, "progress_deadline_s": 600,
      "auto_rollback": true, "canary": 0}})"));
}

TEST_CASE("what is left out is at its default") {
  const auto read = read_spec(json{{"name", "d"}});
  CHECK(read.errors.empty());
  deployment_spec expected;
  expected.name = "d";
  CHECK(read.spec == expected);
}

TEST_CASE("every option is read into its field") {
  const auto read = read_spec(json::parse(R"({
    "application": "a", "name": "d", "version": "v2", "init_args": {"k": [1]}, "execution": "inline",
    "ray_actor_options": {"num_cpus": 0.1, "num_gpus": 2, "memory": 1e9, "resources": {"a": 0.0001, "b": 0}},
    "user_config": {"t": 0.5}, "num_replicas": 10, "max_ongoing_requests": 64, "max_queued_requests": 100,
    "backpressure_config": {"status_code": 429, "retry_after_s": 1.2},
    "graceful_shutdown_timeout_s": 0, "health_check_period_s": 0.5, "health_check_timeout_s": 1.25,
    "startup_timeout_s": 7, "stuck_after_s": 8, "max_start_attempts": 4, "idempotent": true,
    "rolling_update": {"strategy": "stop_first", "max_surge": "29%", "max_unavailable": 3,
      "reconfigure_wave": "100%", "surge_fallback": false, "min_ready_s": 1, "bake_s": 2, "progress_deadline_s": 9,
      "auto_rollback": false, "canary": 3}})"));
  CHECK(to_string(read.errors) == "");
  const auto& s = read.spec;
  CHECK(s.application == "a");
  CHECK(s.name == "d");
  CHECK(s.version == "v2");
  CHECK(s.init_args.get() == json{{"k", {1}}});
  CHECK(s.execution == execution_mode::inlined);
  CHECK(s.per_replica ==
        resources{}.set("num_cpus", 1000).set("num_gpus", 20'000).set("memory", 1'000'000'000).set("a", 1));
  CHECK(s.user_config.get() == json{{"t", 0.5}});
  CHECK(s.num_replicas == 10);
  CHECK(s.max_ongoing_requests == 64);
  CHECK(s.max_queued_requests == 100);
  CHECK(s.backpressure_status == 429);
  CHECK(s.backpressure_retry_after_s == 2); // rounded up, as Ray does
  CHECK(s.graceful_shutdown_timeout == milliseconds{0});
  CHECK(s.health_check_period == milliseconds{500});
  CHECK(s.health_check_timeout == milliseconds{1250});
  CHECK(s.startup_timeout == milliseconds{7000});
  CHECK(s.stuck_after == milliseconds{8000});
  CHECK(s.max_start_attempts == 4);
  CHECK(s.idempotent);
  const auto& r = s.rollout;
  CHECK(r.strategy == rollout_strategy::stop_first);
  CHECK(r.max_surge == replica_share::percent(29));
  CHECK(r.max_unavailable == replica_share::count(3));
  CHECK(r.has_reconfigure_wave);
  CHECK(r.reconfigure_wave == replica_share::percent(100));
  CHECK_FALSE(r.surge_fallback);
  CHECK(r.min_ready == milliseconds{1000});
  CHECK(r.bake == milliseconds{2000});
  CHECK(r.progress_deadline == milliseconds{9000});
  CHECK_FALSE(r.auto_rollback);
  CHECK(r.canary == 3);
}

TEST_CASE("a spec that is written reads back equal, also by way of text") {
  CHECK(rc::check([] {
    const auto spec = any_spec();
    const auto read = read_spec(json::parse(to_json(spec).dump()));
    for (const auto& e : read.errors)
      RC_ASSERT(is_across(e));
    RC_ASSERT(read.spec == spec);
    RC_ASSERT(read.errors == validate(spec));
  }));
}
