// The end: a table of what happened and whether every promise was kept.
#pragma once

#include "ledger.hpp"
#include "witness.hpp"

namespace spellcheck {

/// Prints the table, and a line for each broken promise; whether all were kept.
bool print_verdict(const std::vector<update>& updates, const ledger& book);

} // namespace spellcheck
