// Targets from overrides and the code's declarations, and their versions.
#include <troupe/app/config/targets.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::config;

namespace {

application app_with(const json& deployments) {
  const json text{{"import_path", "libspell.so:app"}, {"deployments", deployments}};
  auto read = read_application_json(text, "default");
  REQUIRE_MESSAGE(read.ok(), to_string(read.errors));
  return read.application;
}

deployment_spec declared(std::string name) {
  deployment_spec spec;
  spec.name = std::move(name);
  return spec;
}

std::string version_of(const application& app, const std::string& digest = "d1") {
  const auto result = targets_for(app, {declared("speller")}, digest);
  REQUIRE(result.targets.size() == 1);
  return result.targets[0].spec.version;
}

} // namespace

TEST_CASE("SHA-256 as the standard's examples have it") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("the config goes over what the code declares, option by option") {
  auto code = declared("speller");
  code.num_replicas = 20;
  code.rollout.bake = milliseconds{3000};
  code.rollout.has_reconfigure_wave = true;
  code.backpressure_retry_after_s = 7;
  const auto app = app_with({{{"name", "speller"},
                              {"max_ongoing_requests", 9},
                              {"num_replicas", nullptr},
                              {"rolling_update", {{"canary", 2}, {"reconfigure_wave", nullptr}}},
                              {"backpressure_config", {{"retry_after_s", nullptr}}}}});
  const auto result = targets_for(app, {code, declared("other")}, "d1");
  REQUIRE_MESSAGE(result.ok(), to_string(result.errors));
  REQUIRE(result.targets.size() == 2);
  const auto& spec = result.targets[0].spec;
  CHECK(spec.application == "default");
  CHECK(spec.num_replicas == 20); // null: not given
  CHECK(spec.max_ongoing_requests == 9);
  CHECK(spec.rollout.canary == 2); // allowed for the code's 20 replicas
  CHECK(spec.rollout.bake == milliseconds{3000});
  CHECK_FALSE(spec.rollout.has_reconfigure_wave);
  CHECK(spec.backpressure_retry_after_s == 0);
  CHECK(result.targets[1].spec.name == "other");
}

TEST_CASE("Ray's percentages go over the code's shares without being called a contradiction") {
  auto code = declared("speller");
  code.rollout.max_surge = replica_share::count(3);
  const auto app = app_with({{{"name", "speller"}, {"rolling_update_percentage", 0.5}}});
  const auto result = targets_for(app, {code}, "d1");
  REQUIRE_MESSAGE(result.ok(), to_string(result.errors));
  CHECK(result.targets[0].spec.rollout.max_surge == replica_share::percent(50));
}

TEST_CASE("rules across options hold for the merged target, and name the place in the config") {
  const auto app = app_with({{{"name", "other"}}, {{"name", "speller"}, {"rolling_update", {{"canary", 2}}}}});
  const auto result = targets_for(app, {declared("speller"), declared("other")}, "d1");
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].path == "deployments[1].rolling_update.canary");
}

TEST_CASE("a deployment that the code does not declare is an error that lists those it does") {
  const auto result = targets_for(app_with({{{"name", "speler"}}}), {declared("speller"), declared("index")}, "d1");
  REQUIRE(result.errors.size() == 1);
  CHECK(to_string(result.errors[0]) == "deployments[0].name: \"speler\" is not allowed; expected a deployment that "
                                       "libspell.so:app declares: speller, index; did you mean \"speller\"?");
}

TEST_CASE("a derived version changes with code-level fields and with nothing else") {
  const auto base = version_of(app_with({{{"name", "speller"}}}));
  CHECK(base.size() == 12);
  CHECK(version_of(app_with(json::array())) == base);
  CHECK(version_of(app_with({{{"name", "speller"}, {"num_replicas", 4}, {"user_config", {{"a", 1}}}}})) == base);
  CHECK(version_of(app_with({{{"name", "speller"}}}), "d2") != base);
  CHECK(version_of(app_with({{{"name", "speller"}, {"init_args", 1}}})) != base);
  CHECK(version_of(app_with({{{"name", "speller"}, {"execution", "thread"}}})) != base);
  auto changed = app_with(json::array());
  changed.args["a"] = 1;
  CHECK(version_of(changed) != base);
  changed = app_with(json::array());
  changed.import_path = "other.so:app";
  CHECK(version_of(changed) != base);
}

TEST_CASE(
    "resources are part of a derived version where there are any; else it is what it was before there were some") {
  const auto app = app_with({{{"name", "speller"}}});
  const json before{{"import_path", app.import_path}, {"digest", "d1"},       {"args", app.args},
                    {"runtime_env", app.runtime_env}, {"init_args", nullptr}, {"execution", "pool"}};
  const auto version = [](const json& options) {
    return version_of(app_with({{{"name", "speller"}, {"ray_actor_options", options}}}));
  };
  CHECK(version({}) == sha256_hex(before.dump()).substr(0, 12));
  CHECK(version({{"num_cpus", 0}, {"resources", json::object()}}) == version({}));
  CHECK(version({{"num_cpus", 1}}) != version({}));
  CHECK(version({{"num_cpus", 1}}) == version({{"num_cpus", 1.0}}));
  CHECK(version({{"num_cpus", 1}}) != version({{"num_cpus", 1.0001}}));
  CHECK(version({{"resources", {{"a", 1}}}}) != version({{"resources", {{"b", 1}}}}));
}

TEST_CASE("so are the nodes that a deployment may have") {
  const auto version = [](json options) {
    options["name"] = "speller";
    return version_of(app_with(json::array({std::move(options)})));
  };
  const auto none = version(json::object());
  CHECK(version({{"placement_strategy", "spread"}, {"preferred_labels", json::object()}}) == none);
  CHECK(version({{"placement_strategy", "pack"}}) != none);
  CHECK(version({{"max_replicas_per_node", 1}}) != none);
  CHECK(version({{"preferred_labels", {{"zone", "a"}}}}) !=
        version({{"ray_actor_options", {{"label_selector", {{"zone", "a"}}}}}}));
  CHECK(version({{"preferred_labels", {{"zone", "in(a, b)"}}}}) ==
        version({{"preferred_labels", {{"zone", "in(b,a)"}}}}));
}

TEST_CASE("a change to one deployment leaves its neighbour's version alone") {
  const auto versions = [](const json& deployments) {
    const auto result = targets_for(app_with(deployments), {declared("a"), declared("b")}, "d1");
    REQUIRE(result.targets.size() == 2);
    return std::pair{result.targets[0].spec.version, result.targets[1].spec.version};
  };
  const auto before = versions(json::array());
  const auto after = versions({{{"name", "a"}, {"init_args", {{"x", 1}}}}});
  CHECK(after.first != before.first);
  CHECK(after.second == before.second);
}

TEST_CASE("a written version stays, and frees the fingerprint of the library's bytes") {
  const auto app = app_with({{{"name", "speller"}, {"version", "v7"}}});
  const auto one = targets_for(app, {declared("speller")}, "d1").targets.at(0);
  const auto two = targets_for(app, {declared("speller")}, "d2").targets.at(0);
  CHECK(one.spec.version == "v7");
  CHECK(one.version_is_written);
  CHECK(one.fingerprint == two.fingerprint);
  auto moved = app;
  moved.import_path = "other.so:app";
  CHECK(targets_for(moved, {declared("speller")}, "d1").targets.at(0).fingerprint != one.fingerprint);
}
