// The named options reach the spec, all of them.
#include <troupe/app/runtime/deployment_options.hpp>
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

namespace troupe::deployment_options_test {

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("a name may bring its application along") {
  CHECK(parse_deployment_name("spell") == deployment_name{"default", "spell"});
  CHECK(parse_deployment_name("text/spell") == deployment_name{"text", "spell"});
  CHECK(parse_deployment_name("a/b/c") == deployment_name{"a", "b/c"}); // which `validate` refuses
  CHECK(parse_deployment_name("/x") == deployment_name{"", "x"});
  CHECK(parse_deployment_name("") == deployment_name{"default", ""});
}

TEST_CASE("options that are left out are at their defaults") {
  deployment_spec expected;
  expected.name = "spell";
  CHECK(deployment_options{"spell"}.spec() == expected);
}

TEST_CASE("every option of a spec can be set by name") {
  rolling_update knobs;
  knobs.bake = 7ms; // replaced below: shows that single knobs come after
  const auto spec = deployment_options{"spell"}
                        .application("text")
                        .version("7")
                        .init_args({{"a", 1}})
                        .execution(execution_mode::thread)
                        .num_cpus(0.5)
                        .num_gpus(2)
                        .memory(1000)
                        .resource("licence", 3)
                        .label_selector({{"zone", "in(a, b)"}})
                        .preferred_labels({{"disk", "!hdd"}})
                        .placement(placement_strategy::pack)
                        .max_replicas_per_node(4)
                        .user_config("c")
                        .num_replicas(11)
                        .max_ongoing_requests(12)
                        .max_queued_requests(13)
                        .backpressure_status(429)
                        .backpressure_retry_after(14s)
                        .graceful_shutdown_timeout(15s)
                        .health_check_period(16s)
                        .health_check_timeout(17s)
                        .startup_timeout(18s)
                        .stuck_after(19s)
                        .max_start_attempts(20)
                        .idempotent()
                        .rollout(knobs)
                        .strategy(rollout_strategy::stop_first)
                        .max_surge(replica_share::count(2))
                        .max_unavailable(replica_share::count(3))
                        .reconfigure_wave(replica_share::percent(100))
                        .surge_fallback(false)
                        .min_ready(22s)
                        .bake(23s)
                        .progress_deadline(24min)
                        .auto_rollback(false)
                        .canary(2)
                        .spec();
  // Compared in the JSON form: an option that is added to the spec and not to the setters shows up as a default.
  const auto given = to_json(spec).flatten();
  const auto defaults = to_json(deployment_options{"spell"}.spec()).flatten();
  // Worker processes run code from libraries, in the daemon; for code of a program they are refused.
  const std::set<std::string> not_here{"/name", "/isolation", "/replicas_per_worker", "/runtime_env"};
  for (const auto& x : given.items())
    if (!not_here.contains(x.key()) && defaults.contains(x.key()))
      CHECK_MESSAGE(x.value() != defaults[x.key()], x.key());
  CHECK(spec.init_args.get() == json{{"a", 1}});
  CHECK(spec.user_config.get() == json("c"));
  CHECK(spec.per_replica ==
        resources{}.set("num_cpus", 5000).set("num_gpus", 20'000).set("memory", 1000).set("licence", 30'000));
  CHECK(spec.backpressure_retry_after_s == 14);
  CHECK(spec.rollout.progress_deadline == 24min);
  CHECK(spec.rollout.reconfigure_share() == replica_share::percent(100));
}

TEST_CASE("a retry-after that does not fit is refused by validation and not wrapped") {
  for (const auto bad : {-1s, 5'000'000'000s}) {
    const auto problems = validate(deployment_options{"x"}.backpressure_retry_after(bad).spec());
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].path.find("retry_after") != std::string::npos);
  }
}

TEST_CASE("amounts are numbers as operators write them, and 0 takes one out again") {
  const auto asks = [](deployment_options x) { return x.spec().per_replica; };
  CHECK(asks(deployment_options{"x"}.num_cpus(2)) == resources{}.set("num_cpus", 2 * resource_unit));
  CHECK(asks(deployment_options{"x"}.num_cpus(2).num_cpus(0)).empty());
  CHECK(asks(deployment_options{"x"}.resource("num_cpus", 0.0001)) == resources{}.set("num_cpus", 1));
  CHECK(asks(deployment_options{"x"}.resource("memory", 4096)) == resources{}.set("memory", 4096));
  CHECK(asks(deployment_options{"x"}.num_gpus(1).per_replica(resources{}.set("a", 1))) == resources{}.set("a", 1));
}

TEST_CASE("labels are texts as operators write them; what is no rule is refused by validation, by its label") {
  const auto good = deployment_options{"x"}.label_selector({{"zone", "!in(a, b)"}}).spec();
  CHECK(good.where.required == std::vector{label_rule{"zone", {"a", "b"}, true}});
  CHECK(validate(good).empty());
  const auto problems = validate(deployment_options{"x"}.preferred_labels({{"disk", "in(a"}, {"zone", "a"}}).spec());
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].path == "preferred_labels.disk");
  CHECK(problems[0].value == "\"in(a\"");
}

TEST_CASE("amounts that are none are refused by validation, by their name") {
  const auto refused = [](const deployment_options& x, const std::string& path) {
    const auto problems = validate(x.spec());
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].path == "ray_actor_options." + path);
    CHECK(problems[0].value == "\"no amount: negative, too large, or with more than 4 decimals\"");
  };
  refused(deployment_options{"x"}.num_cpus(-1), "num_cpus");
  refused(deployment_options{"x"}.num_cpus(0.00005), "num_cpus");
  refused(deployment_options{"x"}.num_gpus(std::numeric_limits<double>::quiet_NaN()), "num_gpus");
  refused(deployment_options{"x"}.resource("licence", 1e13), "resources.licence");
  refused(deployment_options{"x"}.resource("memory", 0.5), "memory");
  CHECK(validate(deployment_options{"x"}.num_gpus(1.5).spec()).size() == 1);
  CHECK(validate(deployment_options{"x"}.resource("no good", 1).spec()).size() == 1);
}

} // namespace troupe::deployment_options_test
