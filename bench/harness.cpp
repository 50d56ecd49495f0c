// Runs the rounds and works out the ratios.
#include "harness.hpp"

#include "machine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>

namespace troupe::bench {

namespace {

/// A round during which others took more than this does not count, as long as there are tries left.
constexpr double most_steal = 1;    // percent of all processors
constexpr double most_foreign = 10; // percent of one core

struct round_figures {
  sample ours;
  std::vector<sample> references;
  double steal = 0;
  double foreign = 0;
  double seconds = 0;

  /// The counters move in steps of 10 ms: they say nothing about short rounds.
  bool disturbed() const { return seconds > 0.3 && (steal > most_steal || foreign > most_foreign); }
};

void wait_until_quiet(double longest_seconds) {
  const auto start = steady::now();
  while (seconds_since(start) < longest_seconds) {
    const auto before = take_load();
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    const auto after = take_load();
    if (foreign_percent(before, after) < most_foreign && steal_percent(before, after) < most_steal)
      return;
  }
}

/// One round of all sides; odd rounds go backwards, so that nobody always comes first.
round_figures run_round(const question& q, int number) {
  std::vector<const side*> sides{&q.ours};
  for (const auto& r : q.references)
    sides.push_back(&r);
  std::vector<sample> samples(sides.size());
  const auto before = take_load();
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const auto k = number % 2 == 0 ? i : sides.size() - 1 - i;
    trim_heap();
    if (sides[k]->run) // a side may be missing
      samples[k] = sides[k]->run();
  }
  const auto after = take_load();
  round_figures result;
  result.ours = samples[0];
  result.references.assign(samples.begin() + 1, samples.end());
  result.steal = steal_percent(before, after);
  result.foreign = foreign_percent(before, after);
  result.seconds = std::chrono::duration<double>(after.at - before.at).count();
  return result;
}

double compare(comparison how, double ours, double reference) {
  if (how == comparison::difference_at_most)
    return ours - reference;
  return reference == 0 ? 0 : ours / reference;
}

/// Index of the reference with the better median; 0 when there is one only.
std::size_t best_reference(const question& q, const std::vector<round_figures>& rounds) {
  std::size_t best = 0;
  double best_value = 0;
  for (std::size_t k = 0; k < q.references.size(); ++k) {
    std::vector<double> values;
    values.reserve(rounds.size());
    for (const auto& r : rounds)
      values.push_back(r.references[k].value);
    const auto value = median(values);
    const bool better = q.how == comparison::rate_at_least ? value > best_value : value < best_value;
    if (k == 0 || better) {
      best = k;
      best_value = value;
    }
  }
  return best;
}

outcome ask(const question& q, const run_options& options) {
  outcome result;
  result.name = q.name;
  result.unit = q.unit;
  result.how = q.how;
  result.bound = q.bound;
  std::vector<round_figures> rounds;
  const auto wanted = options.rounds > 0 ? options.rounds : q.rounds;
  try {
    auto tries = 2 * wanted;
    for (int i = 0; static_cast<int>(rounds.size()) < wanted; ++i, --tries) {
      wait_until_quiet(options.quiet_seconds);
      auto r = run_round(q, i);
      std::cerr << q.name << " round " << i << ": ours " << describe(q, r.ours);
      for (std::size_t k = 0; k < q.references.size(); ++k)
        std::cerr << ", " << q.references[k].name << " " << describe(q, r.references[k]);
      std::fprintf(stderr, " (steal %.1f %%, others %.0f %%)\n", r.steal, r.foreign);
      if (options.repeat_disturbed && r.disturbed() && tries > wanted - static_cast<int>(rounds.size())) {
        ++result.repeated;
        continue;
      }
      rounds.push_back(std::move(r));
    }
  } catch (const std::exception& e) {
    result.error = e.what();
    std::cerr << q.name << ": " << e.what() << "\n";
    return result;
  }
  if (rounds.size() > 1)
    rounds.erase(rounds.begin());
  const auto best = q.references.empty() ? 0 : best_reference(q, rounds);
  if (!q.references.empty())
    result.reference_name = q.references[best].name;
  for (const auto& r : rounds) {
    result.steal_percent = std::max(result.steal_percent, r.steal);
    result.foreign_percent += r.foreign / static_cast<double>(rounds.size());
    result.ours_peak_mib = std::max(result.ours_peak_mib, r.ours.peak_mib);
    result.all_ours.push_back(r.ours.value);
    if (q.references.empty())
      continue;
    const auto& reference = r.references[best];
    result.reference_peak_mib = std::max(result.reference_peak_mib, reference.peak_mib);
    result.all_reference.push_back(reference.value);
    result.ratios.push_back(compare(q.how, r.ours.value, reference.value));
  }
  result.ours = median(result.all_ours);
  result.reference = median(result.all_reference);
  result.ratio = median(result.ratios);
  if (!q.ours.run)
    result.error = "ours is not there yet";
  return result;
}

/// The k-th round of both lines is compared; the lines were measured one after the other.
outcome derive(const growth& g, const std::map<std::string, outcome>& known) {
  outcome result;
  result.name = g.name;
  result.unit = "x";
  result.bound = g.bound;
  const auto small = known.find(g.small);
  const auto large = known.find(g.large);
  if (small == known.end() || large == known.end() || !small->second.error.empty() || !large->second.error.empty()) {
    result.error = "needs " + g.small + " and " + g.large;
    return result;
  }
  const auto& a = small->second;
  const auto& b = large->second;
  const bool rate = a.how == comparison::rate_at_least;
  const auto growth_of = [rate](double from, double to) { return rate ? from / to : to / from; };
  result.reference_name =
      a.reference_name == b.reference_name ? a.reference_name : a.reference_name + " -> " + b.reference_name;
  for (std::size_t i = 0; i < std::min(a.ratios.size(), b.ratios.size()); ++i) {
    result.all_ours.push_back(growth_of(a.all_ours[i], b.all_ours[i]));
    result.all_reference.push_back(growth_of(a.all_reference[i], b.all_reference[i]));
    result.ratios.push_back(result.all_ours[i] / result.all_reference[i]);
  }
  result.ours = median(result.all_ours);
  result.reference = median(result.all_reference);
  result.ratio = median(result.ratios);
  result.steal_percent = std::max(a.steal_percent, b.steal_percent);
  result.foreign_percent = std::max(a.foreign_percent, b.foreign_percent);
  return result;
}

} // namespace

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

sample median_of(unsigned times, const std::function<sample()>& measure) {
  std::vector<double> values;
  sample last;
  for (unsigned i = 0; i < std::max(1U, times); ++i) {
    last = measure();
    values.push_back(last.value);
  }
  last.value = median(std::move(values));
  return last;
}

std::string describe(const question& q, const sample& s) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4g %s", s.value, q.unit.c_str());
  return text;
}

std::vector<unsigned> suite::sizes() const {
  return quick ? std::vector<unsigned>{100, 1'000} : std::vector<unsigned>{1'000, 10'000, 100'000};
}

std::pair<unsigned, unsigned> suite::growth_sizes() const {
  return quick ? std::pair{100U, 1'000U} : std::pair{10'000U, 100'000U};
}

bool outcome::holds() const {
  if (!error.empty())
    return false;
  if (bound == 0)
    return true;
  return how == comparison::rate_at_least ? ratio >= bound : ratio <= bound;
}

std::vector<outcome> run(const suite& what, const run_options& options) {
  const auto wanted = [&](const std::string& name) { return name.find(options.filter) != std::string::npos; };
  // A growth line needs the two that it compares.
  std::map<std::string, outcome> known;
  std::vector<outcome> results;
  for (const auto& q : what.questions) {
    bool needed = wanted(q.name);
    for (const auto& g : what.growths)
      needed = needed || (wanted(g.name) && (g.small == q.name || g.large == q.name));
    if (!needed)
      continue;
    results.push_back(ask(q, options));
    known[q.name] = results.back();
  }
  for (const auto& g : what.growths)
    if (wanted(g.name))
      results.push_back(derive(g, known));
  return results;
}

} // namespace troupe::bench
