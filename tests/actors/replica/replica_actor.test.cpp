// The replica shell on the virtual clock: requests, reconfigure, checks.
#include "replica_classes.hpp"

#include <doctest/doctest.h>

namespace {

using namespace troupe;
using namespace troupe::replica_test;

} // namespace

TEST_CASE_FIXTURE(fixture, "a call of another signature is refused") {
  replica(make_code<bare>());
  auto c = caf::make_counted<test_call<entry(lookup)>>(lookup{});
  submit(c);
  run();
  CHECK(c->text().find("signature_mismatch") == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "requests in the inbox when a reconfigure begins are answered after it with the new config") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  hook h;
  h.next.takes = std::chrono::seconds{2};
  env->user_code_hook = &h;
  auto before = call(1);
  control::post(*env, nullptr, r, config_update{1, json_doc{json(5)}}); // overtakes the wake-up
  run();
  CHECK(before->outcomes() == 0);
  advance(std::chrono::seconds{2});
  CHECK(facts() == "started, reconfigured 1 ok");
  CHECK(before->text() == "pong 6");
  CHECK(h.asked == std::vector<std::string>{"reconfigure of echo"});
}

TEST_CASE_FIXTURE(fixture, "copied and late updates are ignored") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  tell(r, config_update{2, json_doc{json(5)}});
  tell(r, config_update{2, json_doc{json(5)}});
  tell(r, config_update{1, json_doc{json(4)}});
  CHECK(d.configs == std::vector<int>{5});
  CHECK(facts() == "started, reconfigured 2 ok");
}

TEST_CASE_FIXTURE(fixture, "a replica whose reconfigure threw serves no more until one succeeds") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  tell(r, config_update{1, json_doc{json("text")}});
  auto c = call(1);
  run();
  CHECK(facts() == "started, reconfigured 1: no number");
  CHECK(c->outcomes() == 0);
  tell(r, config_update{2, json_doc{json(1)}});
  CHECK(c->text() == "pong 2");
}

TEST_CASE_FIXTURE(fixture, "a check that takes time holds requests up") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  hook h;
  h.next.takes = std::chrono::seconds{3};
  env->user_code_hook = &h;
  tell(r, check_replica{1});
  auto c = call(1);
  run();
  CHECK(c->outcomes() == 0);
  CHECK(facts() == "started");
  advance(std::chrono::seconds{3});
  CHECK(facts() == "started, checked 1 ok");
  CHECK(c->text() == "pong 1");
}

TEST_CASE_FIXTURE(fixture,
                  "an update to a class without reconfigure fails, a check of one without check_health is fine") {
  auto r = replica(make_code<bare>(), 5); // refused at deploy time; here it is ignored
  tell(r, check_replica{1});
  tell(r, config_update{1, json_doc{json(6)}});
  CHECK(facts().find("started, checked 1 ok, reconfigured 1: ") == 0);
}

TEST_CASE_FIXTURE(fixture, "unknown messages are dropped without a word") {
  auto r = replica(make_code<bare>());
  caf::anon_send(caf::actor_cast<caf::actor>(r), 42);
  run();
  auto c = call(1);
  run();
  CHECK(c->text() == "pong 1");
}

TEST_CASE_FIXTURE(fixture, "more requests than one turn holds are all answered") {
  auto& d = note();
  auto r = replica(code_of<echo>(d));
  std::vector<caf::intrusive_ptr<ping_call>> all;
  calls().set_limits({.max_ongoing = 1000});
  all.reserve(100);
  for (int i = 0; i < 100; ++i)
    all.push_back(call(i));
  run();
  CHECK(d.handled == 100);
  for (auto& c : all)
    CHECK(c->outcomes() == 1);
}
