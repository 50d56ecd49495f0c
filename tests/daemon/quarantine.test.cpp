// Releases that end the process: it does not end for ever, and everything else is served (SPEC 4).
#include "daemon/daemon_fixture.hpp"

#include <initializer_list>

using namespace troupe;
using namespace troupe::test;

namespace {

struct quarantine : daemon_fixture {
  /// Two applications of version 1: `served` on /, and `other`, which nothing happens to.
  void serve_good() {
    install("served");
    install("served", "libother.so");
    must_start();
    REQUIRE(deploy(application()).status == 200);
    REQUIRE(deploy(application("other", "/other", "libother.so")).status == 200);
    REQUIRE(fetch("/x").body == "/x version 1");
  }

  /// The rollout of all has ended whole, that of `front` with this revision.
  bool becomes_whole(std::uint64_t revision) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
      const auto now = status_of("served");
      bool whole = now.at("deployments").size() == 2;
      for (const auto& d : now.at("deployments")) {
        const auto& rollout = d.at("rollout");
        whole = whole && rollout.at("base_revision") == rollout.at("target_revision") &&
                rollout.at("phase") == "complete" && d.at("available") == d.at("num_replicas") &&
                (d.at("name") != "front" || rollout.at("base_revision") == revision);
      }
      if (whole)
        return true;
    }
    return false;
  }

  void roll_to(const std::string& plugin) {
    install(plugin);
    REQUIRE(deploy(application()).status == 200);
    REQUIRE(becomes_whole(2));
  }

  void ends_by(const std::string& path) {
    CHECK(fetch(path).status == 0);
    const int status = daemon->wait();
    CHECK((!WIFEXITED(status) || WEXITSTATUS(status) != 0 || path == "/crash/exit"));
  }

  void check_rolled_back(const std::string& cause) {
    CHECK(fetch("/x").body == "/x version 1");
    CHECK(fetch("/other/x").body == "/other/x version 1");
    const auto now = status_of("served");
    CHECK(now.at("state") == "DEPLOY_FAILED");
    const auto message = now.at("message").get<std::string>();
    for (const auto& part : {std::string{"rolled back to R1: R2 is quarantined"}, cause})
      CHECK_MESSAGE(contains(message, part), message);
    CHECK(status_of("other").at("state") == "RUNNING");
  }

  /// The application is not run, for these reasons, and `served` is.
  void check_left_out(const std::string& application, std::initializer_list<const char*> reasons) {
    CHECK(fetch("/x").body == "/x version 1");
    const auto now = status_of(application);
    CHECK(now.at("state") == "DEPLOY_FAILED");
    const auto message = now.at("message").get<std::string>();
    for (const auto* reason : reasons)
      CHECK_MESSAGE(contains(message, reason), message);
  }

  /// A clean stop; and the crashes are as if they were long ago.
  void stop_and_forget_crashes() {
    daemon->signal(SIGTERM);
    CHECK(daemon->exit_code() == 0);
    std::filesystem::remove(data / "crashes");
  }
};

} // namespace

TEST_CASE_FIXTURE(quarantine, "a handler that raises SIGSEGV twice: the next start goes back to the version before") {
  serve_good();
  roll_to("served_2");
  CHECK(fetch("/x").body == "/x version 2");
  ends_by("/crash");
  must_start();
  CHECK(fetch("/x").body == "/x version 2"); // once is not enough
  ends_by("/crash");
  must_start();
  check_rolled_back("in its handler (SIGSEGV)");
  CHECK(fetch("/crash").body == "/crash version 1");
  SUBCASE("and it stays so") {
    daemon->signal(SIGKILL);
    daemon->wait();
    must_start();
    check_rolled_back("in its handler (SIGSEGV)");
  }
  SUBCASE("until somebody deploys it again") {
    REQUIRE(deploy(application()).status == 200);
    REQUIRE(becomes_whole(3));
    CHECK(status_of("served").at("state") == "RUNNING");
    ends_by("/crash");
    must_start();
    CHECK(fetch("/x").body == "/x version 2");
  }
}

TEST_CASE_FIXTURE(quarantine, "a constructor that raises SIGSEGV: rolled back to the base") {
  serve_good();
  install("served_crashes_in_constructor");
  deploy(application()); // it may be acknowledged, or not any more
  CHECK(daemon->exit_code() != 0);
  start(); // up for a moment, at most
  CHECK(daemon->exit_code() != 0);
  must_start();
  check_rolled_back("in its constructor (SIGSEGV)");
}

TEST_CASE_FIXTURE(quarantine, "a first version whose constructor raises SIGSEGV: its application alone has failed") {
  serve_good();
  install("served_crashes_in_constructor", "libfirst.so");
  deploy(application("first", "/first", "libfirst.so"));
  CHECK(daemon->exit_code() != 0);
  start();
  CHECK(daemon->exit_code() != 0);
  for (int i = 0; i < 2; ++i) { // also when nothing is known of it but what is stored
    must_start();
    check_left_out("first", {"first/front: R1 is quarantined", "in its constructor (SIGSEGV)"});
    stop_and_forget_crashes();
  }
  must_start();
  install("served", "libfirst.so");
  REQUIRE(deploy(application("first", "/first", "libfirst.so")).status == 200);
  CHECK(fetch("/first/x").body == "/first/x version 1");
}

TEST_CASE_FIXTURE(quarantine, "a config file whose library raises SIGSEGV while it is loaded: the rest is served") {
  install("served");
  install("served_crashes_at_load", "libbad.so");
  const auto config = config_file(json::array({application(), application("bad", "/bad", "libbad.so")}));
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(start({config}));
    CHECK(daemon->exit_code() != 0);
  }
  for (int i = 0; i < 2; ++i) {
    must_start({config});
    check_left_out("bad", {"libbad.so:app is quarantined", "while it was loaded (SIGSEGV)"});
    stop_and_forget_crashes();
  }
}

TEST_CASE_FIXTURE(quarantine, "a config file that asks for what was rolled back does not bring it back by itself") {
  serve_good();
  roll_to("served_2");
  ends_by("/crash");
  must_start();
  ends_by("/crash");
  must_start({config_file(json::array({application()}))});
  check_rolled_back("in its handler (SIGSEGV)");
}

TEST_CASE_FIXTURE(quarantine,
                  "a thread of the code's own, and an exit without a signal, are blamed on what is on trial") {
  for (const auto* how : {"/crash/thread", "/crash/exit"}) {
    CAPTURE(how);
    daemon.reset();
    std::filesystem::remove_all(data);
    serve_good();
    roll_to("served_2");
    ends_by(how);
    must_start();
    ends_by(how);
    must_start();
    check_rolled_back(std::string_view{how} == "/crash/exit" ? "(exit)" : "(SIGSEGV)");
  }
}

TEST_CASE_FIXTURE(quarantine, "kill -9 blames nobody, however often, also while a version is on trial") {
  serve_good();
  roll_to("served_2");
  for (int i = 0; i < 5; ++i) {
    daemon->signal(SIGKILL);
    daemon->wait();
    must_start();
    CHECK(contains(errors(), "the last process was killed or lost its power"));
    CHECK(contains(errors(), "on trial then, and not blamed for it: "));
  }
  CHECK(fetch("/x").body == "/x version 2");
  CHECK(status_of("served").at("state") == "RUNNING");
}
