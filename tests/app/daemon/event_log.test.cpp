// Numbered events, and who reads them.
#include <troupe/app/daemon/event_log.hpp>

#include <doctest/doctest.h>

namespace troupe::daemon {

namespace {

void add(event_log& to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    to.add({{"default", "d"}, "kind", 0, std::to_string(i)});
}

} // namespace

TEST_CASE("a reader goes on behind the last event that it has seen") {
  event_log log;
  add(log, 5);
  CHECK(log.last() == 5);
  const auto rest = log.after(3, 10);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].id == 4);
  CHECK(log.after(0, 2).back().id == 2);
  CHECK(log.after(5, 10).empty());
  CHECK(log.after(99, 10).empty());
}

TEST_CASE("the oldest events go, and who missed them gets what is kept") {
  event_log log;
  add(log, event_log::kept + 3);
  const auto all = log.after(1, event_log::kept + 10);
  CHECK(all.size() == event_log::kept);
  CHECK(all.front().id == 4);
}

TEST_CASE("listeners are told of each event until they are forgotten") {
  event_log log;
  int told = 0;
  const auto me = log.listen([&] { ++told; });
  add(log, 2);
  log.forget(me);
  add(log, 1);
  CHECK(told == 2);
}

} // namespace troupe::daemon
