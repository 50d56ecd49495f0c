// Names of options: Ray Serve's, refused ones, unknown ones.
#include "spec_checks.hpp"
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe;

TEST_CASE("Ray's rolling_update_percentage sets both shares, without binary error") {
  for (int p = 1; p <= 100; ++p) {
    const auto read = read_spec(with("rolling_update_percentage", p / 100.0));
    CAPTURE(p);
    CHECK(read.errors.empty());
    CHECK(read.spec.rollout.max_surge == replica_share::percent(static_cast<std::uint32_t>(p)));
    CHECK(read.spec.rollout.max_unavailable == replica_share::percent(static_cast<std::uint32_t>(p)));
  }
  CHECK(read_spec(with("rolling_update_percentage", 0.125)).spec.rollout.max_surge == replica_share::percent(12));
  CHECK(read_spec(with("rolling_update_percentage", 1)).spec.rollout.max_surge == replica_share::percent(100));
  CHECK(read_spec(with("rolling_update_percentage", 0.2)).spec.rollout.strategy == rollout_strategy::start_first);
  for (const json& bad : {json(0), json(-0.1), json(1.001), json(20), json("0.2"), json("20%"), json(true),
                          json(nullptr), json(0.009), nan_value})
    rejects("rolling_update_percentage", bad);
}

TEST_CASE("Ray's max_surge_percent chooses the strategy") {
  const auto r = read_spec(with("max_surge_percent", 30)).spec.rollout;
  CHECK(r.strategy == rollout_strategy::start_first);
  CHECK(r.max_surge == replica_share::percent(30));
  CHECK(r.max_unavailable == replica_share::percent(20));
  const auto zero = read_spec(with("max_surge_percent", 0)).spec.rollout;
  CHECK(zero.strategy == rollout_strategy::stop_first);
  CHECK(zero.max_surge == replica_share::percent(20));
  CHECK(read_spec(with("max_surge_percent", "20")).spec.rollout.max_surge == replica_share::percent(20));
  accepts("max_surge_percent", 100);
  accepts("max_surge_percent", 20.0);
  for (const json& bad : {json(-1), json(101), json(12.5), json("20%"), json(""), json(true), json(nullptr)})
    rejects("max_surge_percent", bad);
  const auto both = read_spec(json{{"name", "d"}, {"rolling_update_percentage", 0.1}, {"max_surge_percent", 30}});
  CHECK(both.errors.empty());
  CHECK(both.spec.rollout.max_surge == replica_share::percent(30));
  CHECK(both.spec.rollout.max_unavailable == replica_share::percent(10));
}

TEST_CASE("Ray's name and ours for the same knob is a contradiction") {
  auto object = with("rolling_update.max_surge", "10%");
  object["rolling_update_percentage"] = 0.2;
  object["max_surge_percent"] = 20;
  const auto errors = read_spec(object).errors;
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].path == "rolling_update_percentage");
  CHECK(errors[0].allowed.find("rolling_update.max_surge is given too") != std::string::npos);
  CHECK(errors[1].path == "max_surge_percent");
}

TEST_CASE("what this release does not have is refused by name") {
  for (const auto* name : {"autoscaling_config",
                           "gang_scheduling_config",
                           "deployment_actors",
                           "placement_group_bundles",
                           "placement_group_strategy",
                           "placement_group_bundle_label_selector",
                           "grpc_options",
                           "target_capacity",
                           "ray_actor_options.accelerator_type",
                           "ray_actor_options.runtime_env",
                           "ray_actor_options.fallback_strategy",
                           "num_cpus",
                           "num_gpus",
                           "memory",
                           "resources",
                           "import_path",
                           "label_selector",
                           "labels",
                           "placement",
                           "request_router_config",
                           "logging_config",
                           "prepare",
                           "commit",
                           "multiplexed",
                           "batching",
                           "max_batch_size",
                           "batch_wait_timeout_s",
                           "max_constructor_retry_count"}) {
    const auto e = rejects(name, json{{"x", 1}});
    CHECK(e.allowed.starts_with("nothing: "));
    CHECK(e.allowed.find("no option has this name") == std::string::npos);
    accepts(name, nullptr); // asks for nothing
  }
  CHECK(rejects("num_replicas", "auto").allowed.find("autoscaling") != std::string::npos);
  rejects("autoscaling_config", json::object()); // in Ray that turns it on
  accepts("ray_actor_options", json::object());
}

TEST_CASE("a name that no option has is told, with the one that is close") {
  const auto allowed = [](std::string_view path) { return rejects(path, 1).allowed; };
  CHECK(allowed("max_ongoing_request") == R"(nothing: no option has this name; did you mean "max_ongoing_requests"?)");
  CHECK(allowed("startup_timeout") == R"(nothing: no option has this name; did you mean "startup_timeout_s"?)");
  CHECK(allowed("max_surge") == R"(nothing: no option has this name; did you mean "rolling_update.max_surge"?)");
  CHECK(allowed("rolling_updates") == R"(nothing: no option has this name; did you mean "rolling_update"?)");
  CHECK(allowed("rolling_update.min_ready") ==
        R"(nothing: no option has this name; did you mean "rolling_update.min_ready_s"?)");
  CHECK(allowed("rolling_update.num_replicas") == R"(nothing: no option has this name; did you mean "num_replicas"?)");
  CHECK(allowed("backpressure_config.status") == "nothing: no option has this name");
  CHECK(allowed("something_else") == "nothing: no option has this name");
  CHECK(allowed("") == "nothing: no option has this name");
  CHECK(allowed("x") == "nothing: no option has this name");
  // a hostile name stays short and on one line
  const auto errors = read_spec(json{{"name", "d"}, {std::string(5000, 'k') + "\n", 1}, {"a\nb", 2}}).errors;
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].path == "a\\nb");
  CHECK(errors[1].path == std::string(100, 'k') + "...");
}
