// Deadlines, cancelling, stop tokens and what is overdue, on the virtual clock.
#include "router_fixture.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::router_test;

TEST_CASE("a waiting request times out at its deadline, not before, and leaves the queue") {
  world w;
  w.send(0, 50ms);
  w.send(1);
  w.pass(49ms);
  CHECK(w.open(0));
  w.pass(1ms + wheel::tick);
  CHECK(w.failed(0, errc::timed_out));
  CHECK(w.calls->queued() == 1);
  CHECK(world::numbers(w.take(w.replica())) == list{1});
}

TEST_CASE("an unbegun request that times out frees its slot at once") {
  world w{{.max_ongoing = 1}};
  auto& c = w.replica();
  w.send(0, 50ms);
  w.send(1);
  CHECK(w.calls->queued() == 1);
  w.pass(60ms);
  CHECK(w.failed(0, errc::timed_out));
  CHECK(w.calls->queued() == 0);
  CHECK(w.calls->overdue() == 0);
  CHECK(world::numbers(w.take(c)) == list{1});
}

TEST_CASE("a begun request that times out keeps its slot until its handler ends") {
  world w{{.max_ongoing = 1}};
  auto& c = w.replica();
  w.send(0, 50ms);
  w.send(1);
  auto begun = c.next();
  REQUIRE(begun);
  CHECK_FALSE(begun->ctx.stop_requested());
  const auto token = begun->ctx.token();
  w.pass(60ms);
  CHECK(w.failed(0, errc::timed_out));
  CHECK(begun->ctx.stop_requested());
  CHECK(token.stop_requested());
  CHECK(w.calls->overdue() == 1);
  CHECK(w.calls->ongoing() == 1);
  CHECK(w.calls->queued() == 1);
  CHECK(c.begun() == 1);
  answer(begun);
  CHECK(w.of(0).deliveries == 1);
  CHECK(w.calls->overdue() == 0);
  CHECK(world::numbers(w.take(c)) == list{1});
}

TEST_CASE("no request begins at or after its deadline, even before the wheel has turned") {
  world w;
  auto& c = w.replica();
  w.send(0, 7ms);
  w.send(1, 8ms);
  w.scheduler.clock().current_time += 7ms; // the timer has not run
  CHECK(world::numbers(w.take(c)) == list{1});
  CHECK(w.failed(0, errc::timed_out));
}

TEST_CASE("a request whose deadline has passed when it is sent times out") {
  world w;
  w.pass(1s);
  w.send(0, -1s);
  w.send(1, 0s);
  w.pass(wheel::tick * 2);
  CHECK(w.failed(0, errc::timed_out));
  CHECK(w.failed(1, errc::timed_out));
}

TEST_CASE("a deadline in a tick that the wheel has already taken out times out at once") {
  world w;
  w.send(0, 50ms);
  w.pass(1s);
  CHECK(w.failed(0, errc::timed_out));
  w.send(1, -100ms);
  CHECK(w.failed(1, errc::timed_out));
  CHECK(w.calls->queued() == 0);
}

TEST_CASE("deadlines further away than one turn of the wheel are met within one tick") {
  world w;
  w.send(0, 10s);
  w.send(1, 60s);
  w.send(2, 3s);
  w.pass(3s + wheel::tick);
  CHECK(w.failed(2, errc::timed_out));
  CHECK(w.open(0));
  w.pass(7s - wheel::tick);
  CHECK(w.open(0));
  w.pass(wheel::tick);
  CHECK(w.failed(0, errc::timed_out));
  w.pass(49s);
  CHECK(w.open(1));
  w.pass(1s);
  CHECK(w.failed(1, errc::timed_out));
}

TEST_CASE("a nearer deadline that comes later re-arms the timer") {
  world w;
  w.send(0, 10s);
  w.send(1, 20ms);
  w.pass(25ms);
  CHECK(w.failed(1, errc::timed_out));
  CHECK(w.open(0));
}

TEST_CASE("thousands of deadlines in the same ticks all come due") {
  world w;
  for (std::uint64_t i = 0; i < 3000; ++i)
    w.send(i, std::chrono::milliseconds{1 + i % 700});
  w.pass(350ms + wheel::tick);
  for (std::uint64_t i = 0; i < 3000; ++i)
    CHECK(w.open(i) == (1 + i % 700 >= 355)); // 355 is in the tick that ends at 360
  w.pass(400ms);
  for (std::uint64_t i = 0; i < 3000; ++i)
    CHECK(w.failed(i, errc::timed_out));
  CHECK(w.calls->queued() == 0);
}

TEST_CASE("an idle router sends nothing: without deadlines no timer is pending") {
  world w;
  auto& c = w.replica();
  w.send(0);
  answer(c.next());
  CHECK_FALSE(w.scheduler.has_pending_timeout());
  w.send(1, 50ms);
  answer(c.next());
  CHECK(w.scheduler.has_pending_timeout());
  w.pass(100ms);
  CHECK_FALSE(w.scheduler.has_pending_timeout());
}

TEST_CASE("cancel gives the outcome at once in every phase and only once") {
  world w{{.max_ongoing = 1}};
  auto waiting = w.send(0);
  CHECK(call_token{waiting}.cancel());
  CHECK(w.failed(0, errc::cancelled));
  CHECK(w.calls->queued() == 0);
  auto& c = w.replica();
  auto placed = w.send(1);
  CHECK(call_token{placed}.cancel());
  CHECK(w.failed(1, errc::cancelled));
  CHECK(w.calls->ongoing() == 0);
  auto begun = w.send(2);
  REQUIRE(c.next() == begun);
  CHECK(call_token{begun}.cancel());
  CHECK_FALSE(call_token{begun}.cancel());
  CHECK(w.failed(2, errc::cancelled));
  CHECK(w.calls->overdue() == 1);
  begun->refuse(1, {errc::handler_failed, {}});
  CHECK(w.of(2).deliveries == 1);
  CHECK(w.calls->overdue() == 0);
  auto answered = w.send(3);
  answer(c.next());
  CHECK_FALSE(call_token{answered}.cancel());
  CHECK(w.answered(3));
}

TEST_CASE("a child has the smaller deadline, its parent's number, and its parent's stop token") {
  world w;
  auto& c = w.replica();
  auto parent = w.send(0, 50ms);
  REQUIRE(c.next() == parent);
  auto longer = w.send(1, 1s, parent.get());
  auto shorter = w.send(2, 10ms, parent.get());
  auto without = w.send(3, std::nullopt, parent.get());
  CHECK(longer->ctx.deadline == parent->ctx.deadline);
  CHECK(shorter->ctx.deadline < parent->ctx.deadline);
  CHECK(without->ctx.deadline == parent->ctx.deadline);
  CHECK(longer->ctx.request_number == parent->ctx.request_number);
  CHECK(longer->ctx.request_number != w.send(4)->ctx.request_number);
  REQUIRE(c.next() == longer);
  CHECK_FALSE(longer->ctx.stop_requested());
  call_token{parent}.cancel();
  CHECK(longer->ctx.stop_requested());
  CHECK_FALSE(longer->done());
  answer(longer);
  answer(parent);
}

TEST_CASE("a request whose own caller was cancelled does not begin any more") {
  world w;
  auto& c = w.replica();
  auto parent = w.send(0);
  REQUIRE(c.next() == parent);
  w.send(1, std::nullopt, parent.get());
  w.send(2);
  call_token{parent}.cancel();
  CHECK(world::numbers(w.take(c)) == list{2});
  CHECK(w.failed(1, errc::cancelled));
  CHECK(w.calls->overdue() == 1);
  answer(parent);
  CHECK(w.calls->overdue() == 0);
}

TEST_CASE("an answered parent does not stop its children") {
  world w;
  auto& c = w.replica();
  auto parent = w.send(0);
  REQUIRE(c.next() == parent);
  auto child = w.send(1, std::nullopt, parent.get());
  answer(parent);
  CHECK_FALSE(child->ctx.stop_requested());
}

TEST_CASE("a stuck replica does not gather the remains of requests that timed out in its inbox") {
  world w{{.max_ongoing = 2}};
  auto& c = w.replica();
  w.send(0);
  auto stuck = c.next();
  const auto before = recorded_call::alive.load();
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const auto call = w.send(i);
    REQUIRE(w.calls->queued() == 0);
    call_token{call}.cancel();
    CHECK(w.failed(i, errc::cancelled));
  }
  CHECK(recorded_call::alive.load() - before < 200);
  answer(stuck);
  CHECK(w.take(c).empty());
  CHECK(w.calls->ongoing() == 0);
}
