// Nodes over REST: what is shown of them, what operators may do, and what is refused.
#include "api_fixture.hpp"
#include "fake_nodes.hpp"

namespace troupe::api_nodes_test {

using namespace troupe;
using namespace troupe::test;

namespace {

struct nodes_fixture {
  api_answer get(const std::string& path) const { return api.get(path); }
  api_answer post(const std::string& path) const { return api.ask("POST", api.v1(path)); }
  api_answer remove(const std::string& path) const { return api.ask("DELETE", api.v1(path)); }

  fake_nodes nodes{{node_called("n1"), node_called("n 2")}};
  api_fixture api{{}, &nodes};
};

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

} // namespace

TEST_CASE_FIXTURE(nodes_fixture, "nodes are shown field by field, resources as those of the machine are") {
  const json expected{
      {"name", "n1"},
      {"state", "READY"},
      {"host", "10.0.0.7"},
      {"release", "1.2.3"},
      {"labels", {{"zone", "a"}}},
      {"resources",
       {{"total",
         {{"num_cpus", 8}, {"num_gpus", 0}, {"memory", std::uint64_t{8} << 30U}, {"resources", {{"licence", 1}}}}},
        {"used", {{"num_cpus", 1.5}, {"num_gpus", 0}, {"memory", 1000}, {"resources", json::object()}}}}},
      {"replicas", 3},
      {"cordoned", false},
      {"drained", false},
      {"empty", false},
      {"since_s", 1.5},
      {"silence_s", 0.3},
      {"message", ""}};
  const auto all = get("/nodes");
  CHECK(all.status == 200);
  REQUIRE(all.value["nodes"].size() == 2);
  CHECK(all.value["nodes"][0] == expected);
  CHECK(get("/nodes/n1").value == expected);
  CHECK(get("/nodes/n%202").value["name"] == "n 2");
}

TEST_CASE_FIXTURE(nodes_fixture, "cordon, uncordon and drain answer the node as it is after that") {
  const auto cordoned = post("/nodes/n1/cordon");
  CHECK(cordoned.status == 200);
  CHECK(cordoned.value["cordoned"] == true);
  CHECK(cordoned.value["name"] == "n1");
  const auto drained = post("/nodes/n1/drain");
  CHECK(drained.value["drained"] == true);
  CHECK(drained.value["state"] == "DRAINING");
  const auto back = post("/nodes/n1/uncordon");
  CHECK(back.value["cordoned"] == false);
  CHECK(back.value["drained"] == false);
  post("/nodes/n%202/cordon");
  CHECK(nodes.asked() == std::vector<std::string>{"cordon n1", "drain n1", "uncordon n1", "cordon n 2"});
  CHECK(get("/nodes/n1").value["cordoned"] == false);
}

TEST_CASE_FIXTURE(nodes_fixture, "a node that is known but not listed answers what holds when it joins again") {
  nodes.forget("n1");
  const auto cordoned = post("/nodes/n1/cordon");
  CHECK(cordoned.status == 200);
  CHECK(cordoned.value["state"] == "GONE");
  CHECK(cordoned.value["cordoned"] == true);
  CHECK(post("/nodes/n1/drain").value["drained"] == true);
  CHECK(post("/nodes/n1/uncordon").value["cordoned"] == false);
}

TEST_CASE_FIXTURE(nodes_fixture, "a node with replicas is removed by force only") {
  const auto kept = remove("/nodes/n1");
  REQUIRE(kept.status == 409);
  CHECK(kept.value["error"]["code"] == "rejected");
  CHECK(kept.message() == "node n1 may have replicas");
  CHECK(remove("/nodes/n1?force=no").status == 400);
  CHECK(get("/nodes").value["nodes"].size() == 2);
  const auto removed = remove("/nodes/n1?force=true");
  CHECK(removed.status == 200);
  CHECK(removed.value == json{{"node", "n1"}, {"removed", true}});
  CHECK(nodes.asked() == std::vector<std::string>{"remove n1", "remove by force n1"});
  CHECK(get("/nodes").value["nodes"].size() == 1);
}

TEST_CASE_FIXTURE(nodes_fixture, "unknown nodes are 404 and say which there are") {
  const auto none = get("/nodes/n3");
  CHECK(none.status == 404);
  CHECK(none.value["error"]["code"] == "not_found");
  CHECK(none.message() == "there is no node n3; there are: n1, n 2");
  for (const auto* action : {"cordon", "uncordon", "drain"}) {
    const auto x = post(std::string("/nodes/n3/") + action);
    CHECK(x.status == 404);
    CHECK(x.message() == "no such node; there are 2");
  }
  CHECK(remove("/nodes/n3").status == 404);
  CHECK(get("/nodes/").status == 404);
  CHECK(post("/nodes/n1/stop").status == 404);
  CHECK(get("/nodes/n1%2Fdrain").status == 405); // decoded first, as in paths of applications
  CHECK(post("/nodes").field("Allow") == "GET, HEAD");
  nodes.forget("n1");
  nodes.forget("n 2");
  CHECK(get("/nodes/n1").message() == "there is no node n1, nor any other");
}

TEST_CASE_FIXTURE(nodes_fixture, "a controller that cannot answer is 503, a change that it rejects 409") {
  nodes.fail_with(error{errc::runtime_stopped, "it ends"});
  CHECK(get("/nodes").status == 503);
  CHECK(get("/nodes/n1").message() == "it ends");
  CHECK(post("/nodes/n1/drain").status == 503);
  nodes.fail_with(error{errc::rejected, "not now"});
  const auto x = post("/nodes/n1/cordon");
  CHECK(x.status == 409);
  CHECK(x.message() == "not now");
}

TEST_CASE("without a cluster every question about nodes is 404 and says how to have one") {
  api_fixture f;
  for (const auto& x : {f.get("/nodes"), f.get("/nodes/n1"), f.post("/nodes/n1/cordon", json::object()),
                        f.post("/nodes/n1/uncordon", json::object()), f.post("/nodes/n1/drain", json::object()),
                        f.ask("DELETE", f.v1("/nodes/n1"))}) {
    CHECK(x.status == 404);
    CHECK(x.value["error"]["code"] == "no_cluster");
    CHECK(has(x.message(), "troupe serve --cluster-address HOST:PORT"));
  }
}

} // namespace troupe::api_nodes_test
