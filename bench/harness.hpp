// Rounds, ratios and bounds: how a figure of ours is compared with the bare thing's.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace troupe::bench {

/// What one measurement gave: a rate or a cost, and where it was asked for the peak of resident memory while it ran.
struct sample {
  double value = 0;
  double peak_mib = 0; ///< 0 = not measured.
};

/// One way to do the thing. `run` sets up, warms up, measures and tears down; it may throw, which ends its line.
struct side {
  std::string name;
  std::function<sample()> run;
};

/// How the two figures are compared with the bound.
enum class comparison {
  rate_at_least,     ///< ours / reference >= bound; more is better.
  cost_at_most,      ///< ours / reference <= bound; less is better.
  difference_at_most ///< ours - reference <= bound; less is better.
};

/// One line of the table: ours against the best of the references, measured in alternation.
struct question {
  std::string name; ///< "what/how/size"; what `--filter` looks into.
  std::string unit;
  comparison how = comparison::cost_at_most;
  double bound = 0; ///< 0 = for information only.
  side ours;
  std::vector<side> references; ///< The better one (by median) counts.
  int rounds = 6;               ///< The first is dropped.
};

/// A line derived from two others: ours(large) / ours(small) against the reference's own growth. Rates count as costs.
struct growth {
  std::string name;
  std::string small; ///< Names of questions.
  std::string large;
  double bound = 1.2;
};

struct panel; // panel.hpp

/// All questions of one run, in the order of asking. Filled by the `add_...` functions of bench/questions.hpp.
struct suite {
  std::vector<question> questions;
  std::vector<growth> growths;
  std::vector<panel> panels;
  std::string policy = "sharing"; ///< CAF's scheduler policy of our runtime.
  bool quick = false;             ///< Small sizes and few rounds: shows that all runs, proves nothing.

  /// `sizes` with which questions are asked: 1 k, 10 k, 100 k; when quick 100 and 1 k.
  std::vector<unsigned> sizes() const;
  /// The two sizes between which growth is looked at.
  std::pair<unsigned, unsigned> growth_sizes() const;
};

/// What a line came to.
struct outcome {
  std::string name;
  std::string unit;
  std::string reference_name;
  std::string error; ///< Why there are no figures; else empty.
  comparison how = comparison::cost_at_most;
  double bound = 0;
  double ours = 0; ///< Medians over the rounds that count.
  double reference = 0;
  double ratio = 0;         ///< Median of the per-round ratios (or differences).
  double ours_peak_mib = 0; ///< 0 = not measured.
  double reference_peak_mib = 0;
  std::vector<double> ratios; ///< Per round.
  std::vector<double> all_ours;
  std::vector<double> all_reference;
  double steal_percent = 0;   ///< Most of a round that counts.
  double foreign_percent = 0; ///< Mean share of one core that other processes took.
  int repeated = 0;           ///< Rounds that were thrown away because others disturbed them.

  bool holds() const;
};

struct run_options {
  std::string filter;
  int rounds = 0;               ///< 0 = as the question says.
  bool repeat_disturbed = true; ///< Rounds that others disturbed do not count, at most half of all.
  double quiet_seconds = 0;     ///< Longest wait for other processes to be quiet before a round.
};

/// Asks what matches the filter; tells progress on stderr.
std::vector<outcome> run(const suite& what, const run_options& options);

double median(std::vector<double> values);

/// Small things are measured several times within one round: the median of the values.
sample median_of(unsigned times, const std::function<sample()>& measure);
std::string describe(const question& q, const sample& s);

} // namespace troupe::bench
