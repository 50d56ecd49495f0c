// A store that fails in the middle of a config: told for each application as it is.
#include "api_fixture.hpp"
#include <troupe/app/storage/sqlite.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Refuses to store one document, as a full disk would, until it ends.
class refusing_store {
public:
  refusing_store(const api_fixture& f, const std::string& kind, const std::string& key)
      : db_((f.folder.path() / "data" / "state.db").string()) {
    db_.run("CREATE TRIGGER refuse BEFORE INSERT ON documents WHEN NEW.kind = '" + kind + "' AND NEW.key = '" + key +
            "' BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  }
  ~refusing_store() { db_.run("DROP TRIGGER refuse"); }
  refusing_store(const refusing_store&) = delete;
  refusing_store& operator=(const refusing_store&) = delete;

private:
  storage::sqlite db_;
};

json pair() { return {{"import_path", "libpair.so:both"}, {"route_prefix", nullptr}}; }

} // namespace

TEST_CASE("what of a config could not be stored is told by application, the others are deployed") {
  api_fixture f;
  f.deployed("b", greeter());
  f.deployed("gone", greeter());
  const auto wanted = greeter({{"num_replicas", 3}});
  const auto config = config_of({{"a", wanted}, {"b", wanted}, {"c", wanted}});
  {
    const refusing_store failing{f, "application", "b"};
    const auto x = f.put("/applications?prune=true", config);
    CHECK(x.status == 503);
    CHECK(x.message().find("the disk is full") != std::string::npos);
    CHECK(x.message().find("changed as asked: gone (removed), a, c") != std::string::npos);
    CHECK(x.value["removed"] == json::array({"gone"}));
    const auto& all = x.value["applications"];
    CHECK_FALSE(all["a"].contains("error"));
    CHECK(all["a"]["deployments"]["greeter"]["change"] == "created");
    CHECK(all["b"]["error"]["code"] == "not_stored");
    CHECK(all["b"]["deployments"].empty());
    CHECK_FALSE(all["c"].contains("error"));
    CHECK(f.state_of("b")["revision"] == 1);
    CHECK(f.state_of("b")["deployments"][0]["num_replicas"] == 2);
    CHECK(f.state_of("c")["deployments"][0]["num_replicas"] == 3);
    const auto ray = f.ask("PUT", "/api/serve/applications/", config.dump());
    CHECK(ray.status == 503);
    CHECK(ray.body.find("changed as asked: a, c") != std::string::npos);
  }
  CHECK(f.put("/applications", config).status == 200);
  CHECK(f.state_of("b")["deployments"][0]["num_replicas"] == 3);
}

/// What was not stored is tried again once a second; until then changes are refused.
api_answer put_until_stored(const api_fixture& f, const json& app) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  auto x = f.put("/applications/a", app);
  while (x.status == 503 && std::chrono::steady_clock::now() < until)
    x = f.put("/applications/a", app);
  return x;
}

TEST_CASE("a deployment that runs but is not stored is not acknowledged, and no change is taken until it is") {
  api_fixture f;
  {
    const refusing_store failing{f, "deployment", "a/greeter"};
    const auto x = f.put("/applications/a", greeter());
    CHECK(x.status == 503);
    CHECK(x.value["error"]["code"] == "not_stored");
    CHECK(x.message().find("the disk is full") != std::string::npos);
    CHECK(x.message().find("greeter (not stored)") != std::string::npos);
    CHECK(f.state_of("a")["state"] == "DEPLOY_FAILED");
    const auto again = f.put("/applications/a", greeter({{"num_replicas", 3}}));
    CHECK(again.status == 503);
    CHECK(again.message().find("nothing was changed") != std::string::npos);
    CHECK(f.get("/applications/a/config").value["given"]["deployments"][0].contains("num_replicas") == false);
  }
  const auto again = put_until_stored(f, greeter());
  REQUIRE_MESSAGE(again.status == 200, again.body);
  CHECK(again.value["deployments"]["greeter"]["change"] == "none");
  CHECK(f.rt.wait_until_healthy("a/greeter", 20s));
  CHECK(f.state_of("a")["state"] == "RUNNING");
}

TEST_CASE("an application that was stored in part says so in its answer and its state, and is finished by a deploy") {
  api_fixture f;
  f.install("pair", "libpair.so");
  {
    const refusing_store failing{f, "deployment", "a/front"};
    const auto x = f.put("/applications/a", pair());
    CHECK(x.status == 503);
    CHECK(x.message().find("that have it: back (revision 1), front (not stored).") != std::string::npos);
    const auto state = f.state_of("a");
    CHECK(state["state"] == "DEPLOY_FAILED");
    CHECK(state["message"].get<std::string>().find("the change is not complete") != std::string::npos);
    const auto whole = f.put("/applications", config_of({{"a", pair()}}));
    CHECK(whole.status == 503);
    CHECK(whole.value["applications"]["a"]["deployments"]["back"]["change"] == "none");
  }
  const auto again = put_until_stored(f, pair());
  REQUIRE_MESSAGE(again.status == 200, again.body);
  CHECK(again.value["deployments"]["back"]["change"] == "none");
  CHECK(f.rt.wait_until_healthy("a/front", 20s));
  CHECK(f.state_of("a")["state"] != "DEPLOY_FAILED");
}

TEST_CASE("a removal that cannot be stored leaves the application where it is") {
  api_fixture f;
  f.deployed("a", greeter());
  const refusing_store failing{f, "application", "a"};
  CHECK(f.ask("DELETE", f.v1("/applications/a")).status == 503);
  const auto ray = f.ask("DELETE", "/api/serve/applications/");
  CHECK(ray.status == 503);
  CHECK(ray.body.find("application a was not removed") != std::string::npos);
  CHECK(f.state_of("a")["state"] == "RUNNING");
}

TEST_CASE("a proxy location that cannot be stored is refused, and nothing of its config is done") {
  api_fixture f;
  auto config = config_of({{"a", greeter()}});
  config["proxy_location"] = "HeadOnly";
  {
    const refusing_store failing{f, "setting", "proxy_location"};
    const auto x = f.put("/applications", config);
    CHECK(x.status == 503);
    CHECK(x.value["error"]["code"] == "not_stored");
    CHECK(f.get("/applications").value["proxy_location"] == "EveryNode");
    CHECK(f.get("/applications").value["applications"].empty());
  }
  CHECK(f.put("/applications", config).status == 200);
  CHECK(f.get("/applications").value["proxy_location"] == "HeadOnly");
}
