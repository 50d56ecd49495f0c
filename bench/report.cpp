// Table and JSON.
#include "report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace troupe::bench {

namespace {

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, x >= 10'000 ? "%.0f" : "%.4g", x);
  return text;
}

std::string sign(comparison how) { return how == comparison::rate_at_least ? ">= " : "<= "; }

std::string verdict(const outcome& o) {
  if (!o.error.empty())
    return "ERROR";
  if (o.bound == 0)
    return "-";
  return o.holds() ? "holds" : "MISSED";
}

std::string spread(const outcome& o) {
  if (o.ratios.empty())
    return "";
  const auto [least, most] = std::minmax_element(o.ratios.begin(), o.ratios.end());
  return number(*least) + ".." + number(*most);
}

} // namespace

void print_table(std::ostream& out, const provenance& from, const std::vector<outcome>& outcomes) {
  out << from.machine << "; commit " << from.commit << "; " << from.build << " build\n\n";
  std::size_t width = 4;
  for (const auto& o : outcomes)
    width = std::max(width, o.name.size());
  char line[512];
  std::snprintf(line, sizeof line, "%-*s %12s %12s %-10s %8s %-16s %-9s %-7s %6s %6s  %s\n", static_cast<int>(width),
                "name", "ours", "reference", "unit", "ratio", "spread", "bound", "verdict", "steal%", "other%",
                "against");
  out << line;
  for (const auto& o : outcomes) {
    const auto bound = o.bound == 0 ? std::string{"-"} : sign(o.how) + number(o.bound);
    std::snprintf(line, sizeof line, "%-*s %12s %12s %-10s %8s %-16s %-9s %-7s %6.1f %6.0f  %s%s%s\n",
                  static_cast<int>(width), o.name.c_str(), number(o.ours).c_str(), number(o.reference).c_str(),
                  o.unit.c_str(), number(o.ratio).c_str(), spread(o).c_str(), bound.c_str(), verdict(o).c_str(),
                  o.steal_percent, o.foreign_percent, o.reference_name.c_str(), o.error.empty() ? "" : "  ",
                  o.error.c_str());
    out << line;
    if (o.ours_peak_mib > 0) {
      std::snprintf(line, sizeof line, "%-*s %12s %12s MiB at peak\n", static_cast<int>(width), "",
                    number(o.ours_peak_mib).c_str(), number(o.reference_peak_mib).c_str());
      out << line;
    }
  }
  const auto missed = std::count_if(outcomes.begin(), outcomes.end(), [](const auto& o) { return !o.holds(); });
  out << "\n" << outcomes.size() << " lines, " << missed << " missed\n";
}

void write_json(std::ostream& out, const provenance& from, const std::vector<outcome>& outcomes) {
  auto all = nlohmann::json::array();
  for (const auto& o : outcomes) {
    nlohmann::json line{
        {"name", o.name},
        {"ours", o.ours},
        {"reference", o.reference},
        {"reference_name", o.reference_name},
        {"unit", o.unit},
        {"ratio", o.ratio},
        {"comparison", o.how == comparison::rate_at_least  ? "ratio_at_least"
                       : o.how == comparison::cost_at_most ? "ratio_at_most"
                                                           : "difference_at_most"},
        {"bound", o.bound == 0 ? nlohmann::json{} : nlohmann::json(o.bound)},
        {"holds", o.holds()},
        {"rounds", o.ratios.size()},
        {"rounds_repeated", o.repeated},
        {"steal_percent", o.steal_percent},
        {"others_percent", o.foreign_percent},
        {"machine", from.machine},
        {"commit", from.commit},
        {"build", from.build},
    };
    if (!o.ratios.empty()) {
      const auto [least, most] = std::minmax_element(o.ratios.begin(), o.ratios.end());
      line["spread"] = {{"least", *least}, {"most", *most}, {"ratios", o.ratios}};
    }
    if (o.ours_peak_mib > 0)
      line["peak_mib"] = {{"ours", o.ours_peak_mib}, {"reference", o.reference_peak_mib}};
    if (!o.error.empty())
      line["error"] = o.error;
    all.push_back(std::move(line));
  }
  out << all.dump(2) << "\n";
}

} // namespace troupe::bench
