// One random run of the machine per seed; replays exactly.
#pragma once

#include "machine_world.hpp"

namespace troupe::deployment_state::test {

struct run_result {
  std::vector<std::string> broken;
  std::vector<std::string> trace; ///< Empty unless asked for.
  std::uint64_t events = 0;
};

run_result run_seed(std::uint64_t seed, wrong_rule wrong = wrong_rule::none, bool tracing = false);

} // namespace troupe::deployment_state::test
