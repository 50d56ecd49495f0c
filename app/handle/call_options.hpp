// What a caller may say about one request.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace troupe {

/// `h.request(self, ping{}, {.timeout = 50ms})`.
struct call_options {
  /// From now; zero or less: it has passed. None: the deadline of the request in whose handler the call is made, if
  /// any. The smaller of the two counts.
  std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
  /// Requests with the same one go to the same replica while that has room; empty = any. Of N replicas one that comes
  /// or goes moves about one key in N.
  std::string routing_key = {};
  std::string model_id = {}; ///< Multiplexed model; empty = that of the request in whose handler the call is made.
};

} // namespace troupe
