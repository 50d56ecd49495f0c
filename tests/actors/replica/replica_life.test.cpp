// The replica shell on the virtual clock: starts and ends of all kinds.
#include "replica_classes.hpp"

#include <doctest/doctest.h>

namespace {

using namespace troupe;
using namespace troupe::replica_test;

} // namespace

TEST_CASE_FIXTURE(fixture, "a replica starts, answers and stops, and its object is destroyed once") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  CHECK(facts() == "started");
  auto c = call(4);
  run();
  CHECK(c->outcomes() == 1);
  CHECK(c->text() == "pong 4");
  CHECK(where().begun() == 0);
  tell(r, stop_replica{1});
  CHECK(facts() == "started, stopped asked");
  CHECK(d.constructed == 1);
  CHECK(d.destroyed == 1);
  CHECK(where().in_flight() == 0);
}

TEST_CASE_FIXTURE(fixture, "a stop for another id is not obeyed") {
  auto r = replica(make_code<bare>());
  tell(r, stop_replica{77});
  CHECK(facts() == "started");
}

TEST_CASE_FIXTURE(fixture, "a constructor that throws is told with its text") {
  replica(make_code<fails>());
  CHECK(facts() == "stopped start_failed: no disk");
}

TEST_CASE_FIXTURE(fixture, "a user_config is applied before the replica has started") {
  auto& d = note();
  replica(code_of<echo>(d), 10);
  CHECK(facts() == "started");
  auto c = call(1);
  run();
  CHECK(c->text() == "pong 11");
}

TEST_CASE_FIXTURE(fixture, "a first reconfigure that throws is a failed start") {
  auto& d = note();
  replica(code_of<echo>(d), "text");
  CHECK(facts() == "stopped start_failed: no number");
  CHECK(d.destroyed == 1);
}

TEST_CASE_FIXTURE(fixture, "a handler that throws fails its request alone") {
  auto& d = note();
  replica(code_of<echo>(d));
  auto bad = call(-1);
  auto good = call(2);
  run();
  CHECK(bad->text() == "handler_failed: negative");
  CHECK(good->text() == "pong 2");
}

TEST_CASE_FIXTURE(fixture, "checks are answered, and what they throw is told") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  tell(r, check_replica{1});
  tell(r, check_replica{1});
  tell(r, config_update{1, json_doc{json(13)}});
  tell(r, check_replica{2});
  CHECK(facts() == "started, checked 1 ok, reconfigured 1 ok, checked 2: unlucky");
}

TEST_CASE_FIXTURE(fixture, "unbegun requests of a replica that stops go to another one") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  auto c = call(1);
  control::post(*env, nullptr, r, stop_replica{1});
  run();
  CHECK(c->outcomes() == 0);
  auto& e = note();
  replica(code_of<echo>(e));
  run();
  CHECK(c->text() == "pong 1");
  CHECK(d.handled == 0);
}

TEST_CASE_FIXTURE(fixture, "stop during a slow construction destroys the object after it") {
  hook h;
  h.next.takes = std::chrono::seconds{5};
  env->user_code_hook = &h;
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  tell(r, stop_replica{1});
  CHECK(d.constructed == 0);
  advance(std::chrono::seconds{5});
  CHECK(d.constructed == 1);
  CHECK(d.destroyed == 1);
  CHECK(facts() == "stopped asked");
}

TEST_CASE_FIXTURE(fixture, "the simulation makes user code throw") {
  hook h;
  h.next.throws = "injected";
  env->user_code_hook = &h;
  auto& d = note();
  replica(code_of<echo>(d));
  CHECK(facts() == "stopped start_failed: injected");
  CHECK(d.constructed == 0);
}

TEST_CASE_FIXTURE(fixture, "a killed replica fails what it had begun, gives back the rest, destroys its object") {
  auto& d = note();
  auto r = replica(code_of<later>(d));
  auto begun = call(1);
  run();
  // The wake-up for the second request is behind the kill.
  caf::anon_send_exit(r, caf::exit_reason::kill);
  auto unbegun = call(2);
  run();
  CHECK(begun->text().find("replica_died") == 0);
  CHECK(unbegun->outcomes() == 0);
  CHECK(facts() == "started, stopped killed: kill");
  CHECK(d.destroyed == 1);
  d.promises[0].answer({1}); // late: not heard, and nothing breaks
  d.promises.clear();
  CHECK(begun->outcomes() == 1);
  auto& e = note();
  replica(code_of<echo>(e));
  run();
  CHECK(unbegun->text() == "pong 2");
}

TEST_CASE_FIXTURE(fixture, "a replica that was killed before it ran says so, and constructs nothing") {
  auto& d = note();
  auto r = spawn(code_of<echo>(d));
  caf::anon_send_exit(r, caf::exit_reason::kill);
  run();
  CHECK(facts() == "stopped killed: kill");
  CHECK(d.constructed == 0);
}

TEST_CASE_FIXTURE(fixture, "a replica that was killed during a slow constructor constructs nothing later") {
  hook h;
  h.next.takes = std::chrono::seconds{5};
  env->user_code_hook = &h;
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  caf::anon_send_exit(r, caf::exit_reason::user_shutdown);
  run();
  CHECK(facts() == "stopped owner_gone: user_shutdown");
  advance(std::chrono::seconds{5});
  CHECK(d.constructed == 0);
  CHECK(facts() == "stopped owner_gone: user_shutdown");
}

TEST_CASE_FIXTURE(fixture, "a destructor that throws is caught and told") {
  auto r = replica(make_code<bad_end>());
  tell(r, stop_replica{1});
  CHECK(facts() == "started, stopped asked: the destructor threw: cannot flush");
}
