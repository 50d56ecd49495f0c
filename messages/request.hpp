// What travels with every request, and how a request ends.
#pragma once

#include <troupe/messages/caf_compat.hpp>

#include <caf/optional.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

/// The texts that only some requests carry. Immutable once the request is sent; shared by the calls that inherit it.
struct request_tags {
  std::string request_id;  ///< From outside (`x-request-id`); empty = the number in the context is the id.
  std::string traceparent; ///< W3C trace context, verbatim.
  std::string tracestate;
  std::string session_id; ///< Keeps a session on one replica where the router supports it.
  std::string model_id;
  /// `[application/]name` of the deployment that called, where the request came from another process; empty = the
  /// outside. Inside one process `request_context::caller` knows it without this.
  std::string caller;
  friend bool operator==(const request_tags&, const request_tags&) = default;
};
TROUPE_INSPECT(request_tags, x.request_id, x.traceparent, x.tracestate, x.session_id, x.model_id, x.caller)

/// The context on the wire: the deadline travels as the time that remains (clocks of machines differ).
struct wire_context {
  static constexpr auto no_deadline = std::chrono::nanoseconds::max();

  std::uint64_t request_number = 0;
  std::chrono::nanoseconds remaining = no_deadline;
  caf::optional<request_tags> tags; ///< None: all are empty.
};
TROUPE_INSPECT(wire_context, x.request_number, x.remaining, x.tags)

} // namespace troupe
