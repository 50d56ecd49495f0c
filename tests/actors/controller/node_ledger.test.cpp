// Where replicas go: the order of nodes, why none fits, and a model that looks at all nodes for every answer.
#include <troupe/actors/controller/node_ledger.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace troupe::controller::node_ledger_test {

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

deployment_name dep(const std::string& name) { return {"default", name}; }
resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }
resources with(resources x, std::string_view name, std::uint64_t amount) { return x.set(name, amount); }

placement_request spread(resources each) { return {.each = std::move(each)}; }
placement_request pack(resources each) { return {.each = std::move(each), .strategy = placement_strategy::pack}; }
placement_request at_most_per_node(placement_request what, std::uint32_t n) {
  what.max_replicas_per_node = n;
  return what;
}

/// Nodes 1, 2, ... with so many CPUs.
void add_nodes(node_ledger& to, const std::vector<std::uint64_t>& sizes, node_labels labels = {}) {
  node_id id = 0;
  for (const auto n : sizes) {
    ++id;
    REQUIRE(to.add_node({id, "n" + std::to_string(id), labels, cpus(n)}));
  }
}

using ids = std::vector<node_id>;

/// Places until nothing fits, at most `most`.
ids place_all(node_ledger& in, demand_id d, std::size_t most = 100) {
  ids result;
  while (result.size() < most) {
    const auto at = in.place(d);
    if (!at)
      break;
    result.push_back(*at);
  }
  return result;
}

std::string why(node_ledger& in, demand_id d) { return to_string(in.explain(d)); }

resources free_of(const node_ledger& in, std::size_t row) {
  const auto report = in.report();
  auto free = report.nodes.at(row).total;
  take(free, report.nodes.at(row).used);
  return free;
}

} // namespace

// -- order -----------------------------------------------------------------------------------------------------------

TEST_CASE("spread goes round: first where the deployment has fewest, then where most is free, then by id") {
  node_ledger nodes;
  add_nodes(nodes, {4, 4, 4});
  const auto a = nodes.open(dep("a"), spread(cpus(1)));
  CHECK(place_all(nodes, a, 4) == ids{1, 2, 3, 1});
  const auto b = nodes.open(dep("b"), spread(cpus(1)));
  CHECK(place_all(nodes, b, 3) == ids{2, 3, 1});
}

TEST_CASE("spread looks at the share that is free, not at the amount") {
  node_ledger nodes;
  add_nodes(nodes, {10, 4});
  const auto a = nodes.open(dep("a"), spread(cpus(2)));
  CHECK(nodes.place(a) == 1); // both are whole: the least id
  const auto b = nodes.open(dep("b"), spread(cpus(1)));
  CHECK(nodes.place(b) == 2); // 8 of 10 are free on the first, 4 of 4 here
}

TEST_CASE("the scarcest of the resources asked for counts, others don't") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, with(cpus(10), "memory", 100)});
  nodes.add_node({2, "n2", {}, with(cpus(10), "memory", 100)});
  const auto fill_1 = nodes.open(dep("x"), spread(with({}, "memory", 50)));
  REQUIRE(nodes.adopt(fill_1, 1)); // 1: 10 CPUs and half of the memory
  const auto fill_2 = nodes.open(dep("y"), spread(cpus(4)));
  REQUIRE(nodes.adopt(fill_2, 2));                                                   // 2: 6 CPUs and all of the memory
  CHECK(nodes.place(nodes.open(dep("a"), spread(with(cpus(1), "memory", 1)))) == 2); // 6/10 beats 5/10
  CHECK(nodes.place(nodes.open(dep("b"), spread(cpus(1)))) == 1);
}

TEST_CASE("pack fills the fullest node that still fits, to its end") {
  node_ledger nodes;
  add_nodes(nodes, {4, 4, 4});
  const auto a = nodes.open(dep("a"), pack(cpus(1)));
  CHECK(place_all(nodes, a, 6) == ids{1, 1, 1, 1, 2, 2});
  CHECK(nodes.place(nodes.open(dep("b"), pack(cpus(3)))) == 3);
  CHECK(nodes.place(a) == 3); // a quarter is free there, half on the second
}

TEST_CASE("of replicas that ask for nothing, not all go to the first node, unless packed") {
  node_ledger nodes;
  add_nodes(nodes, {1, 1, 1});
  ids spread_over, packed;
  for (const auto* name : {"a", "b", "c", "d"})
    spread_over.push_back(nodes.place(nodes.open(dep(name), spread({}))).value());
  for (const auto* name : {"e", "f", "g"})
    packed.push_back(nodes.place(nodes.open(dep(name), pack({}))).value());
  CHECK(spread_over == ids{1, 2, 3, 1});
  CHECK(packed == ids{1, 1, 1});
}

TEST_CASE("as many are placed as fit: just before, at and after the last") {
  node_ledger nodes;
  add_nodes(nodes, {6, 3});
  const auto a = nodes.open(dep("a"), spread(cpus(3)));
  CHECK(place_all(nodes, a).size() == 3);
  CHECK_FALSE(nodes.place(a));
  CHECK(why(nodes, a) == "0 of 2 nodes fit: 2 lack num_cpus");
  CHECK(nodes.give_back(a, 1));
  CHECK(why(nodes, a) == "1 of 2 nodes fits: 1 lacks num_cpus");
  CHECK(nodes.place(a) == 1);
  CHECK_FALSE(nodes.place(a));
}

TEST_CASE("max_replicas_per_node counts all shapes of a deployment together, and no other deployment") {
  node_ledger nodes;
  add_nodes(nodes, {9, 9});
  const auto v1 = nodes.open(dep("a"), at_most_per_node(spread(cpus(1)), 2));
  const auto v2 = nodes.open(dep("a"), at_most_per_node(pack(cpus(2)), 2));
  CHECK(place_all(nodes, v1, 3) == ids{1, 2, 1});
  CHECK(place_all(nodes, v2) == ids{2});
  CHECK(why(nodes, v1) == "0 of 2 nodes fit: 2 at max_replicas_per_node");
  CHECK(place_all(nodes, nodes.open(dep("b"), at_most_per_node(pack(cpus(2)), 2))) == ids{2, 2, 1, 1});
  CHECK(nodes.give_back(v1, 2));
  CHECK(nodes.place(v2) == 2);
  CHECK(nodes.placed(dep("a"), 2) == 2);
}

// -- labels ----------------------------------------------------------------------------------------------------------

TEST_CASE("required labels: one value, one of several, none of several; a node without the label is none of them") {
  struct row {
    label_rule rule;
    bool with_a, with_b, without;
  };
  for (const auto& [rule, with_a, with_b, without] :
       {row{{"zone", {"a"}, false}, true, false, false}, row{{"zone", {"a", "b"}, false}, true, true, false},
        row{{"zone", {"a"}, true}, false, true, true}, row{{"zone", {"a", "b"}, true}, false, false, true},
        row{{"zone", {}, false}, false, false, false}}) {
    CHECK(rule.holds_for({{"zone", "a"}}) == with_a);
    CHECK(rule.holds_for({{"zone", "b"}}) == with_b);
    CHECK(rule.holds_for({{"other", "a"}}) == without);
  }
}

TEST_CASE("all required labels must match") {
  node_ledger nodes;
  nodes.add_node({1, "n1", {{"zone", "a"}}, cpus(4)});
  nodes.add_node({2, "n2", {{"zone", "a"}, {"disk", "ssd"}}, cpus(4)});
  nodes.add_node({3, "n3", {{"disk", "ssd"}}, cpus(4)});
  auto what = spread(cpus(2));
  what.required = {{"zone", {"a"}, false}, {"disk", {"ssd"}, false}};
  const auto a = nodes.open(dep("a"), what);
  CHECK(place_all(nodes, a) == ids{2, 2});
  CHECK(why(nodes, a) == "0 of 3 nodes fit: 2 have other labels, 1 lacks num_cpus");
}

TEST_CASE("more preferred labels come before any order of spread and pack, and only while they fit") {
  for (auto what : {spread(cpus(2)), pack(cpus(2))}) {
    node_ledger nodes;
    nodes.add_node({1, "n1", {}, cpus(4)});
    nodes.add_node({2, "n2", {{"gpu", "l4"}}, cpus(4)});
    nodes.add_node({3, "n3", {{"gpu", "l4"}, {"zone", "a"}}, cpus(4)});
    what.preferred = {{"gpu", {"l4", "h100"}, false}, {"zone", {"a"}, false}};
    CHECK(place_all(nodes, nodes.open(dep("a"), what)) == ids{3, 3, 2, 2, 1, 1});
  }
}

// -- nodes -----------------------------------------------------------------------------------------------------------

TEST_CASE("on a cordoned, draining or suspect node nothing new is placed, and what is there stays") {
  for (const auto& [state, name] : {std::pair{node_state::cordoned, "cordoned"},
                                    {node_state::draining, "draining"},
                                    {node_state::suspect, "suspect"}}) {
    node_ledger nodes;
    add_nodes(nodes, {4, 4});
    const auto a = nodes.open(dep("a"), spread(cpus(2)));
    CHECK(nodes.place(a) == 1);
    CHECK(nodes.set_state(1, state));
    CHECK(place_all(nodes, a) == ids{2, 2});
    CHECK(why(nodes, a) == std::string{"0 of 2 nodes fit: 1 "} + name + ", 1 lacks num_cpus");
    CHECK(nodes.placed(a) == 3);
    CHECK(nodes.set_state(1, node_state::ready));
    CHECK(nodes.place(a) == 1);
  }
}

TEST_CASE("a removed node says what was on it by deployment, and that can be placed again") {
  node_ledger nodes;
  add_nodes(nodes, {4, 4});
  const auto a = nodes.open(dep("a"), spread(cpus(1)));
  const auto b = nodes.open(dep("b"), pack(cpus(2)));
  CHECK(place_all(nodes, a, 3) == ids{1, 2, 1});
  CHECK(nodes.place(b) == 1);
  CHECK(nodes.remove_node(1) == std::vector<placed_replicas>{{dep("a"), a, 2}, {dep("b"), b, 1}});
  CHECK(nodes.remove_node(1).empty());
  CHECK(nodes.placed(a) == 1);
  CHECK(nodes.placed(b) == 0);
  CHECK(place_all(nodes, a, 2) == ids{2, 2});
  CHECK(why(nodes, b) == "0 of 1 node fits: 1 lacks num_cpus");
}

TEST_CASE("a late give-back for a node that went does not touch the one that took its place") {
  node_ledger nodes;
  add_nodes(nodes, {4});
  const auto a = nodes.open(dep("a"), spread(cpus(2)));
  nodes.place(a);
  nodes.remove_node(1);
  CHECK(nodes.add_node({2, "n1", {}, cpus(4)}));
  CHECK(nodes.place(a) == 2);
  CHECK_FALSE(nodes.give_back(a, 1));
  CHECK(nodes.placed(a) == 1);
  CHECK(free_of(nodes, 0) == cpus(2));
}

TEST_CASE("a known id, the id 0 and unknown nodes and demands are refused") {
  node_ledger nodes;
  add_nodes(nodes, {4});
  CHECK_FALSE(nodes.add_node({1, "again", {}, cpus(8)}));
  CHECK_FALSE(nodes.add_node({0, "none", {}, cpus(8)}));
  CHECK_FALSE(nodes.set_state(2, node_state::cordoned));
  CHECK_FALSE(nodes.place(7));
  CHECK_FALSE(nodes.adopt(7, 1));
  CHECK_FALSE(nodes.give_back(7, 1));
  CHECK(nodes.explain(7) == fit_report{});
  CHECK(nodes.never(7) == fit_report{});
  nodes.close(7);
  nodes.forget(dep("a"));
}

// -- demands ---------------------------------------------------------------------------------------------------------

TEST_CASE("what is given back twice is given back once") {
  node_ledger nodes;
  add_nodes(nodes, {4});
  const auto a = nodes.open(dep("a"), spread(cpus(2)));
  place_all(nodes, a);
  CHECK(nodes.give_back(a, 1));
  CHECK(nodes.give_back(a, 1));
  CHECK_FALSE(nodes.give_back(a, 1));
  CHECK(free_of(nodes, 0) == cpus(4));
}

TEST_CASE("equal shapes are one, and gone when nobody asks for or holds one") {
  node_ledger nodes;
  add_nodes(nodes, {4});
  const auto a = nodes.open(dep("a"), spread(cpus(1)));
  CHECK(nodes.open(dep("a"), spread(cpus(1))) == a);
  const auto b = nodes.open(dep("b"), spread(cpus(1)));
  CHECK(nodes.shapes() == 1);
  nodes.open(dep("b"), pack(cpus(1)));
  CHECK(nodes.shapes() == 2);
  nodes.place(a);
  nodes.close(a);
  CHECK_FALSE(nodes.place(a));
  nodes.forget(dep("b"));
  CHECK_FALSE(nodes.place(b));
  CHECK(nodes.shapes() == 1); // of the replica that is there
  CHECK(nodes.give_back(a, 1));
  CHECK(nodes.shapes() == 0);
  CHECK(nodes.open(dep("a"), spread(cpus(1))) != a);
}

TEST_CASE("a closed demand that still has replicas goes on when it is opened again") {
  node_ledger nodes;
  add_nodes(nodes, {4, 4});
  const auto a = nodes.open(dep("a"), spread(cpus(1)));
  nodes.place(a);
  nodes.close(a);
  nodes.close(a);
  CHECK(nodes.open(dep("a"), spread(cpus(1))) == a);
  CHECK(nodes.place(a) == 2);
}

TEST_CASE("who is forgotten gives all back, of closed shapes too") {
  node_ledger nodes;
  add_nodes(nodes, {4, 4});
  const auto v1 = nodes.open(dep("a"), spread(cpus(1)));
  const auto v2 = nodes.open(dep("a"), spread(cpus(2)));
  place_all(nodes, v1, 3);
  place_all(nodes, v2, 1);
  nodes.close(v1);
  nodes.forget(dep("a"));
  CHECK(free_of(nodes, 0) == cpus(4));
  CHECK(free_of(nodes, 1) == cpus(4));
  CHECK(nodes.shapes() == 0);
  CHECK(nodes.placed(dep("a"), 1) == 0);
}

TEST_CASE("what is found on a node is taken in wherever it is, as far as there is room") {
  node_ledger nodes;
  add_nodes(nodes, {4});
  nodes.set_state(1, node_state::suspect);
  const auto a = nodes.open(dep("a"), at_most_per_node(spread(cpus(2)), 1));
  CHECK(nodes.adopt(a, 1));
  CHECK(nodes.adopt(a, 1));
  CHECK_FALSE(nodes.adopt(a, 1));
  CHECK_FALSE(nodes.adopt(a, 2));
  CHECK(nodes.placed(a) == 2);
}

// -- why not ---------------------------------------------------------------------------------------------------------

TEST_CASE("what no node could ever hold is told at once; a cordoned or full node could") {
  node_ledger nodes;
  const auto a = nodes.open(dep("a"), spread(cpus(8)));
  CHECK_FALSE(nodes.never(a).none_fits()); // nobody is there yet
  CHECK(to_string(nodes.never(a)) == "no node has joined");
  add_nodes(nodes, {7, 4});
  CHECK(nodes.never(a).none_fits());
  CHECK(to_string(nodes.never(a)) == "0 of 2 nodes fit: 2 too small (num_cpus)");
  nodes.add_node({3, "n3", {}, cpus(8), node_state::cordoned});
  CHECK_FALSE(nodes.never(a).none_fits());
  CHECK(why(nodes, a) == "0 of 3 nodes fit: 2 too small (num_cpus), 1 cordoned");
  nodes.set_state(3, node_state::ready);
  CHECK(nodes.place(a) == 3);
  CHECK_FALSE(nodes.never(a).none_fits());
  nodes.remove_node(3);
  CHECK(nodes.never(a).none_fits());
}

TEST_CASE("a node is counted once, by what waiting changes least") {
  node_ledger nodes;
  const auto gpu = [](std::uint64_t c, std::uint64_t g) { return with(cpus(c), "num_gpus", g * resource_unit); };
  nodes.add_node({1, "n1", {}, gpu(8, 1), node_state::cordoned});           // other labels
  nodes.add_node({2, "n2", {{"z", "a"}}, gpu(8, 0), node_state::draining}); // too small
  nodes.add_node({3, "n3", {{"z", "a"}}, gpu(8, 1), node_state::draining}); // draining
  nodes.add_node({4, "n4", {{"z", "a"}}, gpu(8, 1)});                       // at its bound, and lacks a GPU
  nodes.add_node({5, "n5", {{"z", "a"}}, gpu(1, 1)});                       // lacks CPUs
  nodes.add_node({6, "n6", {{"z", "a"}}, gpu(8, 1)});                       // lacks a GPU
  auto what = at_most_per_node(spread(gpu(1, 1)), 1);
  what.required = {{"z", {"a"}, false}};
  const auto a = nodes.open(dep("a"), what);
  CHECK(nodes.adopt(a, 4));
  CHECK(nodes.adopt(nodes.open(dep("b"), spread(cpus(1))), 5));
  CHECK(nodes.adopt(nodes.open(dep("c"), spread(gpu(0, 1))), 6));
  CHECK(why(nodes, a) == "0 of 6 nodes fit: 1 has other labels, 1 too small (num_gpus), 1 draining, "
                         "1 at max_replicas_per_node, 1 lacks num_cpus, 1 lacks num_gpus");
}

TEST_CASE("absurd amounts: sums do not wrap around, and nothing is placed beyond them") {
  CHECK(free_share(largest, largest) == 1'000'000'000);
  CHECK(free_share(largest / 2, largest) == 499'999'999); // rounded down
  CHECK(free_share(0, largest) == 0);
  CHECK(free_share(1, 3) == 333'333'333);
  CHECK(free_share((std::uint64_t{1} << 34) - 1, (std::uint64_t{1} << 34)) == 999'999'999);
  node_ledger nodes;
  nodes.add_node({1, "n1", {}, with({}, "memory", largest)});
  nodes.add_node({largest, "n2", {}, {}});
  const auto all = nodes.open(dep("a"), spread(with({}, "memory", largest)));
  const auto half = nodes.open(dep("b"), pack(with({}, "memory", largest / 2 + 1)));
  CHECK(place_all(nodes, half) == ids{1});
  CHECK(place_all(nodes, all).empty());
  CHECK(nodes.give_back(half, 1));
  CHECK(place_all(nodes, all) == ids{1});
  CHECK(nodes.report().nodes.at(0).used == with({}, "memory", largest));
  CHECK(place_all(nodes, nodes.open(dep("c"), spread({})), 3) == ids{largest, 1, largest});
}

TEST_CASE("amounts that came unsorted, twice or as 0 are put in order") {
  node_ledger nodes;
  resources odd;
  odd.amounts = {{"num_cpus", 0}, {"memory", 5}, {"memory", 7}, {"a", 1}};
  nodes.add_node({1, "n1", {}, odd});
  CHECK(nodes.report().nodes.at(0).total == with(with({}, "memory", 7), "a", 1));
  odd.amounts.pop_back();
  CHECK(place_all(nodes, nodes.open(dep("a"), spread(odd))) == ids{1});
}

TEST_CASE("full nodes are passed over, whatever their number, and come back one by one") {
  node_ledger nodes;
  add_nodes(nodes, std::vector<std::uint64_t>(100, 1));
  const auto a = nodes.open(dep("a"), spread(cpus(1)));
  CHECK(place_all(nodes, a).size() == 100);
  CHECK(why(nodes, a) == "0 of 100 nodes fit: 100 lack num_cpus");
  for (const node_id id : {77, 3, 100}) {
    nodes.give_back(a, id);
    CHECK(nodes.place(a) == id);
    CHECK_FALSE(nodes.place(a));
  }
}

} // namespace troupe::controller::node_ledger_test
