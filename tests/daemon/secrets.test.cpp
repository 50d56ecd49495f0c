// The real daemon with secrets: across restarts and crashes they are in no file, no answer and no log.
#include "daemon/daemon_fixture.hpp"

#include <fstream>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

constexpr const char* content = "correct horse battery";

struct daemon_with_secrets : daemon_fixture {
  daemon_with_secrets() {
    install("vault", "libvault.so");
    fs::create_directory(secrets);
    std::ofstream{secrets / "db"} << content << '\n';
  }

  static json app() {
    return {{"name", "a"},
            {"import_path", "libvault.so:web"},
            {"route_prefix", "/"},
            {"deployments", {{{"name", "vault"}, {"user_config", {{"password", {{"$secret", "db"}}}}}}}}};
  }
  void serve() { must_start({"--secrets-dir", secrets.string()}); }

  /// Asks until the application's state is told with this text.
  bool says(const std::string& part) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until)
      if (contains(call_api("GET", "/applications/a?replicas=1").body, part))
        return true;
    return false;
  }

  void check_nothing_shows_it() const {
    auto all = errors() + call_api("GET", "/applications/a/config").body + call_api("GET", "/applications/a").body +
               call_api("GET", "/applications/a/deployments/vault/history").body;
    for (const auto& x : fs::recursive_directory_iterator{data})
      if (x.is_regular_file())
        all += read_whole(x.path());
    CHECK(contains(all, "$secret"));
    CHECK(!contains(all, content));
  }

  const fs::path secrets = folder.path() / "secrets";
};

} // namespace

TEST_CASE_FIXTURE(daemon_with_secrets,
                  "secrets come with --secrets-dir or as credentials of the service, also after a restart") {
  serve();
  REQUIRE(deploy(app()).status == 200);
  CHECK(fetch("/x").body == json{{"password", content}}.dump());
  CHECK(contains(fetch("/throw").head, "500"));
  check_nothing_shows_it();
  CHECK(contains(errors(), "secrets/db is open to others than its owner"));
  daemon->signal(SIGTERM);
  CHECK(daemon->exit_code() == 0);
  const bool up = start({}, {"CREDENTIALS_DIRECTORY=" + secrets.string()});
  REQUIRE_MESSAGE(up, errors());
  CHECK(fetch("/x").body == json{{"password", content}}.dump());
  check_nothing_shows_it();
}

TEST_CASE_FIXTURE(daemon_with_secrets, "a secret that is away at a restart is told, and taken when it is back") {
  serve();
  REQUIRE(deploy(app()).status == 200);
  daemon->signal(SIGTERM);
  CHECK(daemon->exit_code() == 0);
  fs::rename(secrets / "db", secrets / "away");
  must_start({"--secrets-dir", secrets.string(), config_file(json::array({app()}))});
  CHECK(says("the secret \\\"db\\\" cannot be read: "));
  fs::rename(secrets / "away", secrets / "db");
  CHECK(fetch("/x").body == json{{"password", content}}.dump());
  check_nothing_shows_it();
}

TEST_CASE_FIXTURE(daemon_with_secrets,
                  "an exception that ends the process shows no secret in the crash record or on stderr") {
  serve();
  REQUIRE(deploy(app()).status == 200);
  CHECK(fetch("/x").status == 200);
  CHECK(fetch("/crash").status == 0);
  daemon->wait();
  const auto record = read_whole(data / "crashes");
  CHECK_MESSAGE(contains(record, "cannot use {\"password\":\"[secret db]\"}"), record);
  serve();
  check_nothing_shows_it();
}

TEST_CASE_FIXTURE(daemon_with_secrets, "a folder of secrets that is none is told at the start") {
  CHECK(!start({"--secrets-dir", (folder.path() / "none").string()}));
  CHECK(contains(errors(), "none is no directory; it must be one with a file for each secret"));
}
