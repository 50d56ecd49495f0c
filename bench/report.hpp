// Shows outcomes: a table for people, JSON for machines.
#pragma once

#include "harness.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace troupe::bench {

/// Where and with what the figures were made.
struct provenance {
  std::string machine;
  std::string commit;
  std::string build; ///< "release" or "debug".
};

void print_table(std::ostream& out, const provenance& from, const std::vector<outcome>& outcomes);

/// An array with one object per line: name, ours, reference, unit, ratio, bound, holds, spread, rounds, machine,
/// commit.
void write_json(std::ostream& out, const provenance& from, const std::vector<outcome>& outcomes);

} // namespace troupe::bench
