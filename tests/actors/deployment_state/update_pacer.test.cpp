// How many config updates are under way at once.
#include <troupe/actors/deployment_state/update_pacer.hpp>

#include <doctest/doctest.h>

namespace troupe::deployment_state {

namespace {

void push(update_pacer& to, std::uint32_t n) {
  for (std::uint32_t i = 0; i < n; ++i)
    to.push({{i + 1, i}, 1, {}});
}

std::uint32_t send_all(update_pacer& from) {
  std::uint32_t n = 0;
  for (; from.may_send(); ++n)
    from.pop();
  return n;
}

} // namespace

TEST_CASE("the first window of updates goes out at once, in order") {
  update_pacer x;
  push(x, update_pacer::window + 1);
  CHECK(x.pop().replica.id == 1);
  CHECK(x.pop().replica.id == 2);
  CHECK(send_all(x) == update_pacer::window - 2);
  CHECK(x.arm());
  CHECK_FALSE(x.arm()); // one tick at a time
}

TEST_CASE("answers let half a window follow in bulk") {
  update_pacer x;
  push(x, 3 * update_pacer::window);
  send_all(x);
  for (std::uint32_t i = 1; i < update_pacer::window / 2; ++i)
    CHECK_FALSE(x.answered());
  CHECK(x.answered());
  CHECK(send_all(x) == update_pacer::window / 2);
}

TEST_CASE("updates go on after a while without an answer, and need no tick once none waits") {
  update_pacer x;
  push(x, 2 * update_pacer::window);
  send_all(x);
  const auto tick = x.arm();
  REQUIRE(tick);
  CHECK(x.stalled(*tick));
  CHECK(send_all(x) == update_pacer::window);
  CHECK_FALSE(x.arm());
  CHECK_FALSE(x.stalled(*tick)); // an old one
}

TEST_CASE("a tick after progress lets only so many go as were answered") {
  update_pacer x;
  push(x, 2 * update_pacer::window);
  send_all(x);
  const auto tick = x.arm();
  x.answered();
  CHECK(x.stalled(tick.value()));
  CHECK(send_all(x) == 1);
}

TEST_CASE("an update whose replica has ended makes place for another") {
  update_pacer x;
  push(x, update_pacer::window + 1);
  send_all(x);
  x.skipped();
  CHECK(send_all(x) == 1);
}

} // namespace troupe::deployment_state
