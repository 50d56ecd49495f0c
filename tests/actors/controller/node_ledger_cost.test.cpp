// How many nodes are looked at for an answer: never all of them, and never full ones again.
#include <troupe/actors/controller/node_ledger.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace troupe::controller::node_ledger_cost {

namespace {

constexpr std::uint64_t many = 1000;

placement_request one_cpu(placement_strategy strategy, std::uint32_t per_node = 0) {
  return {.each = resources{}.set(resource_name::cpus, resource_unit),
          .strategy = strategy,
          .max_replicas_per_node = per_node};
}

void add_many(node_ledger& to, std::uint64_t cpus) {
  for (node_id id = 1; id <= many; ++id)
    to.add_node({id, "n", {}, resources{}.set(resource_name::cpus, cpus * resource_unit)});
}

demand_id opened(node_ledger& in, const std::string& name, const placement_request& what) {
  return in.open({"default", name}, what);
}

/// Looks at nodes while `action` runs.
template <class Action>
std::uint64_t looks_for(const node_ledger& in, const Action& action) {
  const auto before = in.looks();
  action();
  return in.looks() - before;
}

} // namespace

TEST_CASE("the 900 of 1000 nodes that are full are not looked at, spread or packed, bounded per node or not") {
  for (const auto strategy : {placement_strategy::spread, placement_strategy::pack})
    for (const std::uint32_t per_node : {0U, 5U}) {
      node_ledger nodes;
      add_many(nodes, 4);
      const auto filler = opened(nodes, "filler", one_cpu(placement_strategy::pack));
      for (int i = 0; i < 3600; ++i)
        nodes.place(filler);
      const auto a = opened(nodes, "a", one_cpu(strategy, per_node));
      nodes.explain(a); // its shape is indexed
      for (int i = 0; i < 400; ++i) {
        // Its index changes from the shape's to its own once, which looks at all.
        const auto looks = looks_for(nodes, [&] {
          nodes.explain(a);
          CHECK(nodes.place(a).value() > 900);
        });
        CHECK((looks <= 1 || looks == many));
      }
      CHECK(looks_for(nodes, [&] { CHECK_FALSE(nodes.place(a)); }) <= 1);
      CHECK(looks_for(nodes, [&] { CHECK(nodes.explain(a).none_fits()); }) == 0);
    }
}

TEST_CASE("a deployment on few nodes pays for these only, though it is new and others have many replicas") {
  node_ledger nodes;
  add_many(nodes, 100);
  const auto shape = one_cpu(placement_strategy::spread);
  const auto large = opened(nodes, "large", shape);
  for (int i = 0; i < 3000; ++i)
    nodes.place(large);
  nodes.place(opened(nodes, "first", shape)); // the shape takes in what `large` did
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto name = "small" + std::to_string(i);
    CHECK(looks_for(nodes, [&] { nodes.place(opened(nodes, name, shape)); }) == 1);
  }
}

TEST_CASE("pending demands look at the one node that changed, and those that nobody asks for cost nothing") {
  node_ledger nodes;
  add_many(nodes, 1);
  const auto filler = opened(nodes, "filler", one_cpu(placement_strategy::spread));
  while (nodes.place(filler)) {
  }
  std::vector<demand_id> pending;
  for (std::uint64_t i = 0; i < 50; ++i)
    pending.push_back(opened(nodes, "p" + std::to_string(i), one_cpu(placement_strategy::pack)));
  for (const auto d : pending)
    nodes.explain(d);
  const auto looks = looks_for(nodes, [&] {
    nodes.give_back(filler, 500);
    for (const auto d : pending)
      CHECK(nodes.explain(d).fitting == 1);
  });
  CHECK(looks == 1); // all have the same shape
  CHECK(looks_for(nodes, [&] { nodes.set_state(7, node_state::cordoned); }) == 0);
}

TEST_CASE("a node that changed often is looked at once") {
  node_ledger nodes;
  add_many(nodes, 4);
  const auto a = opened(nodes, "a", one_cpu(placement_strategy::pack));
  const auto b = opened(nodes, "b", one_cpu(placement_strategy::pack, 9));
  nodes.explain(a);
  nodes.explain(b);
  for (int i = 0; i < 100; ++i)
    nodes.give_back(a, nodes.place(a).value());
  CHECK(looks_for(nodes, [&] { nodes.explain(b); }) == 1);
}

TEST_CASE("when nobody asks any more, what only asking needs is freed: who asks again looks at all nodes once") {
  node_ledger nodes;
  add_many(nodes, 4);
  const auto shape = one_cpu(placement_strategy::spread);
  const auto a = opened(nodes, "a", shape);
  const auto b = opened(nodes, "b", shape);
  for (int i = 0; i < 100; ++i)
    nodes.place(a); // more than few: it has an index of its own
  nodes.explain(b);
  nodes.close(a);
  CHECK(looks_for(nodes, [&] { nodes.explain(b); }) == 0);
  CHECK(opened(nodes, "a", shape) == a);
  CHECK(looks_for(nodes, [&] { nodes.explain(a); }) == many);
  nodes.place(b);
  nodes.close(a);
  nodes.close(b);
  CHECK(opened(nodes, "b", shape) == b);
  CHECK(looks_for(nodes, [&] { nodes.explain(b); }) == many);
}

TEST_CASE("nodes that went leave nothing behind") {
  node_ledger nodes;
  for (node_id id = 1; id <= many; ++id) {
    nodes.add_node({id, "n", {}, {}});
    if (id < many)
      nodes.remove_node(id);
  }
  const auto a = opened(nodes, "a", {});
  CHECK(looks_for(nodes, [&] { CHECK(nodes.explain(a).fitting == 1); }) == 1);
}

} // namespace troupe::controller::node_ledger_cost
