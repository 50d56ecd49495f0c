// What does it cost to replace all replicas? Against spawning and stopping as many bare actors.
#include "bare.hpp"
#include "deployed.hpp"
#include "machine.hpp"
#include "questions.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::bench {

namespace {

unsigned repeats(unsigned n) { return 40'000 / n; }

sample spawn_and_stop(unsigned n, const std::string& policy) {
  bare_system system{policy};
  { const bare_population warm_up{*system, n / 20}; }
  const auto before = resident_mib();
  reset_peak();
  return median_of(repeats(n), [&]() -> sample {
    const auto start = steady::now();
    { const bare_population all{*system, n}; }
    return {seconds_since(start) * 1e3, peak_mib() - before};
  });
}

sample roll_out(unsigned n, const std::string& policy) {
  deployed all{policy};
  all.deploy<no_op>(deployed::options_for(1, "0")); // warms up
  const auto before = resident_mib();
  reset_peak();
  all.deploy<no_op>(deployed::options_for(n, "1"));
  int version = 1;
  return median_of(repeats(n), [&]() -> sample {
    const auto start = steady::now();
    all.deploy<no_op>(deployed::options_for(n, std::to_string(++version)));
    return {seconds_since(start) * 1e3, peak_mib() - before};
  });
}

} // namespace

void add_rollout(suite& to) {
  auto sizes = to.sizes();
  if (!to.quick)
    sizes.push_back(1'000'000);
  for (const auto n : sizes) {
    const bool huge = n > 100'000;
    to.questions.push_back(
        {.name = "rollout/" + short_number(n),
         .unit = "ms",
         .how = comparison::cost_at_most,
         .bound = huge ? 0.0 : 3.0,
         .ours = {"deploy v2 over v1", [n, policy = to.policy] { return roll_out(n, policy); }},
         .references = both_settings("spawn and stop", to.policy, [n](auto s) { return spawn_and_stop(n, s); }),
         .rounds = huge ? 3 : 6});
  }
  const auto [small, large] = to.growth_sizes();
  to.growths.push_back({"growth/rollout", "rollout/" + short_number(small), "rollout/" + short_number(large)});
}

} // namespace troupe::bench
