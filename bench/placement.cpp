// What does it cost to find a node for a replica, and to give it a seat there, and does it grow with the nodes? Against
// the least that keeps nodes in order: a set from which the first is taken, and into which it is put back where it now
// belongs.
#include "machine.hpp"
#include "questions.hpp"
#include <troupe/actors/controller/cluster_room.hpp>
#include <troupe/actors/controller/node_ledger.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::bench {

namespace {

using controller::cluster_room;
using controller::demand_id;
using controller::node_ledger;

constexpr unsigned replicas = 10'000;

/// Nodes of which no more than the replicas fit; of these `full` are taken before.
struct cluster {
  node_ledger ledger;
  demand_id filler = 0;

  cluster(unsigned nodes, unsigned full) {
    const auto each = (replicas + nodes - full - 1) / (nodes - full);
    for (unsigned id = 1; id <= nodes; ++id)
      ledger.add_node({id, "n", {}, resources{}.set(resource_name::cpus, each * resource_unit)});
    filler = ledger.open({"default", "filler"}, {.each = resources{}.set(resource_name::cpus, each * resource_unit)});
    for (unsigned i = 0; i < full; ++i)
      ledger.place(filler);
  }
};

/// Nanoseconds of processor time for one replica, as others use the machine too.
sample each_of(unsigned times, const std::function<void()>& placing) {
  const auto start = cpu_seconds();
  placing();
  return {(cpu_seconds() - start) * 1e9 / times};
}

/// `deployments` take turns; each places its share.
sample place_all(unsigned nodes, unsigned full, unsigned deployments, placement_strategy strategy) {
  return median_of(9, [&]() -> sample {
    cluster in{nodes, full};
    std::vector<demand_id> demands;
    for (unsigned i = 0; i < deployments; ++i)
      demands.push_back(
          in.ledger.open({"default", "d" + std::to_string(i)},
                         {.each = resources{}.set(resource_name::cpus, resource_unit), .strategy = strategy}));
    unsigned placed = 0;
    const auto result = each_of(replicas, [&] {
      for (unsigned i = 0; i < replicas; ++i)
        placed += in.ledger.place(demands[i % deployments]) ? 1U : 0U;
    });
    if (placed != replicas)
      throw std::runtime_error("only " + std::to_string(placed) + " were placed");
    return result;
  });
}

/// One of a full cluster goes, the next one comes, and a claim that waits is told why it does.
sample replace_all(unsigned nodes) {
  return median_of(9, [&]() -> sample {
    cluster in{nodes, 0};
    const auto a = in.ledger.open({"default", "a"}, {.each = resources{}.set(resource_name::cpus, resource_unit)});
    std::vector<controller::node_id> at;
    while (const auto id = in.ledger.place(a))
      at.push_back(*id);
    return each_of(replicas, [&] {
      for (unsigned i = 0; i < replicas; ++i) {
        in.ledger.give_back(a, at[i]);
        at[i] = in.ledger.place(a).value();
        if (in.ledger.explain(in.filler).fitting > 0)
          throw std::runtime_error("a full cluster has room");
      }
    });
  });
}

/// As the controller does it: a deployment claims room for `step` more at a time, each of these then takes its seat.
/// Meanwhile another one may wait for more than any node has.
sample seat_all(unsigned nodes, unsigned step, bool beside_too_large) {
  return median_of(9, [&]() -> sample {
    cluster_room room;
    const auto cpus = [](std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); };
    const auto of_node = (replicas + nodes - 1) / nodes;
    for (unsigned id = 1; id <= nodes; ++id)
      room.add_node({id, "n", {}, cpus(of_node)});
    if (beside_too_large)
      room.claim({{"default", "b"}, 1, {{cpus(of_node + 1), 1}}});
    claim_room claim{{"default", "a"}, 0, {{cpus(1), 0}}};
    unsigned seated = 0;
    const auto result = each_of(replicas, [&] {
      auto& shape = claim.shapes.front();
      auto& want = shape.want;
      for (std::uint64_t place = 0; want < replicas;) {
        ++claim.seq;
        want = std::min(want + step, replicas);
        if (room.claim(claim).front().what.granted.front() != want)
          throw std::runtime_error("there is no room for " + std::to_string(want));
        while (place < want) {
          room.take_seat(claim.from, shape, ++place);
          seated += static_cast<unsigned>(room.take_seated().size());
        }
      }
    });
    if (seated != replicas)
      throw std::runtime_error("only " + std::to_string(seated) + " have seats");
    return result;
  });
}

sample bare_set(unsigned nodes, unsigned times) {
  return median_of(9, [&]() -> sample {
    std::set<std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>> in_order; // replicas, what is taken, id
    for (unsigned id = 1; id <= nodes; ++id)
      in_order.emplace(0, 0, id);
    return each_of(replicas, [&] {
      for (unsigned i = 0; i < replicas * times; ++i) {
        auto first = in_order.extract(in_order.begin());
        std::get<0>(first.value()) += 1;
        std::get<1>(first.value()) += resource_unit;
        in_order.insert(std::move(first));
      }
    });
  });
}

} // namespace

void add_placement(suite& to) {
  const auto ask = [&](const std::string& name, unsigned nodes, std::function<sample()> ours, unsigned times = 1) {
    to.questions.push_back({.name = "placement/" + name + "/" + short_number(nodes),
                            .unit = "ns",
                            .how = comparison::cost_at_most,
                            .ours = {"node_ledger", std::move(ours)},
                            .references = {{"std::set", [=] { return bare_set(nodes, times); }}}});
  };
  const std::vector<unsigned> sizes{10, 100, 1'000};
  for (const auto n : sizes)
    ask("spread", n, [n] { return place_all(n, 0, 1, placement_strategy::spread); });
  for (const auto n : sizes)
    ask("pack", n, [n] { return place_all(n, 0, 1, placement_strategy::pack); });
  for (const auto n : sizes)
    ask("9-of-10-full", n, [n] { return place_all(n, n / 10 * 9, 1, placement_strategy::spread); });
  for (const auto n : sizes)
    ask("1k-deployments", n, [n] { return place_all(n, 0, 1'000, placement_strategy::spread); });
  for (const auto n : sizes)
    ask("100-deployments", n, [n] { return place_all(n, 0, 100, placement_strategy::spread); });
  for (const auto n : sizes)
    ask(
        "replace", n, [n] { return replace_all(n); }, 2);
  for (const auto n : sizes)
    ask(
        "nodes", n, [n] { return seat_all(n, replicas, false); }, 2);
  for (const auto n : sizes)
    ask(
        "nodes-one-by-one", n, [n] { return seat_all(n, 1, false); }, 2);
  for (const auto n : sizes)
    ask(
        "nodes-beside-too-large", n, [n] { return seat_all(n, 1, true); }, 2);
  // 100 that each come to be on many nodes, and take turns, each take in what the others did since: for information.
  for (const auto& [name, bound] : {std::pair{"spread", 1.2},
                                    {"pack", 1.2},
                                    {"9-of-10-full", 1.2},
                                    {"1k-deployments", 1.2},
                                    {"100-deployments", 0.0},
                                    {"replace", 1.2},
                                    {"nodes", 1.5},
                                    {"nodes-one-by-one", 1.5},
                                    {"nodes-beside-too-large", 1.5}}) {
    const auto line = std::string{"placement/"} + name;
    to.growths.push_back({"growth/" + line, line + "/" + short_number(10), line + "/" + short_number(1'000), bound});
  }
}

} // namespace troupe::bench
