// How a request ended, and what its client is told.
#pragma once

#include <troupe/actors/router/router.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/http.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::ingress {

/// For counters. Never renumber.
enum class outcome : std::uint8_t {
  answered = 0,     ///< By user code, whatever the status.
  timed_out = 1,    ///< 408
  dropped = 2,      ///< Backpressure: 503 or 429.
  unavailable = 3,  ///< 503
  failed = 4,       ///< 500: user code threw, dropped its promise, or died.
  disconnected = 5, ///< 499: the client went away.
};
inline constexpr std::size_t outcomes = 6;
std::string to_string(outcome x);
outcome outcome_of(errc code) noexcept;

/// What the answer to a failed request depends on, besides its error.
struct failure_context {
  std::string_view request_id;
  std::chrono::milliseconds timeout{0};
  std::uint16_t backpressure_status = 503;
  std::uint32_t retry_after_s = 0;
  const router* to = nullptr; ///< Whose figures the text names; may be null.
};

/// Holds nothing of what user code said, nor of ours.
response answer_for(const error& why, const failure_context& context);

} // namespace troupe::ingress
