// Specs read over defaults: parts of a spec, and what null means there.
#include "spec_checks.hpp"

#include <doctest/doctest.h>

using namespace troupe;

namespace {

constexpr read_rules part{.is_whole = false, .refuse_unknown = false};

deployment_spec filled_spec() {
  deployment_spec spec;
  spec.name = "d";
  spec.num_replicas = 20;
  spec.max_ongoing_requests = 9;
  spec.user_config = json_doc{json{1}};
  spec.backpressure_retry_after_s = 7;
  spec.rollout.has_reconfigure_wave = true;
  spec.rollout.reconfigure_wave = replica_share::count(4);
  spec.rollout.bake = milliseconds{500};
  return spec;
}

} // namespace

TEST_CASE("what an object leaves out is as in the defaults, also within groups") {
  CHECK(read_spec(json::object(), filled_spec()).spec == filled_spec());
  auto expected = filled_spec();
  expected.rollout.canary = 2;
  const auto read = read_spec({{"rolling_update", {{"canary", 2}}}}, filled_spec());
  CHECK(to_string(read.errors) == "");
  CHECK(read.spec == expected);
}

TEST_CASE("null takes back what can be none, and leaves the number of replicas alone") {
  const auto read = read_spec({{"user_config", nullptr},
                               {"num_replicas", nullptr},
                               {"rolling_update", {{"reconfigure_wave", nullptr}}},
                               {"backpressure_config", {{"retry_after_s", nullptr}}}},
                              filled_spec());
  CHECK(to_string(read.errors) == "");
  CHECK(read.spec.user_config.is_null());
  CHECK(read.spec.num_replicas == 20);
  CHECK_FALSE(read.spec.rollout.has_reconfigure_wave);
  CHECK(read.spec.rollout.reconfigure_wave == replica_share{});
  CHECK(read.spec.backpressure_retry_after_s == 0);
}

TEST_CASE("a part needs no name, and keeps to rules of single options") {
  CHECK(read_spec({{"rolling_update", {{"canary", 5}, {"progress_deadline_s", 1}}}}, {}, part).errors.empty());
  CHECK(read_spec({{"rolling_update", {{"canary", -1}}}}, {}, part).errors.size() == 1);
  CHECK(read_spec({{"name", ""}}, {}, part).errors.size() == 1);
}

TEST_CASE("unknown names may be set apart, those within groups and those refused stay errors") {
  const json object{{"num_replica", 1}, {"autoscaling_config", {{"a", 1}}}, {"rolling_update", {{"canari", 1}}}};
  const auto apart = read_spec(object, {}, part);
  REQUIRE(apart.unknown.size() == 1);
  CHECK(apart.unknown[0].path == "num_replica");
  CHECK(apart.unknown[0].allowed.find("did you mean \"num_replicas\"?") != std::string::npos);
  CHECK(apart.errors.size() == 2);
  auto named = object;
  named["name"] = "d";
  const auto together = read_spec(named);
  CHECK(together.errors.size() == 3);
  CHECK(together.unknown.empty());
}
