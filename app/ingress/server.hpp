// The ingress: an HTTP server in front of deployments.
#pragma once

#include <troupe/app/http/options.hpp>
#include <troupe/app/ingress/counters.hpp>
#include <troupe/app/ingress/options.hpp>
#include <troupe/app/ingress/route_table.hpp>

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::ingress {

/// Each I/O thread runs inlined replicas itself. `listen` and `start` come first and from one thread; the rest is
/// thread-safe. The actor system outlives it. A route's router may be of a deployment that is gone: its requests get
/// 503.
///
///   ingress::server front{rt.system()};
///   front.listen("127.0.0.1", 8000);
///   front.set_routes({{.prefix = "/", .deployment = {"default", "hello"},
///                      .to = rt.handle<response(request)>("hello").destination()}});
///   front.set_ready(true);
///   front.start(1);
class server {
public:
  explicit server(caf::actor_system& sys, options own = {}, http::options limits = {});
  ~server(); ///< As `stop`.
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// As those of `http::server`.
  std::uint16_t listen(const std::string& address, std::uint16_t port);
  std::uint16_t listen(int fd);
  void start(unsigned threads = 1);

  /// Replaces all routes. A request that is under way ends where it was sent.
  void set_routes(std::vector<route> routes);
  /// /-/healthz and /-/routes answer 503 until it is true and `set_routes` was called once.
  void set_ready(bool ready);

  /// /-/healthz answers 503, answers close their connections; new connections are still taken.
  void begin_drain();
  void stop_listening();
  bool wait_idle(std::chrono::steady_clock::time_point until);
  void stop();

  figures counted() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace troupe::ingress
