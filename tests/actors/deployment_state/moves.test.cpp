// Replicas on nodes: where they are, and how a node is emptied (SPEC 5).
#include "machine_fixture.hpp"

#include <algorithm>
#include <map>

namespace troupe::deployment_state::moves_test {

using namespace troupe;
using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

namespace {

/// Each that starts is told to be on `*where`.
world::behaviour placing(world& w, std::string& where, instant after = 10ms) {
  return [&w, &where, after](const puppet& p) {
    w.place(p.ref, where);
    return outcome{.after = after};
  };
}

std::map<std::string, int> by_node(const world& w) {
  std::map<std::string, int> out;
  for (const auto& r : w.status(true).replicas)
    if (r.available)
      ++out[r.node];
  return out;
}

using nodes = std::map<std::string, int>;

} // namespace

TEST_CASE("the status says where each replica is; this machine is \"local\"") {
  world w;
  establish(w, target("v1", 2));
  std::string where = "n1";
  w.on_start = placing(w, where);
  w.scale(5);
  w.run_for(1s);
  CHECK(by_node(w) == nodes{{"local", 2}, {"n1", 3}});
  CHECK_SOUND(w);
}

TEST_CASE("a node is emptied at most W at a time, and what comes up there meanwhile goes, too") {
  world w;
  w.can_check = true; // good checks do not take it back
  std::string where = "n1";
  w.on_start = placing(w, where, 30s);
  establish(w, target("v1", 10));
  REQUIRE(by_node(w) == nodes{{"n1", 10}});
  w.evacuate("n1");
  w.run_for(20s);
  where = "n2";
  w.run_for(10min);
  CHECK(w.min_available == 8);
  CHECK(by_node(w) == nodes{{"n2", 10}});
  CHECK(w.stopped == 12); // two had begun on n1
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

TEST_CASE("a wish to empty a node that is taken back ends the moves") {
  world w;
  std::string where = "n1";
  w.on_start = placing(w, where, 5s);
  establish(w, target("v1", 10));
  where = "n2";
  w.evacuate("n1");
  w.evacuate("n1"); // said twice
  w.run_for(1s);
  w.evacuate("n1", false);
  w.run_for(5min);
  CHECK(by_node(w) == nodes{{"n1", 8}, {"n2", 2}});
  CHECK(w.stopped == 2);
  CHECK_SOUND(w);
}

TEST_CASE("a rollout goes on while a node is emptied") {
  world w;
  std::string where = "n1";
  w.on_start = placing(w, where);
  establish(w, target("v1", 10));
  where = "n2";
  w.deploy(target("v2", 10));
  w.evacuate("n1");
  w.run_for(5min);
  CHECK(w.available("v2") == 10);
  CHECK(by_node(w) == nodes{{"n2", 10}});
  CHECK(w.state() == state::healthy);
  CHECK_SOUND(w);
}

} // namespace troupe::deployment_state::moves_test
