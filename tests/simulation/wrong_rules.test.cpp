// Breaks one rule at a time on purpose: the simulation must notice, and must say which invariant it is.
#include "scenario.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <string>

using namespace troupe;
using namespace troupe::simulation_tests;
using deployment_state::wrong_rule;
using wr = wrong_request_rule;

namespace {

/// Runs seeds from `first` until an invariant is broken; its number, or -1 when `most` seeds pass.
int first_broken(wrong_rule rollout, wr request, std::uint64_t most, std::uint64_t first = 1) {
  const auto config = testing::make_config();
  for (auto seed = first; seed < first + most; ++seed)
    try {
      run_scenario({.seed = seed, .wrong = rollout, .wrong_request = request, .config = config.get()});
    } catch (const testing::invariant_broken& e) {
      return e.number();
    }
  return -1;
}

bool is_one_of(int x, std::initializer_list<int> xs) { return std::find(xs.begin(), xs.end(), x) != xs.end(); }

constexpr std::uint64_t most_seeds = 400;

} // namespace

TEST_CASE("the right rules break no invariant") { CHECK(first_broken(wrong_rule::none, wr::none, 200) == -1); }

TEST_CASE("invariant 1: draining below N, or before the replacement is available, is noticed") {
  CHECK(first_broken(wrong_rule::drain_below_n, wr::none, most_seeds) == 1);
  CHECK(is_one_of(first_broken(wrong_rule::drains_early, wr::none, most_seeds), {1, 11}));
}

TEST_CASE("invariant 2: a wave that is too wide, or that does not wait for the last one, is noticed") {
  CHECK(is_one_of(first_broken(wrong_rule::round_up, wr::none, most_seeds), {2, 6}));
  CHECK(first_broken(wrong_rule::wave_ignores_stopping, wr::none, most_seeds) == 2);
}

TEST_CASE("invariant 3: a request that fails for no reason, or has two outcomes, is noticed") {
  CHECK(first_broken(wrong_rule::none, wr::refuses_meanwhile, most_seeds) == 3);
  CHECK(first_broken(wrong_rule::none, wr::answers_twice, most_seeds) == 3);
}

TEST_CASE("invariant 4: a rollout that never ends is noticed") {
  CHECK(is_one_of(first_broken(wrong_rule::keeps_surplus, wr::none, most_seeds), {2, 4, 10}));
  CHECK(is_one_of(first_broken(wrong_rule::no_retry, wr::none, most_seeds), {4, 10}));
  CHECK(is_one_of(first_broken(wrong_rule::none, wr::loses_stopped, most_seeds), {4, 10}));
}

TEST_CASE("invariant 5: starting a superseded target is noticed") {
  CHECK(first_broken(wrong_rule::starts_superseded, wr::none, most_seeds) == 5);
}

TEST_CASE("invariant 6: a replica with an old config, or too many that reconfigure at once, is noticed") {
  CHECK(first_broken(wrong_rule::skips_config, wr::none, most_seeds) == 6);
  CHECK(is_one_of(first_broken(wrong_rule::reconfigure_all, wr::none, most_seeds), {2, 6}));
}

TEST_CASE("invariant 6: a handler that still works during a reconfigure is noticed") {
  CHECK(is_one_of(first_broken(wrong_rule::none, wr::answers_early, most_seeds), {6, 12}));
}

TEST_CASE("invariant 7: believing a message that was overtaken is noticed") {
  CHECK(is_one_of(first_broken(wrong_rule::trusts_old_room, wr::none, most_seeds, 1500), {2, 7}));
}

TEST_CASE("invariant 8: a change that is acknowledged and not stored, or not yet, is noticed") {
  CHECK(first_broken(wrong_rule::scale_not_stored, wr::none, most_seeds) == 8);
  CHECK(first_broken(wrong_rule::none, wr::unsynced_answers, most_seeds) == 8);
}

TEST_CASE("invariant 9: a request that is begun again is noticed") {
  CHECK(first_broken(wrong_rule::none, wr::always_idempotent, most_seeds) == 9);
}

TEST_CASE("invariant 10: an object that is never destroyed is noticed") {
  CHECK(first_broken(wrong_rule::none, wr::leaks_object, most_seeds) == 10);
}

TEST_CASE("invariant 11: a target that fills more than its first wave is noticed") {
  CHECK(first_broken(wrong_rule::fills_with_target, wr::none, most_seeds) == 11);
}

TEST_CASE("invariant 12: more requests at a replica than allowed, or out of order, is noticed") {
  CHECK(first_broken(wrong_rule::none, wr::exceeds_limit, most_seeds) == 12);
  CHECK(first_broken(wrong_rule::none, wr::overtakes, most_seeds) == 12);
}
