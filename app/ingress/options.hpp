// What an ingress may be told, besides the limits of its HTTP server.
#pragma once

#include <troupe/app/ingress/outcome.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/error.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe::ingress {

/// One request, for the access log. Views are valid during the call.
struct access {
  std::string_view peer;
  std::string_view method;
  std::string_view target;
  std::string_view request_id;
  std::string_view route;                      ///< Its prefix; empty when none matched.
  const deployment_name* deployment = nullptr; ///< Null when none matched.
  std::uint16_t status = 0;
  outcome how = outcome::answered;
  std::uint64_t body_bytes = 0; ///< Of the answer.
  std::chrono::nanoseconds took{0};
};

/// The hooks run on I/O threads: they must be quick and not throw.
struct options {
  std::chrono::milliseconds request_timeout{600'000}; ///< From the request's end to its answer. 0 = none.
  std::function<void(const access&)> on_access{};     ///< Empty: no access log, and no cost.
  /// Why a request got 500: the client is not told.
  std::function<void(const deployment_name&, std::string_view request_id, const error&)> on_failure{};
};

} // namespace troupe::ingress
