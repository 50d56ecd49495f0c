// Room of a node that is held back: free for nobody, and neither used nor a replica.
#include <troupe/actors/controller/node_ledger.hpp>

#include <doctest/doctest.h>

#include <string>

namespace troupe::controller::node_ledger_aside {

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

demand_id opened(node_ledger& in, const std::string& name, std::uint64_t each) {
  return in.open({"default", name}, {.each = cpus(each)});
}

} // namespace

TEST_CASE("what is set aside is for nobody until it is taken back: just before, at and after the last of it") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, cpus(4)});
  const auto a = opened(nodes, "a", 2);
  REQUIRE(nodes.set_aside(1, cpus(2)));
  CHECK(nodes.place(a) == 1);
  CHECK_FALSE(nodes.place(a));
  CHECK_FALSE(nodes.adopt(a, 1));
  CHECK(to_string(nodes.explain(a)) == "0 of 1 node fits: 1 lacks num_cpus");
  nodes.take_back(1, cpus(1));
  CHECK_FALSE(nodes.place(a));
  nodes.take_back(1, cpus(1));
  CHECK(nodes.place(a) == 1);
}

TEST_CASE("what is set aside is neither used nor a replica") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, cpus(4)});
  const auto a = opened(nodes, "a", 1);
  nodes.place(a);
  nodes.set_aside(1, cpus(3));
  CHECK(nodes.report().nodes.at(0).used == cpus(1));
  CHECK(nodes.placed(a) == 1);
  CHECK(nodes.room_of(1)->replicas == 1);
  CHECK(nodes.room_of(1)->free == resources{});
  CHECK_FALSE(nodes.never(a).none_fits());
}

TEST_CASE("no more is set aside than is free, and no more is taken back than was set aside") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, cpus(4)});
  nodes.place(opened(nodes, "a", 1));
  CHECK_FALSE(nodes.set_aside(1, cpus(4)));
  CHECK(nodes.set_aside(1, cpus(2)));
  CHECK(nodes.set_aside(1, cpus(1)));
  CHECK_FALSE(nodes.set_aside(1, cpus(1)));
  CHECK(nodes.set_aside(1, {}));
  nodes.take_back(1, cpus(9));
  CHECK(nodes.room_of(1)->free == cpus(3));
  nodes.take_back(1, cpus(1));
  CHECK(nodes.room_of(1)->free == cpus(3));
}

TEST_CASE("what was set aside on a node goes with it") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, cpus(4)});
  nodes.set_aside(1, cpus(3));
  nodes.remove_node(1);
  CHECK(nodes.room_of(1) == nullptr);
  CHECK_FALSE(nodes.set_aside(1, cpus(1)));
  nodes.take_back(1, cpus(1));
  nodes.add_node({2, "n2", {}, cpus(4)}); // where the other one was kept
  CHECK(nodes.room_of(2)->free == cpus(4));
  nodes.take_back(2, cpus(1));
  CHECK(nodes.room_of(2)->free == cpus(4));
}

TEST_CASE("spread goes where more is free beyond what is set aside") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, cpus(4)});
  nodes.add_node({2, "n2", {}, cpus(4)});
  nodes.set_aside(1, cpus(1));
  CHECK(nodes.place(opened(nodes, "a", 1)) == 2);
}

} // namespace troupe::controller::node_ledger_aside
