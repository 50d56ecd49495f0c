// The machine keeps its promises under random commands and faults, and each wrong rule is noticed.
#include "machine_random.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace troupe::deployment_state;
using namespace troupe::deployment_state::test;

TEST_CASE("whatever is commanded and breaks, the invariants hold and it comes to rest") {
  const char* more = std::getenv("TROUPE_MACHINE_SEEDS");
  const char* first = std::getenv("TROUPE_MACHINE_FIRST_SEED");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 2000;
  const std::uint64_t from = first != nullptr ? std::strtoull(first, nullptr, 10) : 1;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    const auto result = run_seed(seed);
    if (result.broken.empty())
      continue;
    const auto again = run_seed(seed, wrong_rule::none, true);
    std::string text;
    for (const auto& line : again.trace)
      text += line + "\n";
    FAIL("seed " << seed << ": " << result.broken.front() << "\n" << text);
  }
}

namespace {

bool is_noticed(wrong_rule wrong) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed)
    if (!run_seed(seed, wrong).broken.empty())
      return true;
  return false;
}

} // namespace

TEST_CASE("noticed: percentages that round up") { CHECK(is_noticed(wrong_rule::round_up)); }
TEST_CASE("noticed: draining without a look at what is available") { CHECK(is_noticed(wrong_rule::drain_below_n)); }
TEST_CASE("noticed: a wave that does not wait for what still stops") {
  CHECK(is_noticed(wrong_rule::wave_ignores_stopping));
}
TEST_CASE("noticed: empty slots filled with the superseded target") {
  CHECK(is_noticed(wrong_rule::starts_superseded));
}
TEST_CASE("noticed: a replica that keeps the config it was started with") {
  CHECK(is_noticed(wrong_rule::skips_config));
}
TEST_CASE("noticed: reconfigure waves without a size") { CHECK(is_noticed(wrong_rule::reconfigure_all)); }
TEST_CASE("noticed: surplus that stays after a wave") { CHECK(is_noticed(wrong_rule::keeps_surplus)); }
TEST_CASE("noticed: a dead replica that is not replaced") { CHECK(is_noticed(wrong_rule::no_retry)); }
TEST_CASE("noticed: outdated replicas that drain when the new ones start") {
  CHECK(is_noticed(wrong_rule::drains_early));
}
