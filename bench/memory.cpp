// How much memory does an idle replica take? Against an idle bare actor.
#include "bare.hpp"
#include "deployed.hpp"
#include "machine.hpp"
#include "questions.hpp"

#include <string>

namespace troupe::bench {

namespace {

double bytes_each(std::size_t before, std::size_t after, unsigned n) {
  return (static_cast<double>(after) - static_cast<double>(before)) / n;
}

sample bare_bytes(unsigned n, const std::string& policy) {
  bare_system system{policy};
  { const bare_population warm_up{*system, 100}; }
  const auto before = heap_bytes();
  const bare_population all{*system, n};
  return {bytes_each(before, heap_bytes(), n)};
}

/// All that grows with their number counts: actor, cell, records.
sample our_bytes(unsigned n, const std::string& policy) {
  deployed all{policy};
  all.deploy<no_op>(deployed::options_for(1, "1"));
  const auto before = heap_bytes();
  all.deploy<no_op>(deployed::options_for(n + 1, "1"));
  return {bytes_each(before, heap_bytes(), n)};
}

} // namespace

void add_memory(suite& to) {
  for (const auto n : to.sizes())
    to.questions.push_back({.name = "memory/" + short_number(n),
                            .unit = "bytes",
                            .how = comparison::cost_at_most,
                            .bound = 2,
                            .ours = {"replica", [n, policy = to.policy] { return our_bytes(n, policy); }},
                            .references = both_settings("actor", to.policy, [n](auto s) { return bare_bytes(n, s); })});
  const auto [small, large] = to.growth_sizes();
  to.growths.push_back({"growth/memory", "memory/" + short_number(small), "memory/" + short_number(large)});
}

} // namespace troupe::bench
