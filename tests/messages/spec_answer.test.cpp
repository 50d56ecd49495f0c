// What the answer to a bad spec looks like.
#include "spec_checks.hpp"
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe;

TEST_CASE("all bad fields come in one answer, each with path, value and what is allowed") {
  const auto read = read_spec(json::parse(R"({"name": "a#b", "num_replicas": 0, "max_queued_requests": "many",
    "health_check_period_s": -1, "autoscaling_config": {"max_replicas": 2}, "colour": "red",
    "rolling_update": {"max_surge": "0%", "canary": 1.5}, "backpressure_config": {"status_code": 404}})"));
  std::vector<std::string> paths;
  for (const auto& e : read.errors)
    paths.push_back(e.path);
  CHECK(paths == std::vector<std::string>{"autoscaling_config", "colour", "name", "num_replicas", "max_queued_requests",
                                          "backpressure_config.status_code", "health_check_period_s",
                                          "rolling_update.max_surge", "rolling_update.canary"});
  CHECK(read.errors[3] == field_error{"num_replicas", "0", "an integer from 1 to 10000000"});
  CHECK(to_string({read.errors[3], read.errors[1]}) ==
        "num_replicas: 0 is not allowed; expected an integer from 1 to 10000000\n"
        "colour: \"red\" is not allowed; expected nothing: no option has this name");
  CHECK(to_string(std::vector<field_error>{}) == "");
}

TEST_CASE("values are shown cut to 100 characters, between characters") {
  CHECK(rejects("num_replicas", std::string(98, 'x')).value == '"' + std::string(98, 'x') + '"');
  CHECK(rejects("num_replicas", std::string(99, 'x')).value == '"' + std::string(96, 'x') + "...");
  CHECK(rejects("num_replicas", repeat("é", 99)).value == '"' + repeat("é", 48) + "...");
  CHECK(rejects("num_replicas", "x" + repeat("é", 99)).value == "\"x" + repeat("é", 47) + "...");
  CHECK(rejects("num_replicas", json::parse(R"({"a":[1,"b\n",null]})")).value == R"({"a":[1,"b\n",null]})");
  CHECK(rejects("num_replicas", nan_value).value == "nan");
  CHECK(rejects("num_replicas", std::vector<int>(100'000, 1)).value.size() == 100);
}

TEST_CASE("what is no object is no spec") {
  for (const json& bad : {json(nullptr), json(1), json("d"), json::array(), json::array({{"name", "d"}})}) {
    const auto errors = read_spec(bad).errors;
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].allowed == "an object");
  }
}

TEST_CASE("any JSON under any name is answered, not thrown at") {
  const std::vector<std::string> paths{"application",
                                       "name",
                                       "version",
                                       "init_args",
                                       "execution",
                                       "user_config",
                                       "num_replicas",
                                       "max_ongoing_requests",
                                       "max_queued_requests",
                                       "backpressure_config",
                                       "backpressure_config.status_code",
                                       "backpressure_config.retry_after_s",
                                       "graceful_shutdown_timeout_s",
                                       "health_check_period_s",
                                       "startup_timeout_s",
                                       "max_start_attempts",
                                       "idempotent",
                                       "rolling_update",
                                       "rolling_update.strategy",
                                       "rolling_update.max_surge",
                                       "rolling_update.reconfigure_wave",
                                       "rolling_update.min_ready_s",
                                       "rolling_update.canary",
                                       "ray_actor_options",
                                       "ray_actor_options.num_cpus",
                                       "ray_actor_options.memory",
                                       "ray_actor_options.resources",
                                       "rolling_update_percentage",
                                       "max_surge_percent",
                                       "graceful_shutdown_wait_loop_s",
                                       "autoscaling_config",
                                       "unknown",
                                       ""};
  const std::vector<json> values{nullptr,
                                 true,
                                 0,
                                 -1,
                                 INT64_MIN,
                                 UINT64_MAX,
                                 0.5,
                                 -0.0,
                                 1e308,
                                 5e-324,
                                 nan_value,
                                 infinity,
                                 "",
                                 "auto",
                                 "20%",
                                 "\xff",
                                 json::array(),
                                 json::object(),
                                 nested(70),
                                 json{{"a", {1}}},
                                 json::binary({1}),
                                 json(json::value_t::discarded)};
  for (const auto& path : paths)
    for (const auto& value : values) {
      CAPTURE(path);
      spec_from_json read;
      CHECK_NOTHROW(read = read_spec(with(path, value)));
      CHECK_NOTHROW(static_cast<void>(to_string(read.errors)));
      CHECK_NOTHROW(static_cast<void>(to_json(read.spec)));
      for (const auto& e : read.errors)
        CHECK(e.value.size() <= 100);
      if (read.errors.empty())
        CHECK(validate(read.spec).empty());
    }
}
