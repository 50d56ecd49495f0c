// What nodes are told of replicas: whole at first, then changes, each once.
#include <troupe/actors/nodes/route_book.hpp>

#include <doctest/doctest.h>

namespace troupe::route_book_test {

using namespace troupe;
using namespace troupe::nodes;

const deployment_name a{"default", "a"}, b{"default", "b"};

struct book : route_book {
  const std::map<std::uint64_t, peer_address> peers{{100, {100, "n1", "h1", 1}}, {200, {200, "n2", "h2", 2}}};

  void about(const deployment_name& name, std::uint32_t max_ongoing = 5) {
    deployment_routed x;
    x.target = name;
    x.max_ongoing = max_ongoing;
    x.signatures = {7};
    set(std::move(x));
  }
  std::map<std::uint64_t, replica_sets> told() { return take(peers); }
};

std::vector<std::uint64_t> numbers(const std::vector<replica_route>& all) {
  std::vector<std::uint64_t> out;
  for (const auto& x : all)
    out.push_back(x.replica);
  return out;
}

using list = std::vector<std::uint64_t>;

TEST_CASE("who begins to watch is told all, then changes, each on top of what it was told before") {
  book k;
  k.about(a);
  k.open(a, {1, 100, 11});
  k.open(a, {2, 200, 21});
  CHECK(k.told().empty());
  k.watch(1, {a});
  auto x = k.told();
  REQUIRE(x.size() == 1);
  REQUIRE(x.at(1).sets.size() == 1);
  const auto whole = x.at(1).sets[0];
  CHECK(whole.after == 0);
  CHECK(whole.epoch != 0);
  CHECK(whole.refusal.empty());
  CHECK(whole.signatures == list{7});
  CHECK(numbers(whole.opened) == list{1, 2});
  CHECK(x.at(1).peers.size() == 2);
  CHECK_FALSE(k.has_news());
  CHECK(k.told().empty());

  k.watch(2, {a});
  k.open(a, {3, 100, 12});
  k.close(a, 1);
  x = k.told();
  REQUIRE(x.size() == 2);
  const auto change = x.at(1).sets.at(0);
  CHECK(change.after == whole.epoch);
  CHECK(change.epoch > whole.epoch);
  CHECK(numbers(change.opened) == list{3});
  CHECK(numbers(change.closed) == list{1});
  REQUIRE(x.at(1).peers.size() == 1);
  CHECK(x.at(1).peers[0].name == "n1");
  CHECK(x.at(2).sets.size() == 1); // whole, and nothing besides
  CHECK(numbers(x.at(2).sets[0].opened) == list{2, 3});
}

TEST_CASE("what opens and closes between two messages is not told as open") {
  book k;
  k.about(a);
  k.watch(1, {a});
  k.told();
  k.open(a, {1, 100, 11});
  k.open(a, {1, 100, 11});
  k.close(a, 1);
  k.close(a, 1);
  const auto x = k.told();
  CHECK(x.at(1).sets.at(0).opened.empty());
  CHECK(numbers(x.at(1).sets.at(0).closed) == list{1});
}

TEST_CASE("a deployment that is not there is refused, one that is deleted closes; the name may come again") {
  book k;
  k.watch(1, {a, b});
  auto x = k.told();
  REQUIRE(x.at(1).sets.size() == 2);
  CHECK(x.at(1).sets[0].refusal == "there is no deployment a");
  k.about(a);
  k.open(a, {1, 100, 11});
  CHECK(k.told().at(1).sets.at(0).refusal.empty());
  k.forget(a);
  x = k.told();
  CHECK(numbers(x.at(1).sets.at(0).closed) == list{1});
  CHECK(x.at(1).sets[0].refusal == "there is no deployment a");
  CHECK(x.at(1).sets[0].signatures.empty());
  k.about(a, 3);
  CHECK(k.told().at(1).sets.at(0).max_ongoing == 3);
}

TEST_CASE("a node that is gone is told nothing; epochs of a later membership are higher") {
  book k;
  k.about(a);
  k.watch(1, {a});
  const auto first = k.told().at(1).sets.at(0).epoch;
  k.forget_node(1);
  k.about(a, 4);
  CHECK(k.told().empty());
  k.watch(2, {a});
  CHECK(k.told().at(2).sets.at(0).epoch > first);

  book again; // the controller of a later run, which goes on with ids of nodes
  again.about(a);
  again.watch(3, {a});
  CHECK(again.told().at(3).sets.at(0).epoch > first);
}

} // namespace troupe::route_book_test
