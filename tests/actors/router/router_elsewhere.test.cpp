// A router whose replicas are in other processes: requests that are refused there, lost there, and who is preferred.
#include "router_fixture.hpp"

#include <doctest/doctest.h>

namespace troupe::router_elsewhere_test {

using namespace troupe;
using namespace troupe::router_test;

std::vector<sent_call> sent(const std::vector<call_ptr>& calls) {
  std::vector<sent_call> out;
  for (const auto& x : calls)
    out.push_back({x, x->attempts()});
  return out;
}

TEST_CASE("what a replica elsewhere has refused regains its place, and does not count as begun") {
  world w{{.max_ongoing = 2}};
  auto& a = w.replica();
  for (std::uint64_t i = 0; i < 4; ++i)
    w.send(i);
  const auto there = w.take(a);
  REQUIRE(world::numbers(there) == list{0, 1});
  a.set_held(true);
  w.calls->give_back(a, sent(there));
  CHECK(there[0]->attempts() == 0);
  CHECK(a.in_flight() == 0);
  CHECK(w.calls->queued() == 4);
  CHECK(a.next() == nullptr);
  auto& b = w.replica();
  CHECK(world::numbers(w.take(b)) == list{0, 1});
  a.set_held(false);
  CHECK(world::numbers(w.take(a)) == list{2, 3});
  CHECK(w.calls->queued() == 0);
}

TEST_CASE("what is refused after its caller has its outcome only gives back its slot") {
  world w{{.max_ongoing = 1}};
  auto& a = w.replica();
  w.send(0, 1s);
  const auto there = w.take(a);
  w.pass(2s);
  CHECK(w.failed(0, errc::timed_out));
  CHECK(a.in_flight() == 1);
  CHECK(w.calls->overdue() == 1);
  w.calls->give_back(a, sent(there));
  CHECK(a.in_flight() == 0);
  CHECK(w.calls->overdue() == 0);
  CHECK(w.of(0).deliveries == 1);
}

TEST_CASE("what is refused comes too late where its replica was given up meanwhile") {
  world w{{.max_ongoing = 1}};
  auto& a = w.replica();
  w.send(0);
  const auto there = w.take(a);
  const auto late = sent(there);
  w.calls->abandon(a);
  CHECK(w.failed(0, errc::replica_died));
  w.calls->give_back(a, late);
  CHECK(w.calls->queued() == 0);
}

TEST_CASE("a request that dies elsewhere alone is tried again where it may be") {
  for (const bool idempotent : {false, true}) {
    world w{{.max_ongoing = 2, .idempotent = idempotent}};
    auto& a = w.replica();
    w.send(0);
    w.send(1);
    const auto there = w.take(a);
    w.calls->lose(a, {there[0], 1});
    CHECK(w.open(1));
    CHECK(w.failed(0, errc::replica_died) == !idempotent);
    CHECK(world::numbers(w.take(a)) == (idempotent ? list{0} : list{}));
  }
}

TEST_CASE("near replicas come first while they have room") {
  world w{{.max_ongoing = 2}};
  w.replica();
  auto& near = w.calls->acquire({7, 0}, true);
  w.cells.push_back(&near);
  w.calls->open(near);
  w.replica();
  for (std::uint64_t i = 0; i < 5; ++i)
    w.send(i);
  CHECK(near.in_flight() == 2);
  const auto there = w.take(near);
  CHECK(world::numbers(there) == list{0, 1});
  answer(there[0]);
  w.send(5);
  CHECK(near.in_flight() == 2);
  near.set_reconfiguring(true);
  w.send(6);
  CHECK(near.in_flight() == 2);
  CHECK(w.calls->queued() == 0);
}

TEST_CASE("a router with a single replica refuses what waits when that closes") {
  world w;
  auto single = router::make(w.sys, {.name = "one", .limits = {.max_ongoing = 2}, .single = true});
  auto& c = single->acquire({1, 0});
  single->open(c);
  int heard = 0;
  single->set_room_listener([&] { ++heard; });
  c.set_reconfiguring(true);
  CHECK(heard == 0);
  c.set_reconfiguring(false);
  CHECK(heard == 1);
  std::vector<outcome> got(4);
  const auto send = [&](std::uint64_t i) {
    router::submit(single, call_ptr{new recorded_call(i, got[i]), false}, nullptr);
  };
  for (std::uint64_t i = 0; i < 3; ++i)
    send(i);
  const auto begun = c.next();
  single->close(c);
  CHECK(got[1].code == errc::unavailable);
  CHECK(got[2].code == errc::unavailable);
  send(3);
  CHECK(got[3].code == errc::unavailable);
  answer(begun);
  CHECK(got[0].answer == 0);
  CHECK(got[0].deliveries == 1);
  single->release(c);
}

} // namespace troupe::router_elsewhere_test
