// Secrets of what is deployed: only user code sees them.
#include "app/api/api_fixture.hpp"

#include <fixtures/files.hpp>
#include <fstream>
#include <string>
#include <tuple>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

constexpr const char* content = "correct horse battery";
constexpr const char* next_content = "staple and some more";

struct vault_fixture : api_fixture {
  vault_fixture() {
    install("vault", "libvault.so");
    fs::create_directory(folder.path() / "secrets");
    write("db", content);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{folder.path() / "secrets" / name} << text << '\n';
  }

  static json reference() { return {{"$secret", "db"}}; }
  static json vault(json config = {{"password", reference()}}) {
    return {{"import_path", "libvault.so:app"},
            {"route_prefix", nullptr},
            {"deployments", {{{"name", "vault"}, {"num_replicas", 2}, {"user_config", std::move(config)}}}}};
  }
  json deploy(const json& app = vault()) { return deployed("a", app)["deployments"]["vault"]; }
  std::string says() const {
    return rt.handle<plugins::reply(plugins::question)>("a/vault").async(plugins::question{"x"}).get().text;
  }
  /// What one replica was given.
  std::string password() const { return json::parse(says()).at("password"); }

  /// All that the API tells, and all that is stored.
  std::string everything() {
    std::string out;
    for (const auto* path : {"/applications", "/applications/a", "/applications/a/config",
                             "/applications/a/deployments/vault", "/applications/a/deployments/vault/history"}) {
      const auto x = get(path);
      CHECK_MESSAGE(x.status == 200, path);
      out += x.body;
    }
    out += ask("GET", "/api/serve/applications/").body;
    for (const auto& e : events.after(0, daemon::event_log::kept))
      out += e.what.message;
    REQUIRE(db.write_now({}).code == errc::none);
    for (const auto& x : fs::recursive_directory_iterator{folder.path() / "data"})
      if (x.is_regular_file())
        out += read_whole(x.path());
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(vault_fixture, "user code gets the content, all others the reference") {
  CHECK(deploy()["change"] == "created");
  CHECK(password() == content);
  CHECK(deploy()["change"] == "none");
  const auto config = get("/applications/a/config").value;
  CHECK(config["given"]["deployments"][0]["user_config"]["password"] == reference());
  CHECK(config["effective"]["vault"]["user_config"]["password"] == reference());
  const auto history = get("/applications/a/deployments/vault/history").value;
  CHECK(history["revisions"][0]["spec"]["user_config"]["password"] == reference());
  const auto shown = everything();
  CHECK(contains(shown, "$secret"));
  CHECK(!contains(shown, content));
  // Replicas that come later, too.
  REQUIRE(post("/applications/a/deployments/vault/scale", {{"num_replicas", 5}}).status == 200);
  REQUIRE(rt.wait_until_healthy("a/vault", 20s));
  for (int i = 0; i < 50; ++i)
    CHECK(password() == content);
}

TEST_CASE_FIXTURE(vault_fixture, "another content is another config, given out by the next deploy of the same file") {
  deploy();
  write("db", next_content);
  CHECK(password() == content);
  const auto plan = post("/plan", config_of({{"a", vault()}})).value["changes"][0];
  CHECK(plan["change"] == "reconfigured");
  CHECK(plan["fields"][0]["from"] == json{{"password", reference()}});
  CHECK(plan["fields"][0]["to"] == json{{"password", reference()}});
  CHECK(contains(plan["text"], "; what a secret holds has changed"));
  CHECK(deploy()["change"] == "reconfigured");
  for (int i = 0; i < 20; ++i)
    CHECK(password() == next_content);
  CHECK(deploy()["change"] == "none");
  const auto shown = everything();
  CHECK(!contains(shown, content));
  CHECK(!contains(shown, next_content));
}

TEST_CASE_FIXTURE(vault_fixture, "a rollback takes what the secret holds now") {
  deploy();
  deploy(vault({{"password", reference()}, {"more", 1}}));
  write("db", next_content);
  const auto back = post("/applications/a/deployments/vault/rollout", {{"action", "rollback"}, {"revision", 1}});
  REQUIRE_MESSAGE(back.status == 200, back.body);
  REQUIRE(rt.wait_until_healthy("a/vault", 20s));
  CHECK(json::parse(says()) == json{{"password", next_content}});
}

TEST_CASE_FIXTURE(
    vault_fixture,
    "a bad reference, or a secret that is not there, is refused by deploy and plan, and changes nothing") {
  deploy();
  for (const auto& [config, path, allowed] :
       {std::tuple<json, std::string, std::string>{{{"a", {{"$secret", "gone"}}}},
                                                   "user_config.a",
                                                   "\"gone\" cannot: " + (folder.path() / "secrets/gone").string()},
        {{{"a", {{{"$secret", "../db"}}}}}, "user_config.a[0]", "{\"$secret\": name} with no other member"},
        {{{"a", {{"$secret", "db"}, {"x", 1}}}}, "user_config.a", "{\"$secret\": name} with no other member"}}) {
    for (const auto& x : {put("/applications/a", vault(config)), post("/plan", config_of({{"a", vault(config)}}))}) {
      CHECK(x.status == 400);
      const auto field = x.value["error"]["fields"][0];
      CHECK_MESSAGE(contains(field["path"], "deployments[0]." + path), x.body);
      CHECK_MESSAGE(contains(field["allowed"], allowed), x.body);
    }
  }
  CHECK(deploy()["change"] == "none");
  CHECK(password() == content);
}

TEST_CASE_FIXTURE(vault_fixture,
                  "what user code throws shows no secret, in status, history, events, answers and what is stored") {
  deploy();
  const auto failing = vault({{"password", reference()}, {"fail", true}});
  REQUIRE(put("/applications/a", failing).status == 200);
  REQUIRE(rt.wait_until(
      "a/vault", [](const auto& x) { return x.state == deployment_state_name::deploy_failed; }, 20s));
  const auto message = get("/applications/a/deployments/vault").value["message"].get<std::string>();
  CHECK_MESSAGE(contains(message, "cannot take {\"fail\":true,\"password\":\"[secret db]\"}"), message);
  CHECK(!contains(everything(), content));
  const auto call = rt.handle<plugins::reply(plugins::question)>("a/vault");
  CHECK_THROWS_WITH(call.async(plugins::question{"throw"}).get(),
                    "handler_failed: cannot use {\"password\":\"[secret db]\"}");
}

TEST_CASE_FIXTURE(vault_fixture, "replicas whose secret has gone fail to start and say so, until it is back") {
  deploy();
  fs::remove(folder.path() / "secrets/db");
  REQUIRE(post("/applications/a/deployments/vault/scale", {{"num_replicas", 3}}).status == 200);
  REQUIRE(rt.wait_until(
      "a/vault", [](const auto& x) { return contains(x.message, "the secret \"db\" cannot be read: "); }, 20s));
  CHECK(password() == content); // those that run have it
  write("db", content);
  CHECK(rt.wait_until_healthy("a/vault", 20s));
}
