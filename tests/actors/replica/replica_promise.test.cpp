// The replica shell on the virtual clock: call operators that answer later.
#include "replica_classes.hpp"

#include <doctest/doctest.h>

namespace {

using namespace troupe;
using namespace troupe::replica_test;

} // namespace

TEST_CASE_FIXTURE(fixture, "a promise answers later and keeps its slot until then") {
  auto& d = note();
  replica(code_of<later>(d));
  auto c = call(1);
  run();
  CHECK(c->outcomes() == 0);
  CHECK(where().begun() == 1);
  d.promises.front().answer({9});
  CHECK(c->text() == "pong 9");
  CHECK(where().begun() == 0);
  d.promises.front().answer({10});
  d.promises.front().fail("late");
  CHECK(c->outcomes() == 1);
}

TEST_CASE_FIXTURE(fixture, "a promise fails, is dropped, or is answered in the handler") {
  auto& d = note();
  replica(code_of<later>(d));
  auto failing = call(1);
  auto dropped = call(2);
  auto in_handler = call(100);
  auto dropped_in_handler = call(-2);
  run();
  d.promises[0].fail("no");
  d.promises.clear();
  CHECK(failing->text() == "handler_failed: no");
  CHECK(dropped->text().find("promise_dropped") == 0);
  CHECK(in_handler->text() == "pong 100");
  CHECK(dropped_in_handler->text().find("promise_dropped") == 0);
  CHECK(where().begun() == 0);
}

TEST_CASE_FIXTURE(fixture, "what a handler throws says more than the promise that it drops or keeps") {
  auto& d = note();
  replica(code_of<later>(d));
  auto dropped = call(-1);
  auto stored = call(-3);
  run();
  CHECK(dropped->text() == "handler_failed: with the promise in hand");
  CHECK(stored->text() == "handler_failed: with the promise stored");
  CHECK(where().begun() == 1); // the stored promise has the slot
  d.promises.clear();
  CHECK(where().begun() == 0);
  CHECK(stored->outcomes() == 1);
}

TEST_CASE_FIXTURE(
    fixture, "a reconfigure waits for promises, runs at once after the last, unbegun requests are answered after") {
  auto& d = note();
  auto r = replica(code_of<later>(d));
  auto first = call(1);
  auto second = call(2);
  run();
  tell(r, config_update{1, json_doc{json(5)}});
  CHECK(d.configs.empty());
  auto third = call(3);
  run();
  CHECK(d.handled == 2);
  d.promises[0].answer({1});
  run();
  CHECK(d.configs.empty());
  d.promises[1].answer({2});
  run();
  CHECK(d.configs == std::vector<int>{5});
  CHECK(facts() == "started, reconfigured 1 ok");
  CHECK(d.handled == 3);
  CHECK(third->outcomes() == 0);
  d.promises[2].answer({3});
  CHECK(third->text() == "pong 3");
}

TEST_CASE_FIXTURE(fixture, "a drain waits for promises and is noticed at once") {
  auto& d = note();
  auto r = replica(code_of<later>(d));
  auto c = call(1);
  run();
  tell(r, stop_replica{1});
  CHECK(facts() == "started");
  d.promises[0].answer({7});
  run();
  CHECK(facts() == "started, stopped asked");
  CHECK(c->text() == "pong 7");
  CHECK(d.destroyed == 1);
}
