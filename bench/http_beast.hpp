// The reference: Boost.Beast as its examples show it.
#pragma once

namespace troupe::bench {

/// Prints its port, serves until standard input ends.
void serve_beast();

} // namespace troupe::bench
