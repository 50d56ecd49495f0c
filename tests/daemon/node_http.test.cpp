// Nodes that take HTTP themselves: their requests go straight to replicas on any node, with a controller or without.
#include "daemon/cluster_fixture.hpp"

#include <csignal>

namespace troupe::node_http_test {

using namespace troupe;
using namespace troupe::test;

struct with_fronts : cluster {
  /// n1 takes HTTP; n2 has all of four replicas.
  void start_apart() {
    start_head();
    must_join("n1", {"--http-address", "127.0.0.1:0"});
    must_join("n2");
    CHECK(call_api("POST", "/nodes/n1/cordon").status == 200);
    must_deploy({{"num_replicas", 4}, {"user_config", {{"a", 1}}}});
    REQUIRE(is_whole("a"));
    REQUIRE(comes_to_answer("n1", "/a/process", pid_of("n2")));
  }
};

TEST_CASE_FIXTURE(with_fronts, "a node's ingress reaches replicas on other nodes, and its own first") {
  start_apart();
  CHECK(get_from("n1", "/a/config") == R"({"a":1})");
  CHECK(get_from("n1", "/a/throw").starts_with("500 "));
  CHECK(get_from("n1", "/b").starts_with("404 "));
  CHECK(get_from("n1", "/-/routes") == R"({"/a":"a"})");
  CHECK(get_from("n1", "/-/healthz") == "success");
  CHECK(call_api("POST", "/nodes/n1/uncordon").status == 200);
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 8})").status == 200);
  REQUIRE(is_whole("a"));
  REQUIRE(comes_to_answer("n1", "/a/process", pid_of("n1")));
  for (int i = 0; i < 20; ++i)
    CHECK(get_from("n1", "/a/process") == pid_of("n1"));

  must_deploy({{"num_replicas", 8}, {"user_config", {{"a", 2}}}, {"version", "2"}});
  REQUIRE(is_whole("a"));
  CHECK(comes_to_answer("n1", "/a/config", R"({"a":2})"));
  REQUIRE(call_api("DELETE", "/applications/a").status == 200);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!get_from("n1", "/a/process").starts_with("404 "))
    REQUIRE(std::chrono::steady_clock::now() < until);
}

TEST_CASE_FIXTURE(with_fronts, "without a controller requests go on; what comes after is heard when it is back") {
  start_apart();
  const auto object = get_from("n1", "/a/object");
  daemon->signal(SIGKILL);
  CHECK(daemon->exit_code() != 0);
  for (int i = 0; i < 20; ++i)
    CHECK(get_from("n1", "/a/process") == pid_of("n2"));
  start_head();
  for (int i = 0; i < 20; ++i)
    CHECK(get_from("n1", "/a/process") == pid_of("n2"));
  REQUIRE(is_whole("a"));
  CHECK(node_is("n1", "READY"));
  CHECK(get_from("n1", "/a/process") == pid_of("n2"));
  must_deploy({{"num_replicas", 4}, {"user_config", {{"a", 3}}}, {"version", "3"}});
  REQUIRE(is_whole("a"));
  CHECK(comes_to_answer("n1", "/a/config", R"({"a":3})"));
  nodes.at("n1")->signal(SIGTERM);
  CHECK_MESSAGE(nodes.at("n1")->exit_code() == 0, node_errors("n1"));
}

TEST_CASE_FIXTURE(with_fronts, "a node that dies costs its own requests: others wait for what replaces it") {
  start_apart();
  client waiting{fronts.at("n1")};
  waiting.send(testing_http::get("/a/wait"));
  CHECK(says("n2", "waiting"));
  CHECK(call_api("POST", "/nodes/n1/uncordon").status == 200);
  nodes.at("n2")->signal(SIGKILL);
  CHECK(waiting.read(false).status == 500);
  CHECK(get_from("n1", "/a/process") == pid_of("n1"));
}

TEST_CASE_FIXTURE(with_fronts, "max_ongoing_requests holds for a replica, whichever ingress its requests come by") {
  install("served");
  start_head();
  must_join("n1", {"--http-address", "127.0.0.1:0"});
  auto served = application("a");
  served["deployments"] = {{{"name", "front"}, {"max_ongoing_requests", 1}, {"isolation", "none"}},
                           {{"name", "back"}, {"isolation", "none"}}};
  const auto done = deploy(served);
  REQUIRE_MESSAGE(done.status == 200, done.body);
  REQUIRE(comes_to_answer("n1", "/x", "/x version 1")); // and the front has asked the back, from a node
  client first{http};
  hold(first);
  client second{fronts.at("n1")};
  second.send(testing_http::get("/y")); // full: refused there, and waits here
  release();
  CHECK(first.read(false).status == 200);
  CHECK(second.read(false).body == "/y version 1");
  client third{fronts.at("n1")};
  hold(third);
  client fourth{http};
  fourth.send(testing_http::get("/z"));
  release();
  CHECK(third.read(false).status == 200);
  CHECK(fourth.read(false).body == "/z version 1");
}

TEST_CASE_FIXTURE(with_fronts, "with certificates nodes reach each other, too; HeadOnly leaves nodes without routes") {
  const auto ca = (folder.path() / "ca").string();
  const auto troupe = [&](std::vector<std::string> words) {
    process x{troupe_program(), std::move(words), {}, folder.path() / "err-cli"};
    REQUIRE_MESSAGE(x.exit_code() == 0, read_whole(folder.path() / "err-cli"));
  };
  troupe({"cluster", "init", "--dir", ca});
  for (const std::string name : {"n1", "n2"})
    troupe({"cluster", "certificate", "--dir", ca, "--role", "node", "--name", name, "--out", ca + "-" + name});
  start_head({"--cluster-dir", ca + "/controller"});
  must_join("n1", {"--cluster-dir", ca + "-n1", "--http-address", "127.0.0.1:0"});
  must_join("n2", {"--cluster-dir", ca + "-n2"});
  CHECK(call_api("POST", "/nodes/n1/cordon").status == 200);
  must_deploy({{"num_replicas", 2}});
  REQUIRE(is_whole("a"));
  CHECK(comes_to_answer("n1", "/a/process", pid_of("n2")));
}

} // namespace troupe::node_http_test
