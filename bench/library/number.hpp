// What benchmarks ask and get over a process's border.
#pragma once

#include <cstdint>

namespace troupe::bench {

struct number {
  std::uint64_t value = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, number& x) {
  return f(x.value);
}

} // namespace troupe::bench
