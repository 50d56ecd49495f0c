// Room on nodes: who gets seats, who sits where, what is set aside, and random histories of all of it.
// long file: the rules by example, and the model that random histories are checked by
#include "random_histories.hpp"
#include <troupe/actors/controller/cluster_room.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace troupe::cluster_room_test {

using namespace troupe;
using namespace troupe::controller;

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

joining_node node(node_id id, std::uint64_t has, node_state state = node_state::ready) {
  return {id, "n" + std::to_string(id), {}, cpus(has), state};
}

struct shape_want {
  std::uint64_t cpus_each = 1;
  std::uint32_t want = 0;
};

/// A room, and what everybody was told last.
struct told_room {
  explicit told_room(std::uint32_t max_replicas = 0, wrong_seat wrong = wrong_seat::none) : room(max_replicas, wrong) {}

  void hear(const std::vector<grant>& all) {
    for (const auto& g : all)
      if (g.what.seq == seqs[g.to.name]) {
        CHECK(g.what.serial >
              (last.count(g.to.name) && last[g.to.name].seq == g.what.seq ? last[g.to.name].serial : 0));
        last[g.to.name] = g.what;
      }
    for (const auto& x : room.take_seated())
      sat[x.place] = x.node;
  }
  std::vector<std::uint32_t> claim(const std::string& who, const std::vector<shape_want>& shapes,
                                   std::uint32_t reserve = 0) {
    claim_room c{{"default", who}, ++seqs[who], {}, reserve};
    for (const auto& s : shapes)
      c.shapes.push_back({cpus(s.cpus_each), s.want, {}});
    last.erase(who);
    const auto out = room.claim(c);
    hear(out);
    if (!is_answered(who))
      return {};
    CHECK(out.front().to.name == who);
    return last[who].granted;
  }
  bool is_answered(const std::string& who) const { return last.count(who) > 0; }
  node_id sit(const std::string& who, std::uint64_t place, std::uint64_t cpus_each = 1) {
    hear(room.take_seat({"default", who}, {cpus(cpus_each), 0, {}}, place));
    return sat.count(place) ? sat[place] : 0;
  }
  void leave(std::uint64_t place) {
    sat.erase(place);
    hear(room.leave_seat(place));
  }
  std::uint32_t used(node_id id) const {
    for (const auto& x : room.report().nodes)
      if (x.node == "n" + std::to_string(id))
        return static_cast<std::uint32_t>(x.used.of(resource_name::cpus) / resource_unit);
    return 0;
  }

  cluster_room room;
  std::map<std::string, std::uint64_t> seqs;
  std::map<std::string, room_granted> last;
  std::map<std::uint64_t, node_id> sat;
};

using granted = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("replicas are spread over nodes, and never more than a node has") {
  told_room r;
  CHECK(r.claim("a", {{1, 4}}) == granted{0});
  CHECK(r.last["a"].lacks.resource == "node");
  CHECK_FALSE(r.last["a"].lacks.is_never());
  CHECK(r.last["a"].nodes == "no node has joined");
  r.hear(r.room.add_node(node(1, 2)));
  CHECK(r.last["a"].granted == granted{2});
  CHECK(r.last["a"].lacks == room_shortage{"num_cpus", resource_unit, 0, 2 * resource_unit});
  CHECK(r.last["a"].nodes == "0 of 1 node fits: 1 lacks num_cpus");
  r.hear(r.room.add_node(node(2, 4)));
  CHECK(r.last["a"].granted == granted{4});
  CHECK(r.used(1) == 2);
  CHECK(r.used(2) == 2);
  CHECK(r.last["a"].nodes.empty());
  CHECK(r.claim("b", {{3, 1}}) == granted{0});
  CHECK(r.last["b"].spare.of("num_cpus") == 2 * resource_unit);
  CHECK(r.claim("c", {{9, 1}}) == granted{0});
  CHECK(r.last["c"].lacks.is_never());
  CHECK(r.claim("d", {{0, 3}}) == granted{3}); // asks for nothing
}

TEST_CASE("a replica sits where its deployment has the fewest, and gives its seat to the next one") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  r.hear(r.room.add_node(node(2, 4)));
  CHECK(r.claim("a", {{1, 4}}) == granted{4});
  CHECK(r.sit("a", 1) == 1);
  CHECK(r.sit("a", 2) == 2);
  CHECK(r.sit("a", 3) == 1);
  CHECK(r.sit("a", 4) == 2);
  CHECK(r.sit("a", 5) == 0); // there is no fifth
  CHECK(r.sit("a", 6) == 0);
  r.leave(3);
  CHECK(r.sat[5] == 1);
  r.leave(6);
  r.leave(6); // said twice
  r.leave(5);
  CHECK(r.sit("a", 7) == 1);
  CHECK(r.room.node_of(7) == node_id{1});
  CHECK(r.room.node_of(5) == std::nullopt);
}

TEST_CASE("what replaces others is spread over the nodes that there are by now") {
  told_room r;
  r.hear(r.room.add_node(node(1, 16)));
  CHECK(r.claim("a", {{1, 6}}) == granted{6});
  for (std::uint64_t place = 1; place <= 6; ++place)
    CHECK(r.sit("a", place) == 1);
  r.hear(r.room.add_node(node(2, 16)));
  r.hear(r.room.add_node(node(3, 16)));
  CHECK(r.claim("a", {{1, 7}}) == granted{7}); // one more while they are replaced
  std::map<node_id, int> on;
  for (std::uint64_t place = 7; place <= 12; ++place) {
    ++on[r.sit("a", place)];
    r.leave(place - 6);
  }
  CHECK(on == std::map<node_id, int>{{1, 2}, {2, 2}, {3, 2}});
}

TEST_CASE("a lower want takes no seat from under a replica") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  CHECK(r.claim("a", {{1, 4}}) == granted{4});
  for (std::uint64_t place = 1; place <= 3; ++place)
    r.sit("a", place);
  CHECK(r.claim("a", {{1, 1}}) == granted{1});
  CHECK(r.used(1) == 3);
  CHECK(r.claim("b", {{1, 4}}) == granted{1});
  r.leave(2);
  CHECK(r.last["b"].granted == granted{2});
  r.leave(1);
  CHECK(r.last["b"].granted == granted{3});
  r.leave(3);
  CHECK(r.last["b"].granted == granted{3}); // the seat is wanted
  CHECK(r.sit("a", 4) == 1);
}

TEST_CASE("a node that goes takes its seats along; what is wanted comes elsewhere, behind those who wait") {
  told_room r;
  r.hear(r.room.add_node(node(1, 2)));
  r.hear(r.room.add_node(node(2, 2)));
  CHECK(r.claim("a", {{1, 4}}) == granted{4});
  for (std::uint64_t place = 1; place <= 4; ++place)
    r.sit("a", place);
  CHECK(r.claim("b", {{1, 1}}) == granted{0});
  r.hear(r.room.remove_node(1));
  CHECK(r.last["a"].granted == granted{2});
  CHECK(r.room.node_of(1) == std::nullopt);
  r.leave(1); // it is told as dead after that
  r.hear(r.room.remove_node(1));
  r.hear(r.room.add_node(node(3, 3)));
  CHECK(r.last["b"].granted == granted{1});
  CHECK(r.last["a"].granted == granted{4});
  CHECK(r.sit("a", 5) == 3);
  CHECK(r.sit("a", 6) == 3);
}

TEST_CASE("a node that takes no new replicas keeps those that are there, and only these") {
  for (const auto state : {node_state::cordoned, node_state::draining, node_state::suspect}) {
    told_room r;
    r.hear(r.room.add_node(node(1, 4)));
    CHECK(r.claim("a", {{1, 4}}) == granted{4});
    CHECK(r.sit("a", 1) == 1);
    CHECK(r.sit("a", 2) == 1);
    r.hear(r.room.set_state(1, state));
    CHECK(r.last["a"].granted == granted{2});
    CHECK(r.sit("a", 3) == 0);
    r.leave(1);
    CHECK(r.last["a"].granted == granted{1});
    r.hear(r.room.add_node(node(2, 8)));
    CHECK(r.last["a"].granted == granted{4});
    CHECK(r.sat[3] == 2);
    r.hear(r.room.set_state(1, node_state::ready));
    CHECK(r.used(1) == 1);
  }
}

TEST_CASE("what the oldest claim waits for is set aside on one node") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  r.hear(r.room.add_node(node(2, 4)));
  CHECK(r.claim("a", {{1, 6}}) == granted{6});
  CHECK(r.claim("b", {{2, 1}}) == granted{0});
  CHECK(r.room.held_back_on(1) == cpus(1));
  CHECK(r.claim("c", {{1, 2}}) == granted{1});
  CHECK(r.claim("a", {{1, 5}}) == granted{5}); // on node 2
  CHECK(r.last["c"].granted == granted{2});
  CHECK(r.last["b"].granted == granted{0});
  CHECK(r.claim("a", {{1, 4}}) == granted{4});
  CHECK(r.last["b"].granted == granted{1});
}

TEST_CASE("what a wave gives back is kept where it was, for the wave") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  CHECK(r.claim("a", {{1, 4}}) == granted{4});
  for (std::uint64_t place = 1; place <= 4; ++place)
    r.sit("a", place);
  CHECK(r.claim("b", {{1, 4}}) == granted{0});
  CHECK(r.claim("a", {{2, 1}, {1, 3}}, 1).empty()); // one of 2 is to take the place of two of 1; answered when one left
  r.leave(1);
  CHECK(r.last["a"].granted == granted{0, 3});
  CHECK(r.room.held_back_on(1) == cpus(1));
  CHECK(r.last["b"].granted == granted{0});
  CHECK(r.claim("a", {{2, 1}, {1, 2}}, 1).empty());
  r.leave(2);
  CHECK(r.last["a"].granted == granted{1, 2});
  CHECK(r.last["b"].granted == granted{0});
  CHECK(r.claim("a", {{2, 1}, {1, 0}}) == granted{1, 0}); // the wave is over
  r.leave(3);
  CHECK(r.last["b"].granted == granted{1});
  CHECK(r.room.held_back_on(1).empty());
}

TEST_CASE("a wave to other amounts is told the node where the fewest of its own have to go") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  CHECK(r.claim("b", {{1, 3}}) == granted{3});
  r.hear(r.room.add_node(node(2, 4)));
  CHECK(r.claim("a", {{1, 5}}) == granted{5}); // one on node 1, four on node 2
  for (std::uint64_t place = 1; place <= 4; ++place)
    r.sit("a", place);
  CHECK(r.claim("a", {{3, 1}, {1, 5}}) == granted{0, 5});
  CHECK(r.last["a"].spare_on == "n2"); // on node 1 is one of them
  CHECK(r.last["a"].idle_there == granted{0, 1});
  r.sit("a", 5);
  CHECK(r.last["a"].idle_there.empty());
  CHECK(r.claim("c", {{1, 1}}) == granted{0});
  CHECK(r.last["c"].spare_on == "n1");
}

TEST_CASE("what a wave frees is not for replicas of the old amounts that wait for a seat") {
  told_room r;
  r.hear(r.room.add_node(node(1, 3)));
  CHECK(r.claim("a", {{2, 2}}) == granted{1});
  CHECK(r.sit("a", 1, 2) == 1);
  CHECK(r.sit("a", 2, 2) == 0);                     // it waits
  CHECK(r.claim("a", {{3, 1}, {2, 1}}, 1).empty()); // 1 has ended, its word is on the way
  r.leave(1);
  CHECK(r.last["a"].granted == granted{1, 0});
  CHECK(r.sit("a", 3, 3) == 1);
  CHECK(r.room.node_of(2) == std::nullopt);
}

TEST_CASE("a claim is answered when one that waited for a seat gives up") {
  told_room r;
  r.hear(r.room.add_node(node(1, 1)));
  CHECK(r.claim("a", {{2, 1}}) == granted{0});
  CHECK(r.sit("a", 1, 2) == 0);
  CHECK(r.claim("a", {{3, 1}, {2, 0}}).empty());
  r.leave(1);
  CHECK(r.last["a"].granted == granted{0, 0});
}

TEST_CASE("what a node brings is taken up by replicas of its kind, in seats for those who lack room") {
  told_room r;
  r.hear(r.room.await_nodes(true));
  CHECK(r.claim("a", {{1, 3}}).empty()); // not answered before the nodes are back
  const replica_kind one{{"default", "a"}, cpus(1), {}, 1}, two{{"default", "a"}, cpus(1), {}, 2};
  r.hear(r.room.add_node(node(1, 2, node_state::suspect)));
  r.hear(r.room.bring(1, {one, two}));
  r.hear(r.room.add_node(node(3, 8)));
  CHECK_FALSE(r.is_answered("a"));
  CHECK(r.used(3) == 0);
  r.hear(r.room.add_node(node(2, 2, node_state::suspect)));
  r.hear(r.room.bring(2, {one, one}));
  CHECK(r.last["a"].granted == granted{3});
  CHECK(r.room.adoption_over(1) == std::nullopt);
  r.hear(r.room.await_nodes(false));
  CHECK(r.used(1) == 2);
  CHECK(r.used(2) == 1);
  r.hear(r.room.take_seat(two, 1));
  CHECK(r.sat[1] == 1);
  r.hear(r.room.take_seat(one, 2));
  CHECK(r.sat[2] == 1);
  CHECK(r.room.adoption_over(1) == 2U);
  r.hear(
      r.room.take_seat({{"default", "a"}, cpus(1), {}, 3}, 3)); // like nothing that is there: not on a node that joins
  CHECK(r.sat[3] == 3);
  CHECK(r.room.adoption_over(2) == 0U);
  r.hear(r.room.set_state(2, node_state::ready));
  CHECK(r.room.adoption_over(2) == std::nullopt);
  CHECK(r.claim("a", {{1, 5}}) == granted{5});
}

TEST_CASE("of what a node brings only as much is taken up as is wanted, and nothing is placed there beside it") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  CHECK(r.claim("a", {{1, 2}}) == granted{2});
  r.hear(r.room.add_node(node(2, 8, node_state::suspect)));
  r.hear(r.room.bring(2, std::vector<replica_kind>(5, replica_kind{{"default", "a"}, cpus(1), {}, 1})));
  CHECK(r.used(2) == 0);
  CHECK(r.room.adoption_over(2) == 0U);
  CHECK(r.claim("a", {{1, 6}}) == granted{6}); // first what is there already
  CHECK(r.used(2) == 4);
  CHECK(r.claim("b", {{1, 4}}) == granted{2});
  r.hear(r.room.remove_node(2));
  CHECK(r.last["a"].granted == granted{2});
}

TEST_CASE("the bound on replicas is one of the whole cluster") {
  told_room r{3};
  r.hear(r.room.add_node(node(1, 8)));
  r.hear(r.room.add_node(node(2, 8)));
  CHECK(r.claim("a", {{1, 2}}) == granted{2});
  CHECK(r.claim("b", {{0, 2}}) == granted{1});
  CHECK(r.last["b"].lacks == room_shortage{"max_replicas", 1, 0, 3});
  CHECK(r.claim("a", {{1, 1}}) == granted{1});
  CHECK(r.last["b"].granted == granted{2});
  r.hear(r.room.remove_node(1));
  r.hear(r.room.forget({"default", "a"}));
  r.hear(r.room.forget({"default", "b"}));
  CHECK(r.claim("c", {{1, 5}}) == granted{3});
}

TEST_CASE("replicas that outlive their deployment's state actor keep their seats") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  CHECK(r.claim("a", {{1, 4}}) == granted{4});
  r.sit("a", 1);
  r.sit("a", 2);
  r.sit("a", 3);
  r.hear(r.room.hand_over({"default", "a"}, {{"default", "a#"}, 1, {{cpus(1), 2}}, 0}));
  CHECK_FALSE(r.room.knows({"default", "a"}));
  CHECK(r.used(1) == 3); // the third is on its way out
  r.seqs["a"] = 0;
  r.last.erase("a");
  CHECK(r.claim("a", {{1, 4}}) == granted{1});
  r.leave(3);
  CHECK(r.last["a"].granted == granted{2});
  r.seqs["a#"] = 1;
  r.leave(1);
  r.claim("a#", {{1, 1}});
  CHECK(r.last["a"].granted == granted{3});
  r.leave(2);
  r.hear(r.room.forget({"default", "a#"}));
  CHECK(r.last["a"].granted == granted{4});
}

TEST_CASE("and wait for nothing, also when their node is lost") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  r.claim("a", {{1, 2}});
  r.sit("a", 1);
  r.hear(r.room.hand_over({"default", "a"}, {{"default", "a#"}, 1, {{cpus(1), 2}}, 0}));
  r.hear(r.room.remove_node(1));
  CHECK(r.room.waiting().empty());
  r.hear(r.room.add_node(node(2, 4)));
  CHECK(r.room.seats({"default", "a#"}) == 0);
}

TEST_CASE("what a satisfied claim gives back is free, whatever its wave") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  r.claim("a", {{2, 1}, {1, 2}});
  CHECK(r.claim("a", {{2, 1}, {1, 1}}, 1) == granted{1, 1});
  CHECK(r.room.held_back_on(1).empty());
  CHECK(r.claim("b", {{1, 1}}) == granted{1});
}

TEST_CASE("a claim that no node can hold takes none of max_replicas aside") {
  told_room r{2};
  r.hear(r.room.add_node(node(1, 4)));
  r.claim("a", {{9, 1}});
  CHECK(r.claim("b", {{1, 2}}) == granted{2});
}

TEST_CASE("who waits for CPUs is not told that a slot lacks: its own is set aside for it") {
  told_room r{2};
  r.hear(r.room.add_node(node(1, 4)));
  r.claim("a", {{3, 1}});
  CHECK(r.claim("b", {{2, 1}}) == granted{0});
  CHECK(r.last["b"].lacks.resource == "num_cpus");
  CHECK(r.last["b"].spare.of("max_replicas") == 1);
}

TEST_CASE("copied and reordered claims change nothing") {
  told_room r;
  r.hear(r.room.add_node(node(1, 4)));
  CHECK(r.claim("a", {{1, 2}}) == granted{2});
  CHECK(r.room.claim({{"default", "a"}, 1, {{cpus(1), 4}}, 0}).empty());
  CHECK(r.room.claim({{"default", "a"}, 0, {{cpus(1), 4}}, 0}).empty());
  CHECK(r.used(1) == 2);
}

// -- random histories ------------------------------------------------------------------------------------------------

namespace {

/// The first invariant that does not hold, or nothing.
class history {
public:
  history(std::uint64_t seed, wrong_seat wrong)
      : dice_(seed), r_(seed % 3 == 0 ? 12 : 0, wrong), bound_(seed % 3 == 0) {}

  std::string run() {
    for (int i = 0; i < 60; ++i) {
      step();
      if (auto what = broken(); !what.empty())
        return what;
    }
    for (const auto& [place, who] : std::map{places_})
      r_.leave(place);
    for (const auto& [who, seq] : r_.seqs)
      if (!r_.is_answered(who))
        return who + " got no answer";
    for (const auto* who : names)
      r_.hear(r_.room.forget({"default", who}));
    for (const auto& x : r_.room.report().nodes)
      if (!x.used.empty())
        return "something is left on " + x.node;
    return {};
  }

private:
  static constexpr const char* names[] = {"a", "b", "c"};
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(dice_() % n); }

  void step() {
    switch (below(9)) {
    case 0:
      if (nodes_.size() < 5) {
        nodes_[++last_node_] = {1 + below(6), true};
        r_.hear(r_.room.add_node(node(last_node_, nodes_[last_node_].first)));
      }
      break;
    case 1:
      if (!nodes_.empty() && below(2) == 0) {
        const auto it = std::next(nodes_.begin(), below(static_cast<std::uint32_t>(nodes_.size())));
        const auto id = it->first;
        nodes_.erase(it);
        std::erase_if(places_, [&](const auto& x) {
          const bool is_there = r_.room.node_of(x.first) == id;
          if (is_there)
            lost_.insert(x.first);
          return is_there;
        });
        r_.hear(r_.room.remove_node(id));
      }
      break;
    case 2:
      if (!nodes_.empty()) {
        const auto it = std::next(nodes_.begin(), below(static_cast<std::uint32_t>(nodes_.size())));
        it->second.second = below(3) != 0;
        r_.hear(r_.room.set_state(it->first, it->second.second ? node_state::ready : node_state::draining));
      }
      break;
    case 3:
    case 4:
    case 5: {
      const auto* who = names[below(3)];
      std::vector<shape_want> shapes;
      for (const auto each : {below(3), 3 + below(2)})
        if (below(3) != 0)
          shapes.push_back({each, below(7)});
      const auto reserve = below(3);
      wants_[who] = shapes;
      r_.claim(who, shapes, reserve);
      break;
    }
    case 6:
    case 7: {
      const auto* who = names[below(3)];
      const auto each = below(5);
      places_[++last_place_] = who;
      each_[last_place_] = each;
      r_.sit(who, last_place_, each);
      break;
    }
    default:
      if (!places_.empty()) {
        const auto it = std::next(places_.begin(), below(static_cast<std::uint32_t>(places_.size())));
        const auto place = it->first;
        places_.erase(it);
        r_.leave(place);
      }
    }
  }

  std::string broken() {
    std::map<std::string, std::uint64_t> occupied; // CPUs by node
    std::map<std::string, std::uint32_t> told;
    for (const auto& [place, who] : places_)
      if (const auto on = r_.room.node_of(place)) {
        if (nodes_.count(*on) == 0)
          return "a place is on a node that is gone";
        occupied["n" + std::to_string(*on)] += each_[place];
      }
    for (const auto place : lost_)
      if (r_.room.node_of(place))
        return "a place on a node that is gone has a seat";
    for (const auto& x : r_.room.report().nodes) {
      auto all = x.used;
      const auto id = static_cast<node_id>(std::stoull(x.node.substr(1)));
      add(all, r_.room.held_back_on(id));
      if (!fits(all, x.total))
        return "more than " + x.node + " has";
      const auto used = x.used.of(resource_name::cpus) / resource_unit;
      if (used < occupied[x.node])
        return "replicas without a seat on " + x.node;
      if (!nodes_[id].second && used != occupied[x.node])
        return "an unoccupied seat on " + x.node + ", which takes no new replicas";
    }
    std::uint32_t seats = 0;
    for (const auto* who : names) {
      const deployment_name name{"default", who};
      seats += r_.room.seats(name);
      if (r_.seqs.count(who) > 0 && !r_.is_answered(who)) {
        if (!has_more_than_it_wants(who))
          return std::string{who} + " gets no answer";
        continue;
      }
      std::uint32_t sum = 0;
      for (std::size_t i = 0; i < wants_[who].size(); ++i) {
        const auto has = r_.last[who].granted.at(i);
        sum += has;
        if (has > wants_[who][i].want)
          return std::string{"more is told than "} + who + " wants";
        if (has < wants_[who][i].want && !contains(r_.room.waiting(), name))
          return std::string{who} + " lacks room and does not wait";
      }
      if (sum != r_.room.granted(name))
        return std::string{"what "} + who + " was told is not what it has";
    }
    if (bound_ && seats > 12)
      return "more than max_replicas";
    return overtaken();
  }

  /// Replicas on nodes, of some shape.
  bool has_more_than_it_wants(const std::string& who) {
    std::map<std::uint64_t, std::int64_t> more;
    for (const auto& [place, of] : places_)
      if (of == who) // whether it has a seat or waits for one
        ++more[each_[place]];
    for (const auto& x : wants_[who])
      more[x.cpus_each] -= x.want;
    return std::any_of(more.begin(), more.end(), [](const auto& x) { return x.second > 0; });
  }

  static bool contains(const std::vector<deployment_name>& all, const deployment_name& x) {
    return std::find(all.begin(), all.end(), x) != all.end();
  }

  /// The oldest that waits: its next replica fits nowhere, and something is set aside for it where anything is free.
  std::string overtaken() {
    const auto waiting = r_.room.waiting();
    if (waiting.empty())
      return {};
    const auto& who = waiting.front().name;
    if (!r_.is_answered(who))
      return {};
    const auto& told = r_.last[who];
    std::size_t next = 0;
    while (next < told.granted.size() && told.granted[next] >= wants_[who][next].want)
      ++next;
    if (next == told.granted.size() || wants_[who][next].cpus_each == 0 || told.lacks.resource == "max_replicas" ||
        told.lacks.is_never())
      return {};
    const auto need = wants_[who][next].cpus_each * resource_unit;
    std::uint64_t aside = 0, least_free = ~std::uint64_t{0};
    for (const auto& x : r_.room.report().nodes) {
      const auto id = static_cast<node_id>(std::stoull(x.node.substr(1)));
      const auto held = r_.room.held_back_on(id).of(resource_name::cpus);
      const auto total = x.total.of(resource_name::cpus), used = x.used.of(resource_name::cpus);
      aside += held;
      if (!nodes_[id].second || total < need)
        continue;
      least_free = std::min(least_free, total - used);
      if (total - used - held >= need)
        return who + " waits for what is free";
    }
    const bool is_any = least_free != ~std::uint64_t{0};
    return is_any && least_free > 0 && aside == 0 ? "nothing is set aside for who waits longest" : "";
  }

  std::mt19937_64 dice_;
  told_room r_;
  const bool bound_;
  std::map<node_id, std::pair<std::uint32_t, bool>> nodes_; ///< CPUs, and whether it is ready.
  std::map<std::uint64_t, std::string> places_;
  std::set<std::uint64_t> lost_;
  std::map<std::uint64_t, std::uint32_t> each_;
  std::map<std::string, std::vector<shape_want>> wants_;
  node_id last_node_ = 0;
  std::uint64_t last_place_ = 0;
};

} // namespace

TEST_CASE("2000 random histories keep the invariants") { all_histories_are_sound<history>(); }

TEST_CASE("and notice wrong rules") {
  histories_notice<history>(
      {wrong_seat::sets_nothing_aside, wrong_seat::tells_all_seats, wrong_seat::keeps_lost, wrong_seat::keeps_closed});
}

} // namespace troupe::cluster_room_test
