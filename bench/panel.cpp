// Rounds of a panel.
#include "panel.hpp"

#include "machine.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

namespace troupe::bench {

namespace {

constexpr double most_steal = 1; // percent of all processors

struct panel_round {
  std::vector<std::vector<double>> figures; // by contestant
  double steal = 0;
};

/// Odd rounds go backwards, so that nobody always comes first.
panel_round run_round(const panel& what, int number) {
  const auto n = what.contestants.size();
  panel_round result;
  result.figures.resize(n);
  const auto before = take_load();
  for (std::size_t i = 0; i < n; ++i) {
    const auto k = number % 2 == 0 ? i : n - 1 - i;
    result.figures[k] = what.contestants[k].run();
  }
  result.steal = steal_percent(before, take_load());
  std::cerr << "round " << number << ":";
  for (std::size_t k = 0; k < n; ++k) {
    std::cerr << " " << what.contestants[k].name;
    for (const auto x : result.figures[k])
      std::fprintf(stderr, " %.4g", x);
    std::cerr << (k + 1 < n ? "," : "");
  }
  std::fprintf(stderr, " (steal %.1f %%)\n", result.steal);
  return result;
}

} // namespace

void run(const panel& what, const run_options& options, std::vector<outcome>& results) {
  const auto matches = [&](const panel_line& x) { return x.name.find(options.filter) != std::string::npos; };
  if (std::none_of(what.lines.begin(), what.lines.end(), matches))
    return;
  std::cerr << what.lines.front().name << " and the lines beside it\n";
  std::vector<panel_round> rounds;
  std::string error;
  int repeated = 0;
  const auto wanted = options.rounds > 0 ? options.rounds : what.rounds;
  try {
    for (int i = 0; static_cast<int>(rounds.size()) < wanted; ++i) {
      auto x = run_round(what, i);
      if (options.repeat_disturbed && x.steal > most_steal && repeated < wanted) {
        ++repeated;
        continue;
      }
      rounds.push_back(std::move(x));
    }
  } catch (const std::exception& e) {
    error = e.what();
    std::cerr << error << "\n";
  }
  if (rounds.size() > 1)
    rounds.erase(rounds.begin());
  for (const auto& line : what.lines) {
    if (!matches(line))
      continue;
    outcome x;
    x.name = line.name;
    x.unit = line.unit;
    x.how = line.how;
    x.bound = line.bound;
    x.reference_name = what.contestants[line.reference].name;
    x.error = error;
    x.repeated = repeated;
    for (const auto& r : rounds) {
      x.steal_percent = std::max(x.steal_percent, r.steal);
      x.all_ours.push_back(r.figures[line.ours].at(line.figure));
      x.all_reference.push_back(r.figures[line.reference].at(line.figure));
      x.ratios.push_back(x.all_ours.back() / x.all_reference.back());
    }
    x.ours = median(x.all_ours);
    x.reference = median(x.all_reference);
    x.ratio = median(x.ratios);
    results.push_back(std::move(x));
  }
}

} // namespace troupe::bench
