// Which nodes a deployment may have in a cluster: labels, preferences, packing and the bound per node.
#include "random_histories.hpp"
#include <troupe/actors/controller/cluster_room.hpp>

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace troupe::cluster_room_placement_test {

using namespace troupe;
using namespace troupe::controller;

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

label_rule rule(const std::string& key, const std::string& text) { return *read_label_rule(key, text); }

placement_options in_zone(const std::string& text) {
  return {.strategy = placement_strategy::spread,
          .max_replicas_per_node = 0,
          .required = {rule("zone", text)},
          .preferred = {}};
}

placement_options at_most_per_node(std::uint32_t n) {
  return {.strategy = placement_strategy::spread, .max_replicas_per_node = n, .required = {}, .preferred = {}};
}

/// A room, what everybody was told last, and who sits where.
struct told_room {
  explicit told_room(wrong_seat wrong = wrong_seat::none) : room(0, wrong) {}

  void hear(const std::vector<grant>& all) {
    for (const auto& g : all)
      if (g.what.seq == seqs[g.to.name])
        last[g.to.name] = g.what;
    for (const auto& x : room.take_seated())
      sat[x.place] = x.node;
  }
  void add_node(node_id id, std::uint64_t has, const std::string& zone = {}) {
    node_labels labels;
    if (!zone.empty())
      labels["zone"] = zone;
    hear(room.add_node({id, "n" + std::to_string(id), std::move(labels), cpus(has), node_state::ready}));
  }
  std::vector<std::uint32_t> claim(const std::string& who, std::vector<shape_claim> shapes, std::uint32_t reserve = 0) {
    last.erase(who);
    hear(room.claim({{"default", who}, ++seqs[who], std::move(shapes), reserve}));
    return last.count(who) > 0 ? last[who].granted : std::vector<std::uint32_t>{};
  }
  node_id sit(const std::string& who, std::uint64_t place, const shape_claim& what) {
    hear(room.take_seat({"default", who}, what, place));
    return sat.count(place) > 0 ? sat[place] : 0;
  }
  void leave(std::uint64_t place) {
    sat.erase(place);
    hear(room.leave_seat(place));
  }

  cluster_room room;
  std::map<std::string, std::uint64_t> seqs;
  std::map<std::string, room_granted> last;
  std::map<std::uint64_t, node_id> sat;
};

using granted = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("replicas only come to nodes that have the labels, and who finds none waits for one") {
  told_room r;
  r.add_node(1, 4);
  r.add_node(2, 4, "b");
  const shape_claim a{cpus(1), 3, in_zone("a")};
  CHECK(r.claim("a", {a}) == granted{0});
  CHECK(r.last["a"].nodes == "0 of 2 nodes fit: 2 have other labels");
  CHECK_FALSE(r.last["a"].lacks.is_never());
  CHECK(r.room.held_back_on(1).empty());
  CHECK(r.room.held_back_on(2).empty());
  r.add_node(3, 2, "a");
  CHECK(r.last["a"].granted == granted{2});
  CHECK(r.last["a"].nodes == "0 of 3 nodes fit: 2 have other labels, 1 lacks num_cpus");
  CHECK(r.sit("a", 1, a) == 3);
  CHECK(r.sit("a", 2, a) == 3);
  CHECK(r.sit("a", 3, a) == 0);
  r.add_node(4, 1, "a");
  CHECK(r.sat[3] == 4);
  CHECK(r.claim("b", {{cpus(1), 20, in_zone("!in(a, c)")}}) == granted{8}); // a node without the label, too
}

TEST_CASE("what no node with the labels has can never start there, however large the others are") {
  told_room r;
  r.add_node(1, 16);
  r.add_node(2, 2, "a");
  r.add_node(3, 4, "a");
  CHECK(r.claim("a", {{cpus(5), 1, in_zone("a")}}) == granted{0});
  CHECK(r.last["a"].lacks == room_shortage{"num_cpus", 5 * resource_unit, 0, 4 * resource_unit, true});
  CHECK(r.last["a"].lacks.is_never());
  CHECK(r.room.never(cpus(5), in_zone("a")).is_never());
  CHECK(r.room.never(cpus(5), in_zone("x")) == room_shortage{}); // such a node may join
  CHECK(r.room.never(cpus(5)) == room_shortage{});
  CHECK_FALSE(r.room.never(cpus(17)).by_labels);
}

TEST_CASE("preferred nodes come first, others when none of those has room") {
  told_room r;
  r.add_node(1, 4);
  r.add_node(2, 2, "a");
  shape_claim a{cpus(1), 3, {}};
  a.where.preferred = {rule("zone", "a")};
  CHECK(r.claim("a", {a}) == granted{3});
  CHECK(r.sit("a", 1, a) == 2);
  CHECK(r.sit("a", 2, a) == 2);
  CHECK(r.sit("a", 3, a) == 1);
  r.add_node(3, 2, "a");
  r.leave(1);
  CHECK(r.sit("a", 4, a) == 3); // of these the one with the fewest
}

TEST_CASE("packed replicas fill one node after the other, and leave the one with the fewest first") {
  told_room r;
  r.add_node(1, 4);
  r.add_node(2, 3);
  r.add_node(3, 4);
  shape_claim a{cpus(1), 5, {}};
  a.where.strategy = placement_strategy::pack;
  const shape_claim spread{cpus(1), 1, {}};
  CHECK(r.claim("b", {spread}) == granted{1});
  CHECK(r.sit("b", 100, spread) == 1);
  CHECK(r.claim("a", {a}) == granted{5});
  std::map<node_id, int> on;
  for (std::uint64_t place = 1; place <= 5; ++place)
    ++on[r.sit("a", place, a)];
  CHECK(on == std::map<node_id, int>{{1, 3}, {2, 2}}); // 3 of 4 are free on 1, the smallest share
  told_room unoccupied;
  unoccupied.add_node(1, 2);
  unoccupied.add_node(2, 3);
  CHECK(unoccupied.claim("a", {{cpus(1), 3, a.where}}) == granted{3});
  CHECK(unoccupied.claim("a", {{cpus(1), 2, a.where}}) == granted{2});
  CHECK(unoccupied.room.seats_on({"default", "a"}, 1) == 2);
  CHECK(unoccupied.room.seats_on({"default", "a"}, 2) == 0);
}

TEST_CASE("no node gets more than max_replicas_per_node of a deployment, of all its shapes together") {
  told_room r;
  r.add_node(1, 8);
  r.add_node(2, 8);
  const shape_claim small{cpus(1), 5, at_most_per_node(2)};
  CHECK(r.claim("a", {small}) == granted{4});
  CHECK(r.last["a"].nodes == "0 of 2 nodes fit: 2 at max_replicas_per_node");
  CHECK(r.room.held_back_on(1).empty()); // room is not what lacks
  CHECK(r.room.held_back_on(2).empty());
  CHECK(r.claim("b", {{cpus(6), 2, {}}}) == granted{2});
  for (std::uint64_t place = 1; place <= 4; ++place)
    r.sit("a", place, small);
  CHECK(r.claim("b", {{cpus(6), 0, {}}}) == granted{0});
  const shape_claim large{cpus(2), 1, at_most_per_node(2)};
  const shape_claim four{cpus(1), 4, at_most_per_node(2)};
  CHECK(r.claim("a", {large, four}) == granted{0, 4});
  CHECK(r.last["a"].spare.of(resource_name::cpus) == 2 * resource_unit); // there, once one of its own has left
  const shape_claim three{cpus(1), 3, at_most_per_node(2)};
  CHECK(r.claim("a", {large, three}, 1).empty()); // answered when one has left
  r.leave(2);
  CHECK(r.last["a"].granted == granted{1, 3});
  CHECK(r.sit("a", 5, large) == 2);
  r.add_node(3, 1);
  CHECK(r.claim("a", {large, four}) == granted{1, 4});
  CHECK(r.sit("a", 6, four) == 3);
}

TEST_CASE("revisions with other nodes are shapes of their own: neither sits on what is the other's") {
  told_room r;
  r.add_node(1, 2, "a");
  r.add_node(2, 2, "b");
  const shape_claim old{cpus(1), 2, in_zone("a")};
  CHECK(r.claim("a", {old}) == granted{2});
  CHECK(r.sit("a", 1, old) == 1);
  CHECK(r.sit("a", 2, old) == 1);
  const shape_claim fresh{cpus(1), 1, in_zone("b")};
  CHECK(r.claim("a", {fresh, old}) == granted{1, 2});
  CHECK(r.sit("a", 3, old) == 0); // what is free is the other's
  CHECK(r.sit("a", 4, fresh) == 2);
  r.leave(1);
  CHECK(r.sat[3] == 1);
}

TEST_CASE("who waits is told the node where the fewest of its own have to make way, and how many for the bound") {
  told_room r;
  r.add_node(1, 2, "a");
  r.add_node(2, 2, "b");
  const shape_claim old{cpus(1), 2, in_zone("a")};
  CHECK(r.claim("a", {old}) == granted{2});
  CHECK(r.claim("b", {{cpus(2), 1, in_zone("b")}}) == granted{1});
  CHECK(r.claim("a", {{cpus(1), 1, in_zone("b")}, old}) == granted{0, 2});
  CHECK(r.last["a"].spare_on == "n2"); // the only one, and none of its own is there
  CHECK(r.last["a"].spare.of(resource_name::cpus) == 0);
  CHECK(r.claim("a", {{cpus(1), 1, in_zone("in(a, b)")}, old}) == granted{0, 2});
  CHECK(r.last["a"].spare_on == "n1");
  CHECK(r.claim("a", {{cpus(3), 1, in_zone("in(a, b)")}, old}) == granted{0, 2}); // too large for either
  CHECK(r.last["a"].spare_on.empty());
  CHECK(r.claim("a", {{cpus(1), 1, in_zone("!b")}, old}) == granted{0, 2});
  CHECK(r.last["a"].spare_on == "n1");
  r.hear(r.room.set_state(1, node_state::cordoned));
  CHECK(r.last["a"].spare_on.empty());
  told_room many;
  many.add_node(1, 9);
  many.add_node(2, 9);
  const shape_claim five{cpus(1), 5, {}};
  CHECK(many.claim("a", {five}) == granted{5}); // 3 and 2
  CHECK(many.claim("a", {{cpus(1), 1, at_most_per_node(1)}, five}) == granted{0, 5});
  CHECK(many.last["a"].spare_on == "n2");
  CHECK(many.last["a"].must_leave == 2);
  CHECK(many.claim("a", {{cpus(1), 1, at_most_per_node(2)}, five}) == granted{0, 5});
  CHECK(many.last["a"].must_leave == 1);
}

TEST_CASE("what a wave gives back on a node that the new ones may not have is free for others") {
  told_room r;
  r.add_node(1, 2, "a");
  r.add_node(2, 1, "b");
  const shape_claim old{cpus(1), 2, in_zone("a")};
  CHECK(r.claim("a", {old}) == granted{2});
  r.sit("a", 1, old);
  r.sit("a", 2, old);
  CHECK(r.claim("c", {{cpus(1), 1, in_zone("b")}}) == granted{1});
  CHECK(r.claim("b", {{cpus(1), 1, in_zone("a")}}) == granted{0});
  r.claim("a", {{cpus(1), 1, in_zone("b")}, {cpus(1), 1, in_zone("a")}}, 1);
  r.leave(1);
  CHECK(r.last["a"].granted == granted{0, 1});
  CHECK(r.last["b"].granted == granted{1});
  CHECK(r.room.held_back_on(1).empty());
}

// -- random histories ------------------------------------------------------------------------------------------------

namespace {

class history {
public:
  history(std::uint64_t seed, wrong_seat wrong) : dice_(seed), r_(wrong) {
    for (const auto* who : names) {
      auto& x = where_[who];
      for (auto& w : x) { // two revisions
        if (below(2) == 0)
          w.required.push_back(rule("zone", below(2) == 0 ? "in(a, b)" : "!b"));
        if (below(2) == 0)
          w.preferred.push_back(rule("zone", "a"));
        w.strategy = below(2) == 0 ? placement_strategy::pack : placement_strategy::spread;
      }
      x[0].max_replicas_per_node = x[1].max_replicas_per_node =
          below(2) * (1 + below(2)); // as one: a change is tested above
    }
  }

  std::string run() {
    for (int i = 0; i < 60; ++i) {
      step();
      if (auto what = broken(); !what.empty())
        return what;
    }
    return {};
  }

private:
  static constexpr const char* names[] = {"a", "b"};
  struct sitter {
    std::string of;
    shape_claim what;
  };
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(dice_() % n); }
  shape_claim shape(const std::string& who, std::uint32_t want) {
    const auto revision = below(2);
    return {cpus(1 + revision), want, where_[who].at(revision)};
  }

  void step() {
    switch (below(7)) {
    case 0:
      if (zones_.size() < 6) {
        zones_[++last_node_] = std::vector<std::string>{"", "a", "b", "c"}[below(4)];
        r_.add_node(last_node_, 1 + below(6), zones_[last_node_]);
      }
      break;
    case 1:
      if (!zones_.empty() && below(3) == 0) {
        const auto id = std::next(zones_.begin(), below(static_cast<std::uint32_t>(zones_.size())))->first;
        std::erase_if(sitters_, [&](const auto& x) { return r_.room.node_of(x.first) == id; });
        zones_.erase(id);
        r_.hear(r_.room.remove_node(id));
      }
      break;
    case 2:
    case 3: {
      const auto* who = names[below(2)];
      std::vector<shape_claim> shapes;
      for (const std::size_t revision : {0U, 1U})
        if (below(3) != 0)
          shapes.push_back({cpus(1 + revision), below(6), where_[who].at(revision)});
      wants_[who] = shapes;
      r_.claim(who, shapes, below(3));
      break;
    }
    case 4:
    case 5: {
      const auto* who = names[below(2)];
      const auto what = shape(who, 0);
      sitters_[++last_place_] = {who, what};
      r_.sit(who, last_place_, what);
      break;
    }
    default:
      if (!sitters_.empty()) {
        const auto it = std::next(sitters_.begin(), below(static_cast<std::uint32_t>(sitters_.size())));
        const auto place = it->first;
        sitters_.erase(it);
        r_.leave(place);
      }
    }
  }

  node_labels labels_of(node_id id) const {
    const auto& zone = zones_.at(id);
    return zone.empty() ? node_labels{} : node_labels{{"zone", zone}};
  }

  std::string broken() {
    std::map<std::pair<std::string, node_id>, std::uint32_t> on;
    for (const auto& [place, x] : sitters_) {
      const auto at = r_.room.node_of(place);
      if (!at)
        continue;
      if (!suits(x.what.where, labels_of(*at)))
        return x.of + " has a replica on n" + std::to_string(*at) + ", which lacks a label";
      const auto bound = x.what.where.max_replicas_per_node;
      if (const auto n = ++on[{x.of, *at}]; bound > 0 && n > bound)
        return x.of + " has " + std::to_string(n) + " replicas on n" + std::to_string(*at);
    }
    return waits_in_vain();
  }

  // Who waits and was answered finds no node that is free, suits and is below the bound, as seats are counted there.
  std::string waits_in_vain() {
    for (const auto& name : r_.room.waiting()) {
      const auto told = r_.last.find(name.name);
      if (told == r_.last.end())
        continue;
      const auto& shapes = wants_[name.name];
      for (std::size_t i = 0; i < shapes.size(); ++i) {
        if (told->second.granted.at(i) >= shapes[i].want)
          continue;
        for (const auto& x : r_.room.report().nodes) {
          const auto id = static_cast<node_id>(std::stoull(x.node.substr(1)));
          auto all = x.used;
          add(all, r_.room.held_back_on(id));
          add(all, shapes[i].each);
          const auto bound = shapes[i].where.max_replicas_per_node;
          if (fits(all, x.total) && suits(shapes[i].where, labels_of(id)) &&
              (bound == 0 || r_.room.seats_on(name, id) < bound))
            return name.name + " waits, and " + x.node + " has what it needs";
        }
      }
    }
    return {};
  }

  std::mt19937_64 dice_;
  told_room r_;
  std::map<std::string, std::array<placement_options, 2>> where_;
  std::map<node_id, std::string> zones_;
  std::map<std::uint64_t, sitter> sitters_;
  std::map<std::string, std::vector<shape_claim>> wants_;
  node_id last_node_ = 0;
  std::uint64_t last_place_ = 0;
};

} // namespace

TEST_CASE("2000 random histories keep labels") { cluster_room_test::all_histories_are_sound<history>(); }

TEST_CASE("and notice who does not look at labels, or at the bound") {
  cluster_room_test::histories_notice<history>({wrong_seat::ignores_labels, wrong_seat::ignores_bound});
}

} // namespace troupe::cluster_room_placement_test
