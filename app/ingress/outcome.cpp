// Error codes to statuses and texts.
#include <troupe/app/ingress/outcome.hpp>

#include <cstdio>

namespace troupe::ingress {

namespace {

std::string seconds(std::chrono::milliseconds x) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", static_cast<double>(x.count()) / 1000);
  return text;
}

} // namespace

std::string to_string(outcome x) {
  switch (x) {
  case outcome::answered:
    return "answered";
  case outcome::timed_out:
    return "timed_out";
  case outcome::dropped:
    return "dropped";
  case outcome::unavailable:
    return "unavailable";
  case outcome::failed:
    return "failed";
  case outcome::disconnected:
    return "disconnected";
  }
  return "unknown";
}

outcome outcome_of(errc code) noexcept {
  switch (code) {
  case errc::none:
    return outcome::answered;
  case errc::timed_out:
    return outcome::timed_out;
  case errc::backpressure:
    return outcome::dropped;
  case errc::cancelled:
    return outcome::disconnected;
  case errc::unavailable:
  case errc::unknown_deployment:
  case errc::runtime_stopped:
    return outcome::unavailable;
  case errc::invalid_spec:
  case errc::rejected:
  case errc::replica_died:
  case errc::handler_failed:
  case errc::promise_dropped:
  case errc::signature_mismatch:
  case errc::not_registered:
  case errc::not_stored:
    return outcome::failed;
  }
  return outcome::failed;
}

response answer_for(const error& why, const failure_context& context) {
  switch (outcome_of(why.code)) {
  case outcome::timed_out:
    return response::text(408, "Request " + std::string{context.request_id} + " timed out after " +
                                   seconds(context.timeout) + " s.\n");
  case outcome::dropped: {
    std::string text = "Request dropped due to backpressure";
    if (context.to)
      text += " (queued: " + std::to_string(context.to->queued()) +
              ", max_queued_requests: " + std::to_string(context.to->limits().max_queued) + ")";
    auto result = response::text(context.backpressure_status, text + ".\n");
    if (context.retry_after_s > 0)
      result.headers.push_back({"Retry-After", std::to_string(context.retry_after_s)});
    return result;
  }
  case outcome::unavailable:
    return response::text(503, "Service Unavailable: the deployment is unavailable.\n");
  case outcome::disconnected:
    return response::text(499, "The request was cancelled.\n");
  case outcome::answered:
  case outcome::failed:
    return response::text(500, "Internal Server Error\n");
  }
  return response::text(500, "Internal Server Error\n");
}

} // namespace troupe::ingress
