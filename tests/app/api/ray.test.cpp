// Ray Serve's paths: statuses, and no key or state that its client does not know.
#include "api_fixture.hpp"
#include <troupe/app/api/views.hpp>

#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr auto path = "/api/serve/applications/";

std::set<std::string> keys(const json& object) {
  std::set<std::string> out;
  for (const auto& x : object.items())
    out.insert(x.key());
  return out;
}

using names = std::set<std::string>;

} // namespace

TEST_CASE("Ray's client gets its handshake, and an empty answer where nothing is deployed") {
  api_fixture f;
  const auto version = f.ask("GET", "/api/ray/version");
  CHECK(version.status == 200);
  CHECK(keys(version.value) == names{"version", "ray_version", "ray_commit", "session_name"});
  CHECK(version.value["ray_version"] == "2.60.0");
  CHECK(f.ask("GET", path).value == json{{"controller_info", json::object()},
                                         {"proxies", json::object()},
                                         {"applications", json::object()},
                                         {"target_capacity", nullptr}});
  CHECK(f.ask("GET", std::string(path) + "?api_type=nonsense").status == 400);
}

TEST_CASE("Ray's PUT replaces all applications and answers with an empty body") {
  api_fixture f;
  f.deployed("old", greeter());
  const auto put =
      f.ask("PUT", path, config_of({{"a", greeter({{"num_replicas", 3}, {"user_config", {{"x", 1}}}})}}).dump());
  CHECK(put.status == 200);
  CHECK(put.body.empty());
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  const auto shown = f.ask("GET", path).value;
  CHECK(keys(shown) ==
        names{"controller_info", "proxy_location", "http_options", "proxies", "applications", "target_capacity"});
  const auto& a = shown["applications"]["a"];
  CHECK(keys(a) == names{"name", "route_prefix", "docs_path", "status", "message", "last_deployed_time_s",
                         "deployed_app_config", "source", "deployments", "external_scaler_enabled"});
  CHECK(a["status"] == "RUNNING");
  CHECK(a["deployed_app_config"]["deployments"][0]["num_replicas"] == 3);
  const auto& d = a["deployments"]["greeter"];
  CHECK(keys(d) == names{"name", "status", "status_trigger", "message", "deployment_config", "target_num_replicas",
                         "required_resources", "replicas"});
  CHECK(d["status"] == "HEALTHY");
  CHECK(d["status_trigger"] == "CONFIG_UPDATE_COMPLETED");
  CHECK(d["deployment_config"]["user_config"] == json{{"x", 1}});
  REQUIRE(d["replicas"].size() == 3);
  CHECK(d["replicas"][0]["state"] == "RUNNING");
  CHECK(d["replicas"][0].contains("replica_id"));
  CHECK(d["replicas"][0].contains("start_time_s"));
  CHECK(f.get("/applications/old").value.value("state", "") != "RUNNING");
  CHECK(f.ask("GET", std::string(path) + "?api_type=Imperative").value["applications"].empty());
}

TEST_CASE("what replicas ask for is shown in Ray's names, and nothing that nobody asks for but CPUs") {
  daemon::application_facts facts;
  facts.name = "a";
  facts.revision = 1;
  application_status status;
  status.name = "a";
  status.deployments.resize(1);
  status.deployments[0].application = "a";
  status.deployments[0].name = "d";
  deployment_spec spec;
  const auto shown = [&] {
    return api::ray_view({facts}, {status}, {{"a/d", spec}}, "127.0.0.1", 8000,
                         config::proxy_location::every_node)["applications"]["a"]["deployments"]["d"];
  };
  CHECK(shown()["required_resources"] == json{{"CPU", 0}});
  CHECK(shown()["deployment_config"]["ray_actor_options"] == json{{"num_cpus", 0}});
  spec.per_replica = resources{}.set("num_cpus", 15'000).set("num_gpus", 10'000).set("memory", 100).set("licence", 1);
  CHECK(shown()["required_resources"] == json{{"CPU", 1.5}, {"GPU", 1}, {"memory", 100}, {"licence", 0.0001}});
  CHECK(shown()["deployment_config"]["ray_actor_options"] ==
        json{{"num_cpus", 1.5}, {"num_gpus", 1}, {"memory", 100}, {"resources", {{"licence", 0.0001}}}});
  CHECK_FALSE(shown()["deployment_config"].contains("max_replicas_per_node"));
  spec.where.required = {{"zone", {"a"}, true}};
  spec.where.max_replicas_per_node = 2;
  CHECK(shown()["deployment_config"]["ray_actor_options"]["label_selector"] == json{{"zone", "!a"}});
  CHECK(shown()["deployment_config"]["max_replicas_per_node"] == 2);
}

TEST_CASE("a paused and a backward rollout are UPDATING to Ray's client, which knows no other word") {
  api_fixture f;
  const auto slow = greeter({{"rolling_update", {{"bake_s", 60}}}});
  f.deployed("a", greeter());
  f.deployed("b", slow);
  f.install("greeter_2");
  REQUIRE(f.put("/applications/a", greeter({{"rolling_update", {{"canary", 1}}}})).status == 200);
  REQUIRE(f.rt.wait_until(
      "a/greeter", [](const auto& s) { return s.state == deployment_state_name::paused; }, 20s));
  const auto d = f.ask("GET", path).value["applications"]["a"]["deployments"]["greeter"];
  CHECK(d["status"] == "UPDATING");
  CHECK(d["message"].get<std::string>().starts_with("PAUSED"));

  REQUIRE(f.put("/applications/b", slow).status == 200);
  REQUIRE(f.rt.wait_until(
      "b/greeter", [](const auto& x) { return x.rollout.phase == rollout_phase::baking; }, 20s));
  REQUIRE(f.post("/applications/b/deployments/greeter/rollout", {{"action", "rollback"}}).status == 200);
  REQUIRE(f.rt.wait_until(
      "b/greeter", [](const auto& x) { return x.rollout.phase == rollout_phase::baking && x.rollout.rolling_back; },
      20s));
  const auto back = f.ask("GET", path).value["applications"]["b"]["deployments"]["greeter"];
  CHECK(back["status"] == "UPDATING");
  CHECK(back["message"].get<std::string>().starts_with("ROLLING_BACK"));
}

TEST_CASE("code that is missing is accepted from Ray's client and shown as DEPLOY_FAILED in one line") {
  api_fixture f;
  auto missing = greeter();
  missing["import_path"] = "libgone.so:app";
  CHECK(f.ask("PUT", path, config_of({{"a", missing}, {"b", greeter()}}).dump()).status == 200);
  REQUIRE(f.rt.wait_until_healthy("b/greeter", 20s));
  const auto a = f.ask("GET", path).value["applications"]["a"];
  CHECK(a["status"] == "DEPLOY_FAILED");
  const auto message = a["message"].get<std::string>();
  CHECK(message.find("libgone.so") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

TEST_CASE("what Ray's PUT refuses is text, status 400, and nothing has changed") {
  api_fixture f;
  f.deployed("old", greeter());
  const auto refused = [&](const std::string& body, const std::string& piece) {
    const auto x = f.ask("PUT", path, body);
    CAPTURE(body);
    CHECK(x.status == 400);
    CHECK(x.field("Content-Type").starts_with("text/plain"));
    CHECK_MESSAGE(x.body.find(piece) != std::string::npos, x.body);
  };
  refused("{", "body:1:2: not JSON");
  refused("[]", "a JSON object");
  refused("{}", "applications");
  refused(config_of({{"a", greeter()}, {"a", greeter()}}).dump(), "applications[1].name");
  refused(config_of({{"new", greeter()}, {"b", greeter({{"num_replicas", 0}})}}).dump(), "num_replicas");
  auto unknown = greeter();
  unknown["deployments"][0]["name"] = "greter";
  refused(config_of({{"new", greeter()}, {"b", unknown}}).dump(), "applications[1].deployments[0].name");
  CHECK(f.get("/applications/new").status == 404);
  CHECK(f.state_of("old")["state"] == "RUNNING");
  const auto method = f.ask("POST", path);
  CHECK(method.status == 405);
  CHECK(method.field("Allow") == "GET, HEAD, PUT, DELETE");
}

TEST_CASE("Ray's scale answers a message, or an error with Ray's statuses") {
  api_fixture f;
  f.deployed("a", greeter());
  const std::string scale = "/api/v1/applications/a/deployments/greeter/scale";
  const auto good = f.ask("POST", scale, R"({"target_num_replicas": 4})");
  CHECK(good.status == 200);
  CHECK(keys(good.value) == names{"message"});
  CHECK(f.rt.wait_until(
      "a/greeter", [](const auto& s) { return s.available == 4; }, 20s));
  for (const auto* bad : {"{}", "[]", "{", R"({"target_num_replicas": -1})", R"({"target_num_replicas": "2"})"}) {
    const auto x = f.ask("POST", scale, bad);
    CHECK(x.status == 400);
    CHECK(keys(x.value) == names{"error"});
    CHECK(x.value["error"].is_string());
  }
  const auto none = f.ask("POST", "/api/v1/applications/a/deployments/b/scale", R"({"target_num_replicas": 1})");
  CHECK(none.status == 404);
  CHECK(none.value["error"].is_string());
  CHECK(f.ask("GET", scale).value["error"].is_string());
}

TEST_CASE("Ray's DELETE removes all applications, may come twice, and the daemon stays") {
  api_fixture f;
  f.deployed("a", greeter());
  f.deployed("b", greeter());
  for (int i = 0; i < 2; ++i) {
    const auto x = f.ask("DELETE", path);
    CHECK(x.status == 200);
    CHECK(x.body.empty());
  }
  CHECK(f.apps.names().empty());
  CHECK(f.ask("GET", "/api/ray/version").status == 200);
  CHECK(f.shut_downs == 0);
}
