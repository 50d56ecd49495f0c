// Events are counted, wake waiters, and reach the host's hooks until the hub is closed.
#include <troupe/app/runtime/event_hub.hpp>

#include <doctest/doctest.h>

#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace troupe::event_hub_test {

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const deployment_name spell{"default", "spell"};
const deployment_name other{"default", "other"};

auto far() { return std::chrono::steady_clock::now() + 1min; }

} // namespace

TEST_CASE("hooks get what happens until the hub is closed") {
  std::vector<std::string> heard;
  event_hub hub{[&](const runtime_event& x) { heard.push_back(x.what); },
                [&](log_level, std::string_view text) { heard.emplace_back(text); }};
  hub.event({spell, "wave_began", 0, ""});
  hub.log(log_level::info, "hello");
  hub.close();
  hub.event({spell, "wave_ended", 0, ""});
  hub.log(log_level::info, "unheard");
  CHECK(heard == std::vector<std::string>{"wave_began", "hello"});
}

TEST_CASE("what a hook throws is swallowed, and an absent hook is none") {
  event_hub throwing{[](const runtime_event&) { throw std::runtime_error("x"); },
                     [](log_level, std::string_view) { throw 1; }};
  throwing.event({spell, "wave_began", 0, ""});
  throwing.log(log_level::info, "hello");
  CHECK(throwing.counts(spell) == event_counts{{"wave_began", 1}});
  event_hub absent{{}, {}};
  absent.event({spell, "wave_began", 0, ""});
  absent.log(log_level::info, "hello");
}

TEST_CASE("close waits for a hook that runs") {
  std::promise<void> inside, go_on;
  bool ended = false;
  event_hub hub{[&](const runtime_event&) {
                  inside.set_value();
                  go_on.get_future().wait();
                  ended = true;
                },
                {}};
  std::thread actor{[&] { hub.event({spell, "x", 0, ""}); }};
  inside.get_future().wait();
  std::thread closer{[&] {
    hub.close();
    CHECK(ended);
  }};
  go_on.set_value();
  actor.join();
  closer.join();
}

TEST_CASE("an event of the deployment ends the wait, also one between the look and the wait") {
  event_hub hub{{}, {}};
  const auto seen = hub.stamp(spell);
  hub.event({spell, "scaled", 0, ""});
  hub.wait(spell, seen, far());
  const auto again = hub.stamp(spell);
  std::thread later{[&] {
    hub.event({other, "scaled", 0, ""});
    hub.event({spell, "scaled", 0, ""});
  }};
  hub.wait(spell, again, far());
  later.join();
  CHECK(hub.counts(spell) == event_counts{{"scaled", 2}});
}

TEST_CASE("a wait without an event ends in time") {
  event_hub hub{{}, {}};
  hub.wait(spell, hub.stamp(spell), std::chrono::steady_clock::now());
  CHECK(hub.stamp(spell) == 0);
}

TEST_CASE("a removed deployment is forgotten and wakes its waiters") {
  event_hub hub{{}, {}};
  hub.event({spell, "scaled", 0, ""});
  const auto seen = hub.stamp(spell);
  hub.event({spell, "removed", 0, ""});
  hub.wait(spell, seen, far());
  CHECK(hub.counts(spell).empty());
}

} // namespace troupe::event_hub_test
