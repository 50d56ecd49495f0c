// What does a controller with 10,000 healthy replicas cost while nothing happens? Against the same system without them.
#include "deployed.hpp"
#include "machine.hpp"
#include "questions.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace troupe::bench {

namespace {

/// Processor time in percent of one core.
double percent_during(std::chrono::seconds time) {
  const auto start = steady::now();
  const auto cpu = cpu_seconds();
  std::this_thread::sleep_for(time);
  return 100 * (cpu_seconds() - cpu) / seconds_since(start);
}

/// `time` is a multiple of the check period, so that each replica is checked as often.
sample idle(unsigned n, std::chrono::seconds time, const std::string& policy) {
  deployed all{policy};
  if (n > 0)
    all.deploy<checked>(deployed::options_for(n, "1"));
  std::this_thread::sleep_for(std::chrono::seconds{2}); // what starting left to do
  return {percent_during(time)};
}

} // namespace

void add_idle(suite& to) {
  const auto n = to.quick ? 1'000U : 10'000U;
  const auto time = std::chrono::seconds{to.quick ? 10 : 20};
  const auto policy = to.policy;
  to.questions.push_back({.name = "idle/" + short_number(n),
                          .unit = "% of a core",
                          .how = comparison::difference_at_most,
                          .bound = 2,
                          .ours = {"controller", [=] { return idle(n, time, policy); }},
                          .references = {{"no deployment", [=] { return idle(0, time, policy); }}}});
}

} // namespace troupe::bench
