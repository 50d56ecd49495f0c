// Choosing a replica, waiting, order, bounds, refusing.
#include "router_fixture.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::router_test;

TEST_CASE("requests wait in order of arrival until there is a replica") {
  world w{{.max_ongoing = 3}};
  for (std::uint64_t i = 0; i < 5; ++i)
    w.send(i);
  CHECK(w.calls->queued() == 5);
  auto& c = w.replica();
  CHECK(w.calls->queued() == 2);
  CHECK(w.calls->ongoing() == 3);
  auto begun = w.take(c);
  CHECK(world::numbers(begun) == list{0, 1, 2});
  answer(begun[1]);
  CHECK(w.answered(1));
  CHECK(world::numbers(w.take(c)) == list{3});
  CHECK(w.calls->queued() == 1);
}

TEST_CASE("a router never exceeds max_ongoing_requests and fills every replica") {
  world w{{.max_ongoing = 5}};
  for (int i = 0; i < 20; ++i)
    w.replica();
  for (std::uint64_t i = 0; i < 150; ++i)
    w.send(i);
  CHECK(w.calls->ongoing() == 100);
  CHECK(w.calls->queued() == 50);
  for (auto* c : w.cells)
    CHECK(c->in_flight() == 5);
}

TEST_CASE("power of two choices keeps replicas close to each other") {
  world w{{.max_ongoing = 1000}};
  for (int i = 0; i < 50; ++i)
    w.replica();
  for (std::uint64_t i = 0; i < 5000; ++i)
    w.send(i);
  for (auto* c : w.cells) { // 100 on average; one random choice would spread about +- 25
    CHECK(c->in_flight() >= 90);
    CHECK(c->in_flight() <= 108);
  }
}

TEST_CASE("the same seed makes the same choices") {
  const auto choices = [](std::uint64_t seed) {
    world w{{.max_ongoing = 100}, seed};
    for (int i = 0; i < 7; ++i)
      w.replica();
    for (std::uint64_t i = 0; i < 100; ++i)
      w.send(i);
    std::vector<list> result;
    for (auto* c : w.cells)
      result.push_back(world::numbers(w.take(*c)));
    return result;
  };
  CHECK(choices(5) == choices(5));
  CHECK(choices(5) != choices(6));
}

TEST_CASE("a new request goes behind those that wait, a released slot serves the oldest") {
  world w{{.max_ongoing = 1}};
  auto& c = w.replica();
  w.send(0);
  w.send(1);
  w.send(2);
  list order;
  for (std::uint64_t next = 3; next < 10; ++next) {
    auto begun = w.take(c);
    REQUIRE(begun.size() == 1);
    order.push_back(number_of(begun[0]));
    w.send(next);
    answer(begun[0]);
  }
  CHECK(order == list{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("max_queued_requests gives backpressure at once and only beyond it") {
  world w{{.max_ongoing = 1, .max_queued = 2}};
  auto& c = w.replica();
  for (std::uint64_t i = 0; i < 3; ++i)
    w.send(i);
  CHECK(w.calls->queued() == 2);
  w.send(3);
  CHECK(w.failed(3, errc::backpressure));
  auto begun = w.take(c);
  answer(begun[0]);
  w.send(4);
  CHECK(w.open(4));
  w.send(5);
  CHECK(w.failed(5, errc::backpressure));
}

TEST_CASE("a refusing router fails what waits and what comes, and takes requests again after accept") {
  world w;
  w.send(0);
  w.calls->refuse({errc::unavailable, "gone"});
  CHECK(w.failed(0, errc::unavailable));
  CHECK(w.calls->queued() == 0);
  w.send(1);
  CHECK(w.failed(1, errc::unavailable));
  w.calls->accept();
  w.send(2);
  CHECK(w.open(2));
  CHECK(world::numbers(w.take(w.replica())) == list{2});
}

TEST_CASE("a router that was shut refuses for ever") {
  world w;
  w.send(0);
  w.calls->shut({errc::runtime_stopped, {}});
  CHECK(w.failed(0, errc::runtime_stopped));
  w.calls->accept();
  w.send(1);
  CHECK(w.failed(1, errc::runtime_stopped));
}

TEST_CASE("a reconfiguring replica gets nothing new, keeps what it has, and serves what waits afterwards") {
  world w{{.max_ongoing = 2}};
  auto& c = w.replica();
  w.send(0);
  c.set_reconfiguring(true);
  w.send(1);
  CHECK(w.calls->queued() == 1);
  CHECK(c.in_flight() == 1);
  auto& other = w.replica();
  CHECK(world::numbers(w.take(other)) == list{1});
  w.send(2);
  w.send(3);
  CHECK(w.calls->queued() == 1);
  c.set_reconfiguring(false);
  CHECK(w.calls->queued() == 0);
  CHECK(world::numbers(w.take(c)) == list{0, 3});
}

TEST_CASE("limits change at run time") {
  world w{{.max_ongoing = 1}};
  auto& c = w.replica();
  for (std::uint64_t i = 0; i < 6; ++i)
    w.send(i);
  w.calls->set_limits({.max_ongoing = 4});
  CHECK(c.in_flight() == 4);
  CHECK(w.calls->queued() == 2);
  auto begun = w.take(c);
  CHECK(world::numbers(begun) == list{0, 1, 2, 3});
  w.calls->set_limits({.max_ongoing = 2});
  answer(begun[0]);
  answer(begun[1]);
  CHECK(w.calls->queued() == 2); // 2 are still begun
  answer(begun[2]);
  CHECK(w.calls->queued() == 1);
  CHECK(world::numbers(w.take(c)) == list{4});
}

TEST_CASE("a session stays on one replica while that has room") {
  world w{{.max_ongoing = 3}};
  for (int i = 0; i < 10; ++i)
    w.replica();
  for (std::uint64_t i = 0; i < 3; ++i)
    w.send(i, std::nullopt, nullptr, "alice");
  int with_requests = 0;
  for (auto* c : w.cells)
    with_requests += c->in_flight() > 0 ? 1 : 0;
  CHECK(with_requests == 1);
  w.send(3, std::nullopt, nullptr, "alice");
  CHECK(w.calls->queued() == 0); // elsewhere
}

TEST_CASE("scaling moves few sessions: from 10 to 11 replicas about one in eleven, and none of them back and forth") {
  world w{{.max_ongoing = 100'000}};
  for (int i = 0; i < 10; ++i)
    w.replica();
  constexpr std::uint64_t sessions = 1100;
  const auto owners = [&] {
    std::vector<cell*> result;
    for (std::uint64_t i = 0; i < sessions; ++i) {
      w.send(i, std::nullopt, nullptr, "session " + std::to_string(i));
      for (auto* c : w.cells)
        if (auto call = c->next()) {
          result.push_back(c);
          answer(call);
        }
    }
    REQUIRE(result.size() == sessions);
    return result;
  };
  const auto before = owners();
  CHECK(owners() == before);
  auto& added = w.replica();
  const auto after = owners();
  int moved = 0, elsewhere = 0;
  for (std::size_t i = 0; i < sessions; ++i)
    if (before[i] != after[i])
      ++(after[i] == &added ? moved : elsewhere);
  CHECK(elsewhere == 0);
  CHECK(moved > 70); // 100 on average
  CHECK(moved < 130);
  w.calls->close(added);
  CHECK(owners() == before);
}

TEST_CASE("cells are reused, the lowest index first, and a cell is small") {
  static_assert(sizeof(cell) <= 192);
  world w;
  auto& a = w.replica();
  auto& b = w.replica();
  auto& c = w.replica();
  CHECK(a.index() == 0);
  CHECK(c.index() == 2);
  w.calls->release(b);
  w.calls->release(a);
  w.cells = {&c};
  CHECK(w.replica().index() == 0);
  CHECK(w.replica().index() == 1);
  CHECK(w.replica().index() == 3);
}

TEST_CASE("stale replica sets are ignored by their epoch") {
  world w;
  auto& a = w.calls->acquire({1, 0});
  auto& b = w.calls->acquire({2, 0});
  w.cells = {&a, &b};
  using kind = replica_change::kind;
  CHECK(w.calls->apply(2, {{kind::open, &a}}));
  CHECK_FALSE(w.calls->apply(2, {{kind::close, &a}}));
  CHECK_FALSE(w.calls->apply(1, {{kind::open, &b}}));
  CHECK(w.calls->epoch() == 2);
  CHECK_FALSE(a.closed());
  CHECK(b.closed());
  CHECK(w.calls->apply(3, {{kind::close, &a}, {kind::open, &b}}));
  CHECK(a.closed());
  CHECK_FALSE(b.closed());
}
