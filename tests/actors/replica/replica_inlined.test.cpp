// The replica shell on the virtual clock: replicas on their callers' threads.
#include "replica_classes.hpp"
#include <troupe/actors/replica/caller_unit.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

namespace {

using namespace troupe;
using namespace troupe::replica_test;

} // namespace

TEST_CASE_FIXTURE(fixture, "an inlined replica answers on its caller's thread, but reconfigures in the scheduler") {
  auto& d = note();
  auto r = replica(code_of<echo>(d), nullptr, nullptr, execution_mode::inlined);
  replica::caller_unit unit{sys};
  auto send = [&] {
    auto c = caf::make_counted<ping_call>(ping{1});
    submit(c, &unit);
    return c;
  };
  auto c = send();
  CHECK(c->outcomes() == 0);
  unit.run();
  CHECK(c->text() == "pong 1");

  c = send();
  control::post(*env, nullptr, r, config_update{1, json_doc{json(3)}}); // is in the mailbox when the unit resumes it
  unit.run();
  CHECK(d.configs.empty());
  CHECK(c->outcomes() == 0);
  run();
  CHECK(d.configs == std::vector<int>{3});
  CHECK(c->text() == "pong 4");
}

TEST_CASE_FIXTURE(fixture,
                  "an inlined replica that is stopped or killed on a caller's thread is destroyed in the scheduler") {
  for (const bool kill : {false, true}) {
    auto& d = note();
    auto r = replica(code_of<echo>(d), nullptr, nullptr, execution_mode::inlined);
    replica::caller_unit unit{sys};
    const auto dest = caf::actor_cast<caf::strong_actor_ptr>(r);
    if (kill)
      dest->enqueue(nullptr, caf::make_message_id(), caf::make_message(caf::exit_msg{{}, caf::exit_reason::kill}),
                    &unit);
    else
      dest->enqueue(nullptr, caf::make_message_id(), caf::make_message(stop_replica{kill ? 2U : 1U}), &unit);
    unit.run();
    CHECK(d.destroyed == 0);
    run();
    CHECK(d.destroyed == 1);
  }
  CHECK(facts() == "started, stopped asked, started, stopped killed: kill");
}

TEST_CASE_FIXTURE(fixture, "an actor that is no inlined replica does not run on a caller's thread") {
  auto heard = std::make_shared<int>(0);
  auto other =
      sys.spawn([heard](caf::event_based_actor*) -> caf::behavior { return {[heard](int x) { *heard += x; }}; });
  run(); // it is idle from now on
  replica::caller_unit unit{sys};
  caf::actor_cast<caf::strong_actor_ptr>(other)->enqueue(nullptr, caf::make_message_id(), caf::make_message(1), &unit);
  unit.run();
  CHECK(*heard == 0);
  run();
  CHECK(*heard == 1);
  caf::anon_send_exit(other, caf::exit_reason::kill);
  run();
}
