// What must hold of every input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace troupe::fuzz {

/// Else the process ends with `what` on stderr, which is a finding.
inline void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

} // namespace troupe::fuzz
