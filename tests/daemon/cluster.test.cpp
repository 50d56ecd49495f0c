// A controller and nodes as processes: replicas on nodes, rollouts, and what happens when a node or the controller
// goes.
#include "daemon/cluster_fixture.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>

namespace troupe::cluster_test {

using namespace troupe;
using namespace troupe::test;

TEST_CASE_FIXTURE(cluster, "replicas wait for a node, then run on nodes, spread, with code that was brought there") {
  start_head();
  must_deploy({{"num_replicas", 4}, {"user_config", {{"a", 1}}}});
  CHECK(becomes("a", [](const json& d, const json&) { return contains(d.dump(), "no node has joined"); }));
  must_join("n1");
  REQUIRE(is_whole("a"));
  must_join("n2");
  REQUIRE(node_is("n2", "READY"));
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 8})").status == 200);
  REQUIRE(is_whole("a"));
  CHECK(node("n1").at("replicas") == 4);
  CHECK(node("n2").at("replicas") == 4);
  CHECK(who_answers() == std::set<std::string>{pid_of("n1"), pid_of("n2")});
  CHECK(get("/a/dependency") == "1");
  CHECK(get("/a/config") == R"({"a":1})");
  CHECK(get("/a/throw").starts_with("500 "));
  must_deploy({{"num_replicas", 8}, {"user_config", {{"a", 2}}}});
  CHECK(is_whole("a"));
  CHECK(get("/a/config") == R"({"a":2})");
  REQUIRE(replicas().size() == 8);
  for (const auto& r : replicas())
    CHECK(r.at("node").get<std::string>().starts_with("n"));

  must_deploy({{"num_replicas", 8}, {"user_config", {{"a", 2}}}, {"version", "2"}});
  CHECK(is_whole("a"));
  CHECK(node("n1").at("replicas") >= 2); // what goes and what comes are spread together
  CHECK(node("n2").at("replicas") >= 2);
  for (const auto& r : replicas())
    CHECK(r.at("version") == "2");

  install_isolated("two", "x"); // brings a library along that the nodes' processes have with other bytes
  must_deploy({{"num_replicas", 8}, {"user_config", {{"a", 2}}}, {"version", "3"}});
  CHECK(becomes("a", [](const json&, const json& all) { return all.at("state") == "DEPLOY_FAILED"; }));
  CHECK(contains(status_of("a").dump(), "this process has loaded other bytes of that name"));
  CHECK(get("/a/dependency") == "1");
  daemon->signal(SIGTERM);
  CHECK_MESSAGE(daemon->exit_code() == 0, errors());
}

TEST_CASE_FIXTURE(cluster, "a node that is killed costs what was on it, and joins again under its name") {
  start_two_nodes();
  nodes.at("n1")->signal(SIGKILL);
  CHECK(node_is("n1", "LOST"));
  CHECK(is_whole("a"));
  CHECK(who_answers() == std::set<std::string>{pid_of("n2")});
  must_join("n1");
  CHECK(node_is("n1", "READY"));
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 8})").status == 200);
  CHECK(is_whole("a"));
  CHECK(who_answers(100) == std::set<std::string>{pid_of("n1"), pid_of("n2")});
}

TEST_CASE_FIXTURE(cluster, "a request that was sent to a node that is killed has one outcome, at once") {
  start_head();
  must_join("n1");
  must_deploy({{"num_replicas", 1}});
  REQUIRE(is_whole("a"));
  client waiting{http};
  waiting.send(testing_http::get("/a/wait"));
  CHECK(becomes("a", [](const json& d, const json&) { return d.at("ongoing") == 1; }));
  nodes.at("n1")->signal(SIGKILL);
  CHECK(waiting.read(false).status == 500);
  CHECK_MESSAGE(contains(errors(), "that had begun the request is gone"), errors());
}

TEST_CASE_FIXTURE(cluster, "a frozen node is noticed as a dead one is; thawed, it is told and joins anew") {
  start_two_nodes();
  nodes.at("n1")->signal(SIGSTOP);
  CHECK(node_is("n1", "LOST"));
  CHECK(is_whole("a"));
  CHECK(who_answers() == std::set<std::string>{pid_of("n2")});
  nodes.at("n1")->signal(SIGCONT);
  CHECK(node_is("n1", "READY"));
  CHECK(node("n1").at("replicas") == 0);
}

TEST_CASE_FIXTURE(cluster, "a drained node is emptied without a lost request, a cordoned one keeps what it has") {
  start_two_nodes();
  CHECK(call_api("POST", "/nodes/n2/cordon").status == 200);
  CHECK(call_api("POST", "/nodes/n1/drain").status == 200); // nowhere to go
  CHECK(becomes("a", [](const json& d, const json&) { return d.at("waiting_for_room") > 0; }));
  CHECK(call_api("POST", "/nodes/n2/uncordon").status == 200);
  CHECK(node_becomes("n1", [](const json& x) { return x.at("empty") == true; }));
  CHECK(is_whole("a"));
  CHECK(node("n2").at("replicas") == 4);
  CHECK(who_answers() == std::set<std::string>{pid_of("n2")});
  CHECK(call_api("POST", "/nodes/n3/drain").status == 404);
  CHECK(call_api("DELETE", "/nodes/n2").status == 409);
  CHECK(call_api("DELETE", "/nodes/n1").status == 200);
  CHECK(nodes.at("n1")->exit_code() == 1);
  CHECK_MESSAGE(contains(node_errors("n1"), "an operator has removed this node"), node_errors("n1"));
  CHECK(node("n1").at("state") == "none");
}

TEST_CASE_FIXTURE(cluster, "a deployment chooses its nodes by labels, and has so many on each as it says") {
  start_head();
  must_join("n1", {"--labels", "zone=a,disk=ssd"});
  must_join("n2", {"--labels", "zone=b"});
  must_deploy({{"num_replicas", 3}, {"ray_actor_options", {{"label_selector", {{"zone", "in(a, c)"}}}}}});
  REQUIRE(is_whole("a"));
  CHECK(node("n1").at("replicas") == 3);
  CHECK(node("n2").at("replicas") == 0);

  must_deploy({{"num_replicas", 3}, {"max_replicas_per_node", 1}, {"preferred_labels", {{"disk", "ssd"}}}});
  const auto waits = [](const std::string& for_what) {
    return [for_what](const json& d, const json&) {
      return d.at("waiting_for_room") == 1 && d.at("available") == 2 && contains(d.dump(), for_what);
    };
  };
  CHECK(becomes("a", waits("0 of 2 nodes fit: 2 at max_replicas_per_node")));
  CHECK(node("n1").at("replicas") == 1);
  CHECK(node("n2").at("replicas") == 1);
  must_join("n3", {"--labels", "zone=c"});
  REQUIRE(is_whole("a"));
  for (const auto* name : {"n1", "n2", "n3"})
    CHECK(node(name).at("replicas") == 1);
  must_deploy({{"num_replicas", 3}, {"max_replicas_per_node", 1}, {"version", "2"}}); // nothing can surge
  REQUIRE(is_whole("a"));
  for (const auto* name : {"n1", "n2", "n3"})
    CHECK(node(name).at("replicas") == 1);

  must_deploy({{"num_replicas", 1}, {"ray_actor_options", {{"label_selector", {{"zone", "x"}}}}}});
  CHECK(becomes(
      "a", [](const json& d, const json&) { return contains(d.dump(), "0 of 3 nodes fit: 3 have other labels"); }));
  const auto shown = call_api("GET", "/applications/a/config");
  CHECK_MESSAGE(contains(shown.body, R"("label_selector":{"zone":"x"})"), shown.body);
}

TEST_CASE_FIXTURE(cluster, "a node that is asked to end leaves nothing behind") {
  start_two_nodes();
  nodes.at("n1")->signal(SIGTERM);
  CHECK(nodes.at("n1")->exit_code() == 0);
  CHECK(node("n1").at("state") == "GONE");
  CHECK(is_whole("a"));
  CHECK(who_answers() == std::set<std::string>{pid_of("n2")});
}

TEST_CASE_FIXTURE(cluster, "a controller that ends in order leaves nothing on its nodes") {
  start_two_nodes();
  daemon->signal(SIGTERM);
  CHECK_MESSAGE(daemon->exit_code() == 0, errors());
  for (const auto* name : {"n1", "n2"}) {
    nodes.at(name)->signal(SIGTERM);
    CHECK_MESSAGE(nodes.at(name)->exit_code() == 0, node_errors(name));
  }
}

TEST_CASE_FIXTURE(cluster, "a node that is back after it was emptied is one like any other") {
  start_two_nodes();
  nodes.at("n1")->signal(SIGTERM);
  CHECK(nodes.at("n1")->exit_code() == 0);
  must_join("n1");
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 8})").status == 200);
  REQUIRE(is_whole("a"));
  CHECK(node("n1").at("replicas") == 4);
  const auto before = replica_ids();
  REQUIRE(before.size() == 8);
  for (int i = 0; i < 50; ++i)
    CHECK(replica_ids() == before); // nobody is moved away
}

TEST_CASE_FIXTURE(cluster, "a controller that is killed finds its nodes again, and what is cordoned stays so") {
  start_two_nodes();
  CHECK(call_api("POST", "/nodes/n2/cordon").status == 200);
  kill_and_start_head();
  CHECK(node_is("n1", "READY"));
  CHECK(node_is("n2", "READY"));
  CHECK(node("n2").at("cordoned") == true);
  CHECK(is_whole("a"));
  CHECK(node("n2").at("replicas") == 2); // it keeps what it has
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 6})").status == 200);
  CHECK(is_whole("a"));
  CHECK(node("n2").at("replicas") == 2);
}

TEST_CASE_FIXTURE(cluster, "a controller that is killed adopts what its nodes have: nothing starts anew") {
  start_head();
  must_join("n1");
  must_join("n2");
  must_deploy({{"num_replicas", 4}, {"user_config", {{"a", 1}}}});
  REQUIRE(is_whole("a"));
  const auto before = who_answers(100, "/a/object");
  REQUIRE(before.size() == 4);
  kill_and_start_head();
  REQUIRE(is_whole("a"));
  REQUIRE(node_is("n1", "READY"));
  REQUIRE(node_is("n2", "READY"));
  CHECK(who_answers(100, "/a/object") == before);
  CHECK(get("/a/config") == R"({"a":1})");
  CHECK_MESSAGE(contains(errors(), "of 2 replicas that it has brought 2 are adopted"), errors());
  // They obey: a new config, then a new version.
  must_deploy({{"num_replicas", 4}, {"user_config", {{"a", 2}}}});
  REQUIRE(is_whole("a"));
  CHECK(get("/a/config") == R"({"a":2})");
  CHECK(who_answers(100, "/a/object") == before);
  must_deploy({{"num_replicas", 4}, {"user_config", {{"a", 2}}}, {"version", "2"}});
  REQUIRE(is_whole("a"));
  for (const auto& object : who_answers(100, "/a/object"))
    CHECK(before.count(object) == 0);
  nodes.at("n1")->signal(SIGTERM);
  CHECK(nodes.at("n1")->exit_code() == 0); // nothing is left of what it had
}

TEST_CASE_FIXTURE(cluster,
                  "what several deploys of one code have started is adopted together; what is not wanted ends") {
  start_head();
  must_join("n1");
  must_deploy({{"num_replicas", 3}});
  REQUIRE(is_whole("a"));
  must_deploy({{"num_replicas", 5}}); // another load of the same library
  REQUIRE(is_whole("a"));
  must_join("n2");
  CHECK(call_api("POST", "/nodes/n1/cordon").status == 200);
  const auto before = who_answers(100, "/a/object");
  REQUIRE(before.size() == 5);
  kill_and_start_head();
  REQUIRE(is_whole("a"));
  REQUIRE(node_is("n1", "READY"));
  CHECK(who_answers(100, "/a/object") == before);
  CHECK_MESSAGE(contains(errors(), "of 5 replicas that it has brought 5 are adopted"), errors());
  // Cut off, n1 is replaced on n2. When it is back, nothing is wanted of it, and a cordoned node gets nothing new.
  nodes.at("n1")->signal(SIGSTOP);
  CHECK(node_is("n1", "LOST"));
  REQUIRE(is_whole("a"));
  nodes.at("n1")->signal(SIGCONT);
  REQUIRE(node_is("n1", "READY"));
  CHECK(node("n1").at("replicas") == 0);
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 7})").status == 200);
  REQUIRE(is_whole("a"));
  CHECK(node("n1").at("replicas") == 0);
}

TEST_CASE_FIXTURE(cluster, "who may not join is told why, and ends") {
  start_head();
  must_join("n1");
  start_node("n1", {}, "second"); // it tries on: the first may end
  CHECK_MESSAGE(says("second", "the name \"n1\" is in use"), node_errors("second"));
  nodes.at("n1")->signal(SIGTERM);
  CHECK_FALSE(nodes.at("second")->line_with("has joined").empty());
  must_join("n2", {"--data-dir", (folder.path() / "shared").string()});
  CHECK(start_node("n3", {"--data-dir", (folder.path() / "shared").string()}).exit_code() == 1);
  CHECK_MESSAGE(contains(node_errors("n3"), "is in use by another node"), node_errors("n3"));
  CHECK(start_node("n/4", {}, "n4").exit_code() == 2);
  CHECK(start_node("n5", {"--resources", "num_cpus=-1"}).exit_code() == 2);
  CHECK(node_is("n2", "READY"));
}

TEST_CASE_FIXTURE(cluster, "code that finds no room on a node is a failed start that says so") {
  start_head();
  must_join("n1", {"--cache-bytes", "10KiB"});
  must_deploy({{"num_replicas", 1}});
  CHECK(becomes("a", [](const json&, const json& all) { return all.at("state") == "DEPLOY_FAILED"; }));
  const auto text = status_of("a").dump();
  CHECK_MESSAGE(contains(text, "node n1: "), text);
  must_join("n2");
  CHECK(call_api("POST", "/nodes/n1/cordon").status == 200);
  CHECK(call_api("POST", "/applications/a/deployments/isolated/rollout", R"({"action": "restart"})").status == 200);
  CHECK(is_whole("a"));
}

TEST_CASE_FIXTURE(cluster, "garbage on the port and connections that say nothing disturb nobody") {
  start_head();
  must_join("n1");
  std::vector<owned_fd> silent;
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(door);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(silent.back().get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    std::string bytes(static_cast<std::size_t>(i) * 1000, static_cast<char>(i * 37));
    bytes.insert(0, i % 2 == 0 ? "GET / HTTP/1.1\r\n\r\n" : std::string(28, '\xff'));
    if (i % 5 != 0)
      (void)!::send(silent.back().get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  must_join("n2");
  must_deploy({{"num_replicas", 2}});
  CHECK(is_whole("a"));
}

TEST_CASE_FIXTURE(cluster, "with certificates: the right ones join, others don't") {
  const auto ca = (folder.path() / "ca").string();
  const auto troupe = [&](std::vector<std::string> words) {
    process x{troupe_program(), std::move(words), {}, folder.path() / "err-cli"};
    REQUIRE_MESSAGE(x.exit_code() == 0, read_whole(folder.path() / "err-cli"));
  };
  troupe({"cluster", "init", "--dir", ca});
  const auto bundle = [&](const std::string& role, const std::string& name) {
    auto at = (folder.path() / (role + "-" + name)).string();
    troupe({"cluster", "certificate", "--dir", ca, "--role", role, "--name", name, "--out", at});
    return at;
  };
  start_head({"--cluster-dir", ca + "/controller"});
  must_join("n1", {"--cluster-dir", bundle("node", "n1")});
  must_deploy({{"num_replicas", 2}});
  CHECK(is_whole("a"));
  CHECK(get("/a/process") == pid_of("n1"));

  CHECK(start_node("n2", {"--cluster-dir", bundle("client", "n2")}).exit_code() == 1);
  CHECK_MESSAGE(contains(node_errors("n2"), "client"), node_errors("n2"));
  CHECK(start_node("n3", {"--cluster-dir", bundle("node", "n4")}).exit_code() == 1);
  CHECK_MESSAGE(contains(node_errors("n3"), "--name says \"n3\""), node_errors("n3"));
  const auto other = (folder.path() / "other-ca").string();
  troupe({"cluster", "init", "--dir", other});
  troupe({"cluster", "certificate", "--dir", other, "--role", "node", "--name", "n5", "--out", other + "-n5"});
  start_node("n5", {"--cluster-dir", other + "-n5"});
  start_node("n6"); // none at all
  for (const auto* name : {"n5", "n6"})
    CHECK_MESSAGE(says(name, "cannot reach the controller"), node_errors(name));
  CHECK(list().size() == 1);
  daemon.reset();
  CHECK_FALSE(start({"--cluster-address", "0.0.0.0:0"})); // no certificates
  CHECK_MESSAGE(contains(errors(), "--cluster-dir"), errors());
}

} // namespace troupe::cluster_test
