// What the benchmarks' actors say to each other; local to one process.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>

namespace troupe::bench {

struct ping {
  std::uint64_t number = 0;
};

struct pong {
  std::uint64_t number = 0;
};

/// Starts a client.
struct begin_calls {};

} // namespace troupe::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::bench::ping)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::bench::pong)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::bench::begin_calls)
