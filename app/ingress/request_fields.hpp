// What the ingress reads from a request's head: id, timeout, trace, session, model.
#pragma once

#include <troupe/messages/http.hpp>
#include <troupe/messages/request.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::ingress {

/// Views are into the request.
struct request_fields {
  std::string_view request_id;  ///< Empty: none was sent, or one longer than 256 bytes.
  std::string_view traceparent; ///< Empty: none, or not of the form that W3C Trace Context asks for.
  std::string_view tracestate;
  std::string_view session_id;
  std::string_view model_id;
  std::string_view timeout;     ///< As sent.
  bool stays_when_gone = false; ///< The client's leaving shall not cancel it (`x-request-disconnect-disabled: ?1`).

  bool has_tags() const noexcept {
    return !request_id.empty() || !traceparent.empty() || !session_id.empty() || !model_id.empty();
  }
  std::shared_ptr<const request_tags> tags() const; ///< Null where there is nothing to say.
};

request_fields read_fields(const std::vector<header_field>& headers) noexcept;

/// Seconds, with a fraction; 0 or less: no timeout, given as 0. None when the text is not a number.
std::optional<std::chrono::milliseconds> read_timeout(std::string_view seconds) noexcept;

} // namespace troupe::ingress
