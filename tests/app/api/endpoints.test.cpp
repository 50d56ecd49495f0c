// The API of ours: one application at a time, revisions, plans, errors that name every field.
#include "api_fixture.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::test;

namespace {

std::vector<std::string> paths_of(const api_answer& x) {
  std::vector<std::string> out;
  for (const auto& f : x.value.at("error").at("fields")) {
    CHECK_FALSE(f.at("allowed").get<std::string>().empty());
    CHECK(f.contains("value"));
    out.push_back(f.at("path"));
  }
  return out;
}

} // namespace

TEST_CASE("one application is deployed, changed and removed while its neighbour is left alone") {
  api_fixture f;
  const auto created = f.deployed("a", greeter());
  CHECK(created["revision"] == 1);
  CHECK(created["deployments"]["greeter"]["change"] == "created");
  f.deployed("b", greeter());
  const auto before = f.state_of("b");

  CHECK(f.deployed("a", greeter())["deployments"]["greeter"]["change"] == "none");
  CHECK(f.state_of("a")["revision"] == 1);
  CHECK(f.deployed("a", greeter({{"num_replicas", 3}}))["deployments"]["greeter"]["change"] == "scaled");
  CHECK(f.deployed("a", greeter({{"num_replicas", 3},
                                 {"user_config", {{"x", 1}}}}))["deployments"]["greeter"]["change"] == "reconfigured");
  f.install("greeter_2");
  const auto rebuilt = f.deployed("a", greeter({{"num_replicas", 3}, {"user_config", {{"x", 1}}}}));
  CHECK(rebuilt["deployments"]["greeter"]["change"] == "replaced");
  CHECK(rebuilt["revision"] == 4);

  CHECK(f.ask("DELETE", f.v1("/applications/a")).value == json{{"application", "a"}, {"removed", true}});
  auto after = f.state_of("b");
  CHECK(after["revision"] == before["revision"]);
  CHECK(after["deployments"][0]["rollout"]["target_revision"] == 1);
  const auto again = f.ask("DELETE", f.v1("/applications/a"));
  CHECK(again.status == 404);
  CHECK(again.message().find("there are: b") != std::string::npos);
}

TEST_CASE("If-Match lets the first of two operators through and answers the other 412") {
  api_fixture f;
  CHECK(f.put("/applications/a", greeter(), "If-Match: 1\r\n").status == 412);
  CHECK(f.get("/applications/a").status == 404);
  REQUIRE(f.put("/applications/a", greeter(), "If-Match: 0\r\n").status == 200);
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  CHECK(f.put("/applications/a", greeter({{"num_replicas", 3}}), "If-Match: \"1\"\r\n").status == 200);
  const auto late = f.put("/applications/a", greeter({{"num_replicas", 4}}), "If-Match: \"1\"\r\n");
  CHECK(late.status == 412);
  CHECK(late.value["error"]["code"] == "revision_moved");
  CHECK(late.message().find("is at revision 2, not 1") != std::string::npos);
  CHECK(f.state_of("a")["deployments"][0]["num_replicas"] == 3);

  const std::string d = "/applications/a/deployments/greeter";
  CHECK(f.post(d + "/scale", {{"num_replicas", 1}}, "If-Match: 1\r\n").status == 412);
  CHECK(f.post(d + "/scale", {{"num_replicas", 1}}, "If-Match: 2\r\n").status == 200);
  // A restart, as a rollback or an abort, is a step of its own: of two with the same revision one is refused.
  CHECK(f.post(d + "/rollout", {{"action", "restart"}}, "If-Match: 2\r\n").status == 200);
  CHECK(f.post(d + "/rollout", {{"action", "restart"}}, "If-Match: 2\r\n").status == 412);
  CHECK(f.state_of("a")["revision"] == 3);

  for (const auto* bad : {"If-Match: *\r\n", "If-Match: W/\"2\"\r\n", "If-Match: \r\n", "If-Match: -1\r\n",
                          "If-Match: 3\r\nIf-Match: 3\r\n", "If-Match: 99999999999999999999\r\n"}) {
    const auto x = f.put("/applications/a", greeter(), bad);
    CAPTURE(bad);
    CHECK(x.status == 400);
    CHECK(paths_of(x) == std::vector<std::string>{"If-Match"});
  }
}

TEST_CASE("the same config again after a scale or a rollback changes something, and is a revision") {
  api_fixture f;
  f.deployed("a", greeter());
  f.install("greeter_2");
  f.deployed("a", greeter());
  const std::string d = "/applications/a/deployments/greeter";
  REQUIRE(f.post(d + "/rollout", {{"action", "rollback"}}).status == 200);
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  CHECK(f.state_of("a")["revision"] == 3);
  const auto plan = f.post("/plan", config_of({{"a", greeter()}})).value;
  CHECK(plan["revision"]["a"] == 3);
  REQUIRE(plan["changes"][0]["fields"].size() >= 1);
  CHECK(plan["changes"][0]["fields"][0]["path"] == "digest"); // of what runs, not of what was deployed last
  CHECK(f.deployed("a", greeter())["revision"] == 4);
  CHECK(f.deployed("a", greeter())["revision"] == 4);
}

TEST_CASE("a plan tells what would change, and nothing is done") {
  api_fixture f;
  f.deployed("a", greeter({{"num_replicas", 2}}));
  f.deployed("gone", greeter());
  const auto events = f.events.last();
  const auto config = config_of({{"a", greeter({{"num_replicas", 4}})}, {"new", greeter()}});
  const auto plan = f.post("/plan", config).value;
  REQUIRE(plan["changes"].size() == 2);
  CHECK(plan["changes"][0]["change"] == "scaled");
  CHECK(plan["changes"][0]["fields"] ==
        json::array({{{"path", "num_replicas"}, {"from", 2}, {"to", 4}, {"class", "count"}}}));
  CHECK(plan["changes"][1]["change"] == "created");
  CHECK(plan["revision"] == json{{"a", 1}, {"gone", 1}});
  const auto pruned = f.post("/plan?prune=true", config).value;
  REQUIRE(pruned["changes"].size() == 3);
  CHECK(pruned["changes"][2]["change"] == "removed");
  CHECK(f.events.last() == events);
  CHECK(f.get("/applications/new").status == 404);
  CHECK(f.state_of("a")["deployments"][0]["num_replicas"] == 2);
}

TEST_CASE("revisions are listed, one is gone back to, restarted; an abort or pause without a rollout is refused") {
  api_fixture f;
  f.deployed("a", greeter({{"num_replicas", 1}}));
  f.install("greeter_2");
  f.deployed("a", greeter({{"num_replicas", 2}}));
  const std::string d = "/applications/a/deployments/greeter";
  auto history = f.get(d + "/history").value["revisions"];
  REQUIRE(history.size() == 2);
  CHECK(history[1]["is_target"] == true);
  CHECK(history[0]["version"] != history[1]["version"]);

  const auto back = f.post(d + "/rollout", {{"action", "rollback"}, {"revision", 1}}).value;
  CHECK(back["change"] == "replaced");
  CHECK(back["revision"] == 3);
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  const auto now = f.get(d).value;
  CHECK(now["num_replicas"] == 2); // stays
  CHECK(now["replicas"].size() == 2);
  CHECK(now["replicas"][0]["version"] == history[0]["version"]);
  CHECK(f.post(d + "/rollout", {{"action", "restart"}}).value["revision"] == 4);
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));

  const auto no = f.post(d + "/rollout", {{"action", "rollback"}, {"revision", 77}});
  CHECK(no.status == 409);
  CHECK(no.message().find("has no revision R77") != std::string::npos);
  CHECK(f.post(d + "/rollout", {{"action", "pause"}}).status == 409);
  CHECK(f.post(d + "/rollout", {{"action", "abort"}}).status == 409);
  CHECK(f.post("/applications/a/deployments/other/rollout", {{"action", "restart"}}).status == 404);
  CHECK(f.get("/applications/x/deployments/greeter/history").status == 404);
  CHECK(f.get("/applications/x/config").status == 404);
  const auto config = f.get("/applications/a/config").value;
  CHECK(config["given"]["deployments"][0]["num_replicas"] == 2);
  CHECK(config["effective"]["greeter"]["max_ongoing_requests"] == 5);
}

TEST_CASE("every bad field of a body is told in one answer, with its path in the whole config, value and range") {
  api_fixture f;
  const auto one = f.put("/applications/a", {{"import_path", 7},
                                             {"route_prefix", "x"},
                                             {"args", "no"},
                                             {"deployments",
                                              {{{"name", "greeter"}, {"num_replicas", -1}},
                                               {{"name", "greeter"}},
                                               {{"name", "a#b"}, {"num_replicas", "many"}}}}});
  CHECK(one.status == 400);
  const auto paths = paths_of(one);
  for (const auto* path : {"import_path", "route_prefix", "args", "deployments[0].num_replicas", "deployments[1].name",
                           "deployments[2].name", "deployments[2].num_replicas"})
    CHECK_MESSAGE(std::count(paths.begin(), paths.end(), path) == 1, path);

  const auto twice =
      f.put("/applications", config_of({{"a", greeter({}, {{"route_prefix", "/x"}})}, {"a", greeter()}}));
  CHECK(paths_of(twice) == std::vector<std::string>{"applications[1].name"});
  auto same_route = config_of({{"a", greeter()}, {"b", greeter()}});
  same_route["applications"][0]["route_prefix"] = same_route["applications"][1]["route_prefix"] = "/x";
  CHECK(paths_of(f.put("/applications", same_route)) == std::vector<std::string>{"applications[1].route_prefix"});

  // What only the code can tell: of all applications at once, and nothing is deployed.
  auto unfit = config_of({{"a", greeter()}, {"b", greeter()}, {"c", greeter()}});
  unfit["applications"][1]["deployments"][0]["name"] = "greter";
  unfit["applications"][2]["import_path"] = "libgone.so:app";
  for (const auto* path : {"/applications", "/plan"}) {
    const auto x = path == std::string{"/plan"} ? f.post(path, unfit) : f.put(path, unfit);
    CHECK(x.status == 400);
    CHECK(paths_of(x) == std::vector<std::string>{"applications[1].deployments[0].name"});
    CHECK(x.message().find("did you mean \"greeter\"") != std::string::npos);
    CHECK(x.message().find("application c: ") != std::string::npos);
  }
  CHECK(f.get("/applications").value["applications"].empty());

  f.deployed("a", greeter());
  const std::string d = "/applications/a/deployments/greeter";
  CHECK(paths_of(f.post(d + "/rollout", {{"action", "jump"}, {"revision", -1}})) ==
        std::vector<std::string>{"action", "revision"});
  for (const json& bad : {json(-1), json("3"), json(1.5), json(nullptr), json(10'000'001), json::array()})
    CHECK(paths_of(f.post(d + "/scale", {{"num_replicas", bad}})) == std::vector<std::string>{"num_replicas"});
  CHECK(paths_of(f.post(d + "/scale", json::object())) == std::vector<std::string>{"num_replicas"});
  CHECK(paths_of(f.put("/applications?prune=yes", config_of({}))) == std::vector<std::string>{"prune"});
  CHECK(f.state_of("a")["deployments"][0]["num_replicas"] == 2);
}

TEST_CASE("names that nobody knows are ignored with a warning") {
  api_fixture f;
  const auto x = f.put("/applications/a", greeter({{"num_replica", 3}}, {{"owner", "me"}}));
  REQUIRE(x.status == 200);
  REQUIRE(x.value["warnings"].size() == 2);
  CHECK(x.value["warnings"].dump().find("did you mean \\\"num_replicas\\\"") != std::string::npos);
  const auto scaled = f.post("/applications/a/deployments/greeter/scale", {{"num_replicas", 1}, {"why", "so"}});
  CHECK(scaled.value["warnings"] == json::array({"why: no option has this name, it is ignored"}));
}

TEST_CASE("a route may go from one application to another within one config, but not to what stays") {
  api_fixture f;
  f.install("web", "libweb.so");
  const auto web = [](const std::string& prefix) {
    return json{{"import_path", "libweb.so:app"}, {"route_prefix", prefix}};
  };
  REQUIRE(f.put("/applications", config_of({{"a", web("/a")}, {"b", web("/b")}})).status == 200);
  REQUIRE(f.put("/applications", config_of({{"a", web("/b")}, {"b", web("/a")}})).status == 200);
  CHECK(f.state_of("a")["route_prefix"] == "/b");
  {
    const std::lock_guard guard{f.routes_mutex};
    CHECK(f.routes.size() == 2);
  }
  const auto taken = f.put("/applications/c", web("/a"));
  CHECK(taken.status == 409);
  CHECK(paths_of(taken) == std::vector<std::string>{"route_prefix"});
  CHECK(paths_of(f.put("/applications", config_of({{"c", web("/a")}}))) ==
        std::vector<std::string>{"applications[0].route_prefix"});
  const auto pruned = f.put("/applications?prune=true", config_of({{"c", web("/a")}}));
  CHECK(pruned.status == 200);
  CHECK(pruned.value["removed"] == json::array({"a", "b"}));
}

TEST_CASE("a plan and a deploy tell what can never fit; the deployment waits, and the endpoint tells what there is") {
  api_fixture f;
  const auto total = f.ask("GET", f.v1("/resources")).value["nodes"][0]["total"];
  CHECK(total["num_cpus"].get<double>() > 0);
  CHECK(total["num_gpus"] == 0);
  const auto wish = greeter({{"num_replicas", 1}, {"ray_actor_options", {{"num_gpus", 2}}}});
  const std::string told = "each asks for 2 num_gpus, more than there is in all (0)";
  const auto plan = f.post("/plan", config_of({{"a", wish}}));
  CHECK(plan.value["changes"][0]["text"].get<std::string>().find(told) != std::string::npos);
  const auto done = f.put("/applications/a", wish).value;
  CHECK(done["deployments"]["greeter"]["message"].get<std::string>().find(told) != std::string::npos);
  REQUIRE(f.rt.wait_until(
      "a/greeter", [](const auto& s) { return s.waiting_for_room == 1; }, 20s));
  const auto status = f.get("/applications/a/deployments/greeter").value;
  CHECK(status["message"].get<std::string>().find("it can never start here") != std::string::npos);
  f.put("/applications/a", greeter({{"num_replicas", 1}, {"ray_actor_options", {{"num_cpus", 0.5}}}}));
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  CHECK(f.ask("GET", f.v1("/resources")).value["nodes"][0]["used"]["num_cpus"] == 0.5);
  const auto planned = [&](std::uint32_t replicas) {
    const auto all = greeter({{"num_replicas", replicas}, {"ray_actor_options", {{"num_cpus", total["num_cpus"]}}}});
    return f.post("/plan", config_of({{"a", all}})).value["changes"][0]["text"].get<std::string>();
  };
  CHECK(planned(1).ends_with("; no room for a surge now: outdated ones stop first"));
  CHECK(planned(3).find("; room for 1 of 3 in all, the others wait; no room for a surge now") != std::string::npos);
}
