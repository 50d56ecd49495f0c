// Scenarios replay exactly, and do what they are meant to do.
#include "scenario.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::simulation_tests;

TEST_CASE("a seed replays exactly") {
  const auto config = testing::make_config();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto once = run_scenario({.seed = seed, .config = config.get()});
    const auto again = run_scenario({.seed = seed, .trace_lines = 10, .config = config.get()});
    CHECK(once.digest == again.digest);
    CHECK(once.steps == again.steps);
    CHECK_FALSE(again.trace.empty());
  }
}

TEST_CASE("a seed on nodes replays exactly; nodes are lost in some, and their routers reach replicas") {
  const auto config = testing::make_config();
  std::uint32_t lost = 0, far_answers = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto once = run_scenario({.seed = seed, .on_nodes = true, .config = config.get()});
    lost += once.lost_nodes;
    far_answers += once.far_answers;
    if (seed % 10 != 0)
      continue;
    const auto again = run_scenario({.seed = seed, .trace_lines = 10, .on_nodes = true, .config = config.get()});
    CHECK(once.digest == again.digest);
    CHECK(once.steps == again.steps);
  }
  CHECK(lost > 20);
  CHECK(far_answers > 200);
}

TEST_CASE("scenarios reach all ends and are answered requests") {
  const auto config = testing::make_config();
  scenario_result sum;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto r = run_scenario({.seed = seed, .config = config.get()});
    sum.healthy += r.healthy;
    sum.failed += r.failed;
    sum.paused += r.paused;
    sum.other += r.other;
    sum.requests += r.requests;
    sum.answers += r.answers;
    sum.objects += r.objects;
    sum.crashes += r.crashes;
  }
  CHECK(sum.healthy > 100);
  CHECK(sum.failed > 10);
  CHECK(sum.paused > 3);
  CHECK(sum.other > 3);
  CHECK(sum.answers * 2 > sum.requests);
  CHECK(sum.objects > 1000);
  CHECK(sum.crashes > 20);
}
