// What happens to requests whose replica drains, dies or is given up.
#include "router_fixture.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::router_test;

TEST_CASE("unbegun requests of a closed replica go elsewhere ahead of those that came later") {
  world w{{.max_ongoing = 4}};
  auto& a = w.replica();
  for (std::uint64_t i = 0; i < 4; ++i)
    w.send(i);
  const auto first = a.next(); // 0 is begun, 1 2 3 are not
  for (std::uint64_t i = 4; i < 8; ++i)
    w.send(i); // wait
  w.calls->close(a);
  CHECK(w.calls->queued() == 7);
  CHECK(a.next() == nullptr);
  CHECK(a.in_flight() == 1);
  auto& b = w.replica();
  CHECK(world::numbers(w.take(b)) == list{1, 2, 3, 4});
  answer(first);
  CHECK(w.answered(0));
  CHECK(w.calls->queued() == 3); // a closed replica's slot serves nobody
}

TEST_CASE("requests come back in order of arrival even if they were with different replicas") {
  world w{{.max_ongoing = 8}};
  auto& a = w.replica();
  auto& b = w.replica();
  for (std::uint64_t i = 0; i < 12; ++i)
    w.send(i);
  w.calls->close(b);
  w.calls->close(a);
  CHECK(w.calls->queued() == 12);
  w.calls->set_limits({.max_ongoing = 12});
  CHECK(world::numbers(w.take(w.replica())) == list{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

TEST_CASE("begun requests of a dead replica fail with replica_died and are begun at most once") {
  world w{{.max_ongoing = 4}};
  auto& a = w.replica();
  w.send(0);
  w.send(1);
  const auto begun = a.next();
  w.calls->abandon(a);
  CHECK(w.failed(0, errc::replica_died));
  CHECK(a.in_flight() == 0);
  CHECK(w.calls->queued() == 1);
  answer(begun, 1, 7); // late
  CHECK(w.of(0).deliveries == 1);
  CHECK(w.calls->ongoing() == 0);
  auto& b = w.replica();
  CHECK(world::numbers(w.take(b)) == list{1});
}

TEST_CASE("idempotent requests of dead replicas are tried again twice at most") {
  world w{{.max_ongoing = 4, .idempotent = true}};
  w.send(0);
  for (attempt_number attempt = 1; attempt <= 3; ++attempt) {
    auto& c = w.replica();
    const auto begun = c.next();
    REQUIRE(begun);
    CHECK(begun->attempts() == attempt);
    CHECK(w.open(0));
    w.calls->abandon(c);
  }
  CHECK(w.failed(0, errc::replica_died));
}

TEST_CASE("a late answer of a replica that was given up does not count for the next attempt") {
  world w{{.max_ongoing = 1, .idempotent = true}};
  auto& a = w.replica();
  w.send(0);
  const auto first = a.next();
  w.calls->release(a);
  w.cells.clear();
  auto& b = w.replica(); // the same cell
  CHECK(&a == &b);
  const auto second = b.next();
  REQUIRE(second == first);
  answer(first, 1, 111);
  CHECK(w.open(0));
  CHECK(b.begun() == 1);
  CHECK(b.in_flight() == 1);
  answer(second, 2, 0);
  CHECK(w.answered(0));
  CHECK(b.begun() == 0);
  CHECK(b.in_flight() == 0);
}

TEST_CASE("a handler that takes its request by value leaves it whole only if it may have to begin again") {
  for (const bool idempotent : {false, true}) {
    world w{{.max_ongoing = 1, .idempotent = idempotent}};
    auto& a = w.replica();
    w.send(3);
    const auto begun = a.next();
    auto& typed = static_cast<typed_call<signature>&>(*begun);
    CHECK(typed.take_request().number == 3);
    CHECK(typed.request().number == 3); // trivially movable: whole either way
    typed.refuse(1, {errc::handler_failed, "no"});
    CHECK(w.failed(3, errc::handler_failed));
  }
}

TEST_CASE("with refusing on, requests that come back get the refusal") {
  world w{{.max_ongoing = 4}};
  auto& a = w.replica();
  w.send(0);
  w.calls->refuse({errc::unavailable, "deleted"});
  CHECK(w.open(0));
  w.calls->close(a);
  CHECK(w.failed(0, errc::unavailable));
}

TEST_CASE("a cell is not reused while a begun request of it is open, unless abandoned") {
  world w{{.max_ongoing = 2}};
  auto& a = w.replica();
  w.send(0);
  auto begun = a.next();
  w.calls->close(a);
  CHECK(a.begun() == 1);
  answer(begun);
  CHECK(a.begun() == 0);
  CHECK(w.answered(0));
  CHECK(w.calls->acquire({9, 0}).index() == 1);
}

TEST_CASE("a closed cell can be opened again") {
  world w;
  auto& a = w.replica();
  w.calls->close(a);
  w.send(0);
  CHECK(w.calls->queued() == 1);
  w.calls->open(a);
  CHECK(world::numbers(w.take(a)) == list{0});
}
