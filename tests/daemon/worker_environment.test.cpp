// What belongs to one deployment's workers alone: packages, secrets in variables, logs (SPEC 1.5).
#include "app/packages/tar_builder.hpp"
#include "daemon/workers_fixture.hpp"

#include <algorithm>
#include <csignal>
#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

struct environments : workers {
  /// A package with the dependency of `build` and a file.
  void write_package(const std::string& build, const std::string& text) const {
    const auto library = read_whole(built_plugins() / build / "libdep.so.1");
    tar_builder x;
    x.folder("lib").file("lib/libdep.so.1", library, 0755).file("words.txt", text);
    std::ofstream{code_dir / "words.tar.gz", std::ios::binary} << gzip(x.tar());
  }
  std::size_t copies() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{data / "packages"}, fs::directory_iterator{}));
  }

  void write_secret(const std::string& content) const {
    fs::create_directories(secrets);
    std::ofstream{secrets / "token"} << content << '\n';
    fs::permissions(secrets / "token", fs::perms::owner_read | fs::perms::owner_write);
  }

  std::string logs(const std::string& query = {}) const {
    const auto x = call_api("GET", "/applications/a/deployments/isolated/logs" + query);
    return x.status == 200 ? x.body : std::to_string(x.status) + " " + x.body;
  }

  const fs::path secrets = folder.path() / "secrets";
};

const json with_token{{"env_vars", {{"TOKEN", {{"$secret", "token"}}}}}};

} // namespace

TEST_CASE_FIXTURE(environments,
                  "a package: libraries and files of one deployment, in versions, shared and kept while needed") {
  write_package("one", "first");
  install_isolated("one", "x");
  fs::remove(code_dir / "x/libdep.so.1"); // it is in the package alone
  must_start();
  const json env{{"package", "words.tar.gz"}};
  const auto done = deploy(app({{"runtime_env", env}}));
  REQUIRE_MESSAGE(done.status == 200, done.body);
  REQUIRE(is_whole("a"));
  CHECK(get("/a/dependency") == "1");
  CHECK(get("/a/file/words.txt") == "first"); // the package is the working directory
  CHECK(get("/a/variable/TROUPE_PACKAGE") == get("/a/folder"));
  REQUIRE(deploy(app({{"runtime_env", env}}, "b")).status == 200);
  CHECK(copies() == 1);
  // As it is shown it can be deployed again.
  const auto config = json::parse(call_api("GET", "/applications/a/config").body);
  CHECK(config.at("effective").at("isolated").at("runtime_env").at("package") == "words.tar.gz");

  write_package("two", "second"); // the same name, another content: a new version
  const auto plan = call_api("POST", "/plan", json{{"applications", {app({{"runtime_env", env}})}}}.dump());
  CHECK_MESSAGE(contains(plan.body, "what a secret or the package holds has changed"), plan.body);
  REQUIRE(deploy(app({{"runtime_env", env}})).status == 200);
  REQUIRE(is_whole("a"));
  CHECK(get("/a/dependency") == "2");
  CHECK(get("/a/file/words.txt") == "second");
  CHECK(get("/b/file/words.txt") == "first");
  CHECK(copies() == 2);

  fs::remove(code_dir / "words.tar.gz"); // kept revisions need their copies only
  const auto back = call_api("POST", "/applications/a/deployments/isolated/rollout", R"({"action": "rollback"})");
  REQUIRE_MESSAGE(back.status == 200, back.body);
  CHECK(becomes("a", [&](const json&, const json&) { return get("/a/file/words.txt") == "first"; }));
}

TEST_CASE_FIXTURE(environments, "a package that cannot be used is told, and nothing changes") {
  serve();
  const auto before = status_of("a").at("revision");
  const auto refused = [&](const std::string& package) {
    const auto x = deploy(app({{"runtime_env", {{"package", package}}}}));
    CHECK(x.status == 400);
    CHECK_MESSAGE(contains(x.body, "deployments[0].runtime_env.package"), x.body);
    return x.body;
  };
  CHECK(contains(refused("none.tar.gz"), "none.tar.gz"));
  tar_builder outside;
  outside.file("../evil", "x");
  std::ofstream{code_dir / "evil.tar.gz", std::ios::binary} << gzip(outside.tar());
  CHECK(contains(refused("evil.tar.gz"), "../evil"));
  const auto relative = deploy(app({{"runtime_env", {{"working_dir", "words"}}}})); // relative to what?
  CHECK(relative.status == 400);
  CHECK(contains(relative.body, "runtime_env.working_dir"));
  CHECK(status_of("a").at("revision") == before);
  CHECK(get("/a/x") == "here");
}

TEST_CASE_FIXTURE(environments, "secrets in variables reach the worker alone, and another content is a rollout") {
  write_secret("open sesame");
  serve({{"runtime_env", with_token}}, {"--secrets-dir", secrets.string()});
  CHECK(get("/a/variable/TOKEN") == "open sesame");
  const auto same = json::parse(deploy(app({{"runtime_env", with_token}})).body);
  CHECK(same.at("deployments").at("isolated").at("change") == "none");
  REQUIRE(get("/a/print/3") == "printed"); // with the token in it
  write_secret("close sesame");
  REQUIRE(deploy(app({{"runtime_env", with_token}})).status == 200);
  CHECK(becomes("a", [&](const json&, const json&) { return get("/a/variable/TOKEN") == "close sesame"; }));

  auto all = errors() + logs("?tail=100000");
  for (const auto* what : {"/config", "", "/deployments/isolated/history"})
    all += call_api("GET", std::string{"/applications/a"} + what).body;
  for (const auto& x : fs::recursive_directory_iterator{data})
    if (x.is_regular_file())
      all += read_whole(x.path());
  CHECK(contains(all, "$secret"));
  CHECK(contains(all, "line 0 of [secret token]"));
  CHECK(!contains(all, "open sesame"));
  CHECK(!contains(all, "close sesame"));

  const auto none = deploy(app({{"runtime_env", {{"env_vars", {{"TOKEN", {{"$secret", "none"}}}}}}}}));
  CHECK(none.status == 400);
  CHECK_MESSAGE(contains(none.body, "deployments[0].runtime_env.env_vars.TOKEN"), none.body);
}

TEST_CASE_FIXTURE(
    environments,
    "what workers print is kept by replica, for the API and `troupe logs`, also of a daemon that is gone") {
  serve({{"num_replicas", 2}});
  std::set<std::string> ids;
  for (const auto id : replica_ids())
    ids.insert(std::to_string(id));
  REQUIRE(ids.size() == 2);
  CHECK(becomes("a", [&](const json&, const json&) { // until both have been asked
    get("/a/print/1");
    return std::all_of(ids.begin(), ids.end(),
                       [&](const auto& id) { return contains(logs("?replica=" + id), "line 0 of"); });
  }));
  const auto newest = logs("?tail=1");
  CHECK(std::count(newest.begin(), newest.end(), '\n') == 1);
  CHECK(contains(logs(), " out printed 1\n"));
  CHECK(contains(logs(), " r1 "));
  CHECK(logs("?since=1d") == logs());
  CHECK(logs("?tail=none").starts_with("400 "));
  CHECK(logs("?since=none").starts_with("400 "));
  CHECK(call_api("GET", "/applications/a/deployments/other/logs").status == 404);
  const auto kept = logs();
  daemon->signal(SIGTERM);
  CHECK(daemon->exit_code() == 0);
  const auto out = folder.path() / "out";
  process program{troupe_program(), {"logs", "a/isolated", "--data-dir", data.string()}, {}, out};
  CHECK(program.rest() == kept);
  CHECK(WEXITSTATUS(program.wait()) == 0);
}

TEST_CASE_FIXTURE(environments, "a flood on stderr delays nobody, and is bounded") {
  serve({{"num_replicas", 2}, {"max_ongoing_requests", 1}});
  client flood{http};
  flood.send(testing_http::get("/a/print/200000"));
  for (int i = 0; i < 50; ++i)
    CHECK(get("/a/x") == "here");
  CHECK(flood.read(false).status == 200);
  std::uintmax_t bytes = 0;
  for (const auto& x : fs::recursive_directory_iterator{data / "logs"})
    if (x.is_regular_file())
      bytes += x.file_size();
  CHECK(bytes > 0);
  CHECK(bytes <= std::uintmax_t{2 * 3 * 10} << 20U);
  CHECK(contains(logs("?tail=5"), "of nobody"));
}

TEST_CASE_FIXTURE(
    environments,
    "a secret or package that is away at a restart: replicas wait for the one, and run with a copy of the other") {
  write_secret("open sesame");
  write_package("one", "first");
  auto env = with_token;
  env["package"] = "words.tar.gz";
  const auto mine = app({{"runtime_env", env}});
  install_isolated("one", "x");
  must_start({"--secrets-dir", secrets.string()});
  REQUIRE(deploy(mine).status == 200);
  REQUIRE(is_whole("a"));
  daemon->signal(SIGTERM);
  CHECK(daemon->exit_code() == 0);
  fs::rename(secrets / "token", secrets / "away");
  fs::remove(code_dir / "words.tar.gz");
  must_start({"--secrets-dir", secrets.string(), config_file(json::array({mine}))});
  CHECK(becomes("a", [&](const json&, const json&) {
    return contains(call_api("GET", "/applications/a?replicas=1").body, "the secret \\\"token\\\" cannot be read");
  }));
  fs::rename(secrets / "away", secrets / "token");
  CHECK(becomes("a", [&](const json&, const json&) { return get("/a/variable/TOKEN") == "open sesame"; }));
  CHECK(get("/a/file/words.txt") == "first");
}
