// What a server counts: per I/O thread without contention, summed when it is read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>

namespace troupe::http {

/// Written by one thread, read by any.
class tally {
public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Of one I/O thread.
struct thread_counters {
  tally connections; ///< Taken.
  tally refused;     ///< Connections beyond the limit.
  tally requests;    ///< Read whole.
  tally bytes_in;
  tally bytes_out;
  tally disconnects;             ///< Clients that went away with a request open.
  std::array<tally, 200> errors; ///< By status - 400: answers that the server gave by itself.
};

/// What all threads of a server share: what is there now.
struct totals {
  std::atomic<std::uint32_t> connections{0};
  std::atomic<std::uint32_t> requests{0};   ///< In flight: read whole and not answered.
  std::atomic<std::uint64_t> body_bytes{0}; ///< Of those and of what is being read.
};

/// A copy for who looks.
struct figures {
  std::uint64_t connections_taken = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t disconnects = 0;
  std::map<std::uint16_t, std::uint64_t> errors; ///< By status; what handlers answer is not here.
  std::uint32_t connections = 0;                 ///< Now.
  std::uint32_t requests_in_flight = 0;          ///< Now.
  std::uint64_t body_bytes_in_flight = 0;        ///< Now.
};

} // namespace troupe::http
