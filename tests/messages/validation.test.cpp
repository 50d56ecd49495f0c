// What may stand in each option: rows just before, at and after each limit.
#include "spec_checks.hpp"
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe;

TEST_CASE("names: 1 to 128 characters, no control characters, no '#', no '/', only UTF-8") {
  for (const auto* path : {"name", "application"}) {
    accepts(path, "a");
    accepts(path, "a b.c-d_e:é");
    accepts(path, std::string(127, 'x'));
    accepts(path, std::string(128, 'x'));
    accepts(path, repeat("\xF0\x9F\x8E\xAD", 128)); // characters, not bytes
    accepts(path, "\xC2\xA0");                      // the first after the C1 controls
    for (const std::string bad : {"", "a#", "/", "a/b", "\n", "a\x1f", "\x7f", "\xC2\x80", "\xC2\x9F", "\xff", "\xC3",
                                  "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"})
      rejects(path, bad);
    rejects(path, std::string(129, 'x'));
    rejects(path, std::string(1, '\0'));
    for (const json& bad : {json(nullptr), json(1), json(true), json::array(), json::object()})
      rejects(path, bad);
  }
  CHECK_FALSE(name_problem("ok"));
  CHECK(name_problem("#"));
}

TEST_CASE("a spec without a name says so") {
  const auto errors = read_spec(json::object()).errors;
  REQUIRE(errors.size() == 1);
  CHECK(errors[0] == field_error{"name", "\"\"", *name_problem("")});
}

TEST_CASE("versions: at most 256 characters, no control characters") {
  accepts("version", "");
  accepts("version", "v1/#x");
  accepts("version", std::string(256, 'v'));
  accepts("version", repeat("é", 256));
  rejects("version", std::string(257, 'v'));
  rejects("version", "v\t");
  rejects("version", "\xff");
  rejects("version", 1);
  rejects("version", nullptr);
}

TEST_CASE("integers: each limit, 3.0 is one, 3.5 and true are none") {
  struct row {
    const char* path;
    std::int64_t min, max;
  };
  for (const auto& [path, min, max] : {row{"num_replicas", 1, 10'000'000}, row{"max_ongoing_requests", 1, 1'000'000},
                                       row{"max_start_attempts", 1, 1000}}) {
    accepts(path, min);
    accepts(path, max);
    accepts(path, 3.0);
    rejects(path, min - 1);
    rejects(path, max + 1);
    for (const json& bad : {json(3.5), json(true), json("3"), json::array(), json::object(), json(-1), json(UINT64_MAX),
                            json(INT64_MIN), json(4294967297), json(1e30), nan_value, infinity})
      rejects(path, bad);
  }
  CHECK(read_spec(with("num_replicas", 3.0)).spec.num_replicas == 3);
  accepts("num_replicas", nullptr); // as Ray: not given
  rejects("max_ongoing_requests", nullptr);
}

TEST_CASE("max_queued_requests: -1, or at least 1") {
  for (const json& good : {json(-1), json(1), json(1000), json(INT64_MAX), json(-1.0)})
    accepts("max_queued_requests", good);
  for (const json& bad : {json(-2), json(0), json(0.5), json(UINT64_MAX), json(false), json(nullptr), json("1")})
    rejects("max_queued_requests", bad);
}

TEST_CASE("backpressure_config: 503 or 429, and seconds that are rounded up") {
  for (const json& good : {json(503), json(429), json(429.0)})
    accepts("backpressure_config.status_code", good);
  for (const json& bad : {json(500), json(502), json(504), json(428), json("503"), json(nullptr), json(503.5)})
    rejects("backpressure_config.status_code", bad);
  for (const json& good : {json(0), json(0.1), json(10), json(ten_years), json(nullptr)})
    accepts("backpressure_config.retry_after_s", good);
  for (const json& bad : {json(-0.1), json(ten_years + 1), json("1"), json(true), nan_value, infinity})
    rejects("backpressure_config.retry_after_s", bad);
  CHECK(read_spec(with("backpressure_config.retry_after_s", 0.1)).spec.backpressure_retry_after_s == 1);
  rejects("backpressure_config", nullptr);
  rejects("backpressure_config", 503);
  accepts("backpressure_config", json::object());
}

TEST_CASE("durations: finite, within ten years, some may be 0") {
  for (const auto* path : {"graceful_shutdown_timeout_s", "rolling_update.bake_s", "graceful_shutdown_wait_loop_s"}) {
    for (const json& good : {json(0), json(0.0), json(0.001), json(1e-9), json(1.5), json(ten_years)})
      accepts(path, good);
  }
  for (const auto* path : {"health_check_period_s", "health_check_timeout_s", "stuck_after_s"}) {
    for (const json& good : {json(0.001), json(1e-9), json(1.5), json(ten_years)})
      accepts(path, good);
    for (const json& bad : {json(0), json(0.0), json(-0.0)})
      rejects(path, bad);
  }
  for (const auto* path : {"graceful_shutdown_timeout_s", "health_check_period_s", "health_check_timeout_s",
                           "startup_timeout_s", "stuck_after_s", "rolling_update.min_ready_s", "rolling_update.bake_s",
                           "rolling_update.progress_deadline_s", "graceful_shutdown_wait_loop_s"})
    for (const json& bad : {json(-0.001), json(-1), json(-1e-9), json(ten_years + 0.001), json(1e300), json(UINT64_MAX),
                            json(INT64_MIN), json("1"), json(true), json(nullptr), json::array(), nan_value, infinity})
      rejects(path, bad);
}

TEST_CASE("durations are taken to the nearest millisecond, and never down to 0") {
  const auto period = [](double s) { return read_spec(with("health_check_period_s", s)).spec.health_check_period; };
  CHECK(period(0.1) == milliseconds{100});
  CHECK(period(0.29) == milliseconds{290});
  CHECK(period(1.0004) == milliseconds{1000});
  CHECK(period(1.0005001) == milliseconds{1001});
  CHECK(period(0.0001) == milliseconds{1});
}

TEST_CASE("execution and strategy are told by name") {
  for (const auto* good : {"pool", "inline", "thread"})
    accepts("execution", good);
  for (const json& bad : {json("inlined"), json("Pool"), json(""), json(0), json(nullptr)})
    rejects("execution", bad);
  CHECK(rejects("execution", "process").allowed == R"("pool", "inline" or "thread")");
  accepts("rolling_update.strategy", "start_first");
  accepts("rolling_update.strategy", "stop_first");
  CHECK(rejects("rolling_update.strategy", "recreate").allowed == R"("start_first" or "stop_first")");
}

TEST_CASE("booleans are true or false") {
  for (const auto* path : {"idempotent", "rolling_update.surge_fallback", "rolling_update.auto_rollback"}) {
    accepts(path, true);
    accepts(path, false);
    for (const json& bad : {json(0), json(1), json("true"), json(nullptr)})
      rejects(path, bad);
  }
}

TEST_CASE("shares: 1 to 100 percent, or a count of at least 1") {
  for (const auto* path :
       {"rolling_update.max_surge", "rolling_update.max_unavailable", "rolling_update.reconfigure_wave"}) {
    for (const json& good : {json("1%"), json("29%"), json("100%"), json(1), json(10'000'000), json(2.0)})
      accepts(path, good);
    for (const json& bad : {json("0%"), json("101%"), json("20"), json("%"), json(""), json("-1%"), json("20.5%"),
                            json(" 20%"), json("20 %"), json("20%%"), json("4294967297%"), json(0), json(-1),
                            json(10'000'001), json(0.2), json(2.5), json(true), json::array(), nan_value})
      rejects(path, bad);
  }
  rejects("rolling_update.max_surge", nullptr);
  accepts("rolling_update.reconfigure_wave", nullptr);
  CHECK_FALSE(read_spec(with("rolling_update.reconfigure_wave", nullptr)).spec.rollout.has_reconfigure_wave);
}

TEST_CASE("documents: 64 levels, 1 MiB of text, only what JSON can say") {
  for (const auto* path : {"init_args", "user_config"}) {
    for (const json& good : {json(nullptr), json(1), json("x"), json(true), json::object(), nested(63), nested(64)})
      accepts(path, good);
    rejects(path, nested(65));
    accepts(path, std::string((1U << 20U) - 2, 'x')); // and two quotes
    rejects(path, std::string((1U << 20U) - 1, 'x'));
    rejects(path, "\xff");
    rejects(path, json{{"k", {nan_value}}});
    rejects(path, json{infinity});
    rejects(path, json::binary({1, 2}));
  }
}

TEST_CASE("a document of a hundred thousand levels is refused like any other") {
  // The parser takes any depth; what recurses is asked only after the depth is known.
  const auto text = R"({"name":"d","user_config":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const auto object = json::parse(text);
  const auto errors = read_spec(object).errors;
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].path == "user_config");
  CHECK(errors[0].value == std::string(97, '[') + "...");
  CHECK(errors[0].allowed == "JSON that nests at most 64 levels");
}

TEST_CASE("specs made in C++ obey the same rules") {
  deployment_spec good;
  good.name = "d";
  CHECK(validate(good).empty());
  CHECK(validate(deployment_spec{}).at(0).path == "name");
  const auto path_of = [&good](auto change) {
    auto spec = good;
    change(spec);
    const auto errors = validate(spec);
    REQUIRE_MESSAGE(errors.size() == 1, to_string(errors));
    return errors[0].path;
  };
  using s = deployment_spec;
  CHECK(path_of([](s& x) { x.application = ""; }) == "application");
  CHECK(path_of([](s& x) { x.version = "\n"; }) == "version");
  CHECK(path_of([](s& x) { x.init_args = json_doc{nested(65)}; }) == "init_args");
  CHECK(path_of([](s& x) { x.user_config = json_doc{json("\xff")}; }) == "user_config");
  CHECK(path_of([](s& x) { x.execution = static_cast<execution_mode>(3); }) == "execution");
  CHECK(path_of([](s& x) { x.num_replicas = 0; }) == "num_replicas");
  CHECK(path_of([](s& x) { x.num_replicas = max_num_replicas + 1; }) == "num_replicas");
  CHECK(path_of([](s& x) { x.max_ongoing_requests = 0; }) == "max_ongoing_requests");
  CHECK(path_of([](s& x) { x.max_queued_requests = 0; }) == "max_queued_requests");
  CHECK(path_of([](s& x) { x.max_queued_requests = -2; }) == "max_queued_requests");
  CHECK(path_of([](s& x) { x.backpressure_status = 200; }) == "backpressure_config.status_code");
  CHECK(path_of([](s& x) { x.backpressure_retry_after_s = UINT32_MAX; }) == "backpressure_config.retry_after_s");
  CHECK(path_of([](s& x) { x.graceful_shutdown_timeout = milliseconds{-1}; }) == "graceful_shutdown_timeout_s");
  CHECK(path_of([](s& x) { x.health_check_period = milliseconds{0}; }) == "health_check_period_s");
  CHECK(path_of([](s& x) { x.health_check_timeout = milliseconds::max(); }) == "health_check_timeout_s");
  CHECK(path_of([](s& x) { x.startup_timeout = milliseconds::min(); }) == "startup_timeout_s");
  CHECK(path_of([](s& x) { x.stuck_after = max_duration + milliseconds{1}; }) == "stuck_after_s");
  CHECK(path_of([](s& x) { x.max_start_attempts = 1001; }) == "max_start_attempts");
  CHECK(path_of([](s& x) { x.rollout.strategy = static_cast<rollout_strategy>(9); }) == "rolling_update.strategy");
  CHECK(path_of([](s& x) { x.rollout.max_surge = replica_share::percent(101); }) == "rolling_update.max_surge");
  CHECK(path_of([](s& x) { x.rollout.max_unavailable = replica_share::count(0); }) == "rolling_update.max_unavailable");
  CHECK(path_of([](s& x) {
          x.rollout.has_reconfigure_wave = true;
          x.rollout.reconfigure_wave = replica_share::percent(0);
        }) == "rolling_update.reconfigure_wave");
  CHECK(path_of([](s& x) { x.rollout.min_ready = milliseconds::max(); }) == "rolling_update.min_ready_s");
  CHECK(path_of([](s& x) { x.rollout.bake = milliseconds{-1}; }) == "rolling_update.bake_s");
  CHECK(path_of([](s& x) { x.rollout.progress_deadline = milliseconds{60'000}; }) ==
        "rolling_update.progress_deadline_s");
  CHECK(path_of([](s& x) { x.rollout.canary = 2; }) == "rolling_update.canary");
  // not in use, so not judged
  good.rollout.reconfigure_wave = replica_share::percent(0);
  CHECK(validate(good).empty());
}
