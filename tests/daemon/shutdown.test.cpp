// How `troupe serve` ends.
#include "daemon/daemon_fixture.hpp"

using namespace troupe;
using namespace troupe::test;
using testing_http::get;

namespace {

struct served : daemon_fixture {
  void serve(std::vector<std::string> more = {}) {
    install("served");
    auto app = application();
    // One is held by its request, the other answers.
    app["deployments"] = json::array({{{"name", "front"}, {"num_replicas", 2}, {"max_ongoing_requests", 1}}});
    more.push_back(config_file(json::array({app})));
    must_start(std::move(more));
    REQUIRE(fetch("/x").body == "/x version 1");
  }
};

bool is_refused(std::uint16_t port) {
  const owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno == ECONNREFUSED;
}

} // namespace

TEST_CASE_FIXTURE(served, "SIGTERM: healthz says so at once, connections are taken for a while, what has begun ends") {
  serve({"--shutdown-delay", "1", "--shutdown-timeout", "50"});
  CHECK(fetch("/-/healthz").status == 200);
  client busy{http}, idle{http}, silent{http};
  CHECK(idle.ask(get("/idle")).status == 200);
  hold(busy);
  daemon->signal(SIGTERM);
  REQUIRE(daemon->line_with("draining") != "");
  const auto health = fetch("/-/healthz");
  CHECK(health.status == 503);
  CHECK(health.field("Connection") == "close");
  const auto late = fetch("/late");
  CHECK(late.body == "/late version 1");
  CHECK(late.field("Connection") == "close");
  REQUIRE(daemon->line_with("takes no more connections") != "");
  CHECK(is_refused(http));
  CHECK(is_refused(api));
  CHECK(idle.at_end());
  const auto first = silent.ask(get("/first")); // of a connection that was made before
  CHECK((first.status == 200 || silent.at_end()));
  release();
  const auto held = busy.read();
  CHECK(held.body == "/hold version 1");
  CHECK(held.field("Connection") == "close");
  CHECK(daemon->exit_code() == 0);
  CHECK(read_whole(folder.path() / "stopped") == "50 of 50\n50 of 50\n");
}

TEST_CASE_FIXTURE(served, "a connection made a moment before the end gets its first answer") {
  serve();
  client busy{http};
  hold(busy);
  client fresh{http};
  REQUIRE(fetch("/-/healthz").status == 200); // it has been accepted: connections are in order
  daemon->signal(SIGTERM);
  REQUIRE(daemon->line_with("takes no more connections") != "");
  const auto first = fresh.ask(get("/first"));
  CHECK(first.body == "/first version 1");
  CHECK(first.field("Connection") == "close");
  release();
  CHECK(busy.read().status == 200);
  CHECK(daemon->exit_code() == 0);
}

TEST_CASE_FIXTURE(served, "callers stop before those that they call") {
  serve();
  CHECK(call_api("POST", "/shutdown").status == 202);
  CHECK(daemon->exit_code() == 0);
  CHECK(read_whole(folder.path() / "stopped") == "50 of 50\n50 of 50\n"); // by the callers' destructors
}

TEST_CASE_FIXTURE(served, "a second signal ends the process at once") {
  serve();
  client busy{http};
  hold(busy);
  daemon->signal(SIGTERM);
  REQUIRE(daemon->line_with("draining") != "");
  daemon->signal(SIGINT);
  CHECK(daemon->exit_code() == 128 + SIGINT);
}

TEST_CASE_FIXTURE(served, "a handler that does not return is cut off in time, and the exit code says so") {
  serve({"--shutdown-timeout", "0.5"});
  client busy{http};
  hold(busy);
  daemon->signal(SIGTERM);
  CHECK(daemon->exit_code() == 1);
  CHECK(contains(errors(), "user code still runs after --shutdown-timeout"));
  CHECK(busy.read().status == 0);
}

TEST_CASE_FIXTURE(served, "what is deployed comes back after a clean stop") {
  serve();
  daemon->signal(SIGTERM);
  REQUIRE(daemon->exit_code() == 0);
  must_start();
  CHECK(fetch("/again").body == "/again version 1");
  CHECK(errors().find("killed") == std::string::npos);
}
