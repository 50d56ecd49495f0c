// Which sessions move when replicas come and go.
#include <troupe/actors/router/session_table.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

using namespace troupe;

namespace {

constexpr std::uint64_t sessions = 11'000;

/// Keys as the router makes them: well mixed (splitmix64).
constexpr std::uint64_t key_of_session(std::uint64_t i) {
  auto z = i * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

struct table : session_table {
  explicit table(std::uint32_t replicas) {
    grow(200'000);
    for (std::uint32_t i = 0; i < replicas; ++i)
      add(i);
  }
  std::vector<std::uint32_t> all() const {
    std::vector<std::uint32_t> result;
    for (std::uint64_t i = 0; i < sessions; ++i)
      result.push_back(choose(key_of_session(i)));
    return result;
  }
};

std::size_t count(const std::vector<std::uint32_t>& owners, std::uint32_t which) {
  return static_cast<std::size_t>(std::count(owners.begin(), owners.end(), which));
}

/// Sessions that were not on `without` and are elsewhere now.
std::size_t moved(const std::vector<std::uint32_t>& before, const std::vector<std::uint32_t>& after,
                  std::uint32_t without = session_table::none) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    n += before[i] != without && before[i] != after[i] ? 1U : 0U;
  return n;
}

} // namespace

TEST_CASE("from 10 to 11 replicas one session in eleven moves, all to the new one, and back again") {
  table t{10};
  const auto before = t.all();
  t.add(10);
  const auto after = t.all();
  CHECK(moved(before, after) == count(after, 10));
  CHECK(count(after, 10) > 900); // of 11,000; 1000 on average
  CHECK(count(after, 10) < 1100);
  t.remove(10);
  CHECK(t.all() == before);
}

TEST_CASE("sessions are spread evenly, also when replicas have gone") {
  table t{100};
  for (std::uint32_t i = 0; i < 90; ++i)
    t.remove(i);
  const auto owners = t.all();
  for (std::uint32_t i = 90; i < 100; ++i) {
    CHECK(count(owners, i) > 1000); // 1100 on average
    CHECK(count(owners, i) < 1200);
  }
}

TEST_CASE("a replica that dies moves its own sessions and as many again") {
  table t{10};
  const auto before = t.all();
  t.remove(3);
  const auto after = t.all();
  CHECK(count(after, 3) == 0);
  // Of those of the one that took its place one in nine happens to stay there.
  CHECK(moved(before, after, 3) < count(before, 9));
  CHECK(moved(before, after, 3) > count(before, 9) * 8 / 10);
}

TEST_CASE("a replacement in a rollout takes over just the sessions of the one that goes") {
  table t{10};
  const auto before = t.all();
  t.add(10);
  t.remove(4);
  const auto after = t.all();
  CHECK(moved(before, after, 4) == 0);
  CHECK(count(after, 10) == count(before, 4));
}

TEST_CASE("without replicas a session has none, and with one it has that") {
  table t{0};
  CHECK(t.choose(1) == session_table::none);
  t.add(7);
  CHECK(t.choose(1) == 7);
  t.remove(7);
  CHECK(t.choose(1) == session_table::none);
}

TEST_CASE("100,000 replicas are found, too") {
  table t{100'000};
  std::map<std::uint32_t, int> seen;
  for (const auto owner : t.all()) {
    REQUIRE(owner < 100'000);
    ++seen[owner];
  }
  CHECK(seen.size() > 10'000); // 11,000 less those that share one by chance: about 600
}
