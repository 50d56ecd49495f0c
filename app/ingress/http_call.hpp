// Private to app/ingress/: one request on its way through a deployment and back to its connection.
#pragma once

#include <troupe/actors/router/call.hpp>
#include <troupe/app/http/responder.hpp>
#include <troupe/app/ingress/counters.hpp>
#include <troupe/app/ingress/options.hpp>
#include <troupe/app/ingress/route_table.hpp>
#include <troupe/messages/http.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace troupe::ingress {

/// The one allocation of a request: what came in, what is answered, and the way back. Its outcome is turned into an
/// answer on its connection's thread; where it comes about elsewhere, the call itself goes through that thread's inbox.
class http_call final : public typed_call<troupe::response(troupe::request)>, private http::task {
public:
  http_call(troupe::request&& x, http::responder&& to, const route& where, deployment_counters& counters,
            const options& opts, time_point start, std::chrono::milliseconds timeout);

  /// The client's leaving cancels it from now on.
  void watch_client();

private:
  /// What only the access log needs.
  struct note {
    std::string peer, method, target, route;
  };

  void deliver() noexcept override;
  void run() noexcept override;
  void drop() noexcept override;
  void finish() noexcept;

  http::responder to_;
  deployment_counters& counters_;
  const options& opts_;
  const router* const at_; // the call keeps it alive
  const time_point start_;
  const std::chrono::milliseconds timeout_;
  const std::uint32_t retry_after_s_;
  const std::uint16_t backpressure_status_;
  std::unique_ptr<const note> note_; // when there is an access log
};

} // namespace troupe::ingress
