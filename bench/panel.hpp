// Several contestants measured in the same rounds, each giving several figures; the lines of the table are drawn from
// them.
#pragma once

#include "harness.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace troupe::bench {

/// One that is measured. `run` may throw, which ends all lines of its panel.
struct contestant {
  std::string name;
  std::function<std::vector<double>()> run; ///< The figures, in the panel's order.
};

/// One comparison drawn from the rounds of a panel.
struct panel_line {
  std::string name;
  std::string unit;
  comparison how = comparison::rate_at_least;
  double bound = 0; ///< 0 = for information only.
  std::size_t figure = 0;
  std::size_t ours = 0;      ///< Index of a contestant.
  std::size_t reference = 0; ///< Likewise.
};

struct panel {
  std::vector<contestant> contestants;
  std::vector<panel_line> lines;
  int rounds = 6; ///< The first is dropped.
};

/// Runs the panel if one of its lines matches the filter, and appends the outcomes of those that do. Rounds with more
/// steal than 1 % are repeated; other processes are part of what is measured, so that these do not count against it.
void run(const panel& what, const run_options& options, std::vector<outcome>& results);

} // namespace troupe::bench
