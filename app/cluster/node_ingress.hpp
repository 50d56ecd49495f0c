// The ingress of a node: HTTP in the node's own process.
#pragma once

#include <troupe/app/cluster/node.hpp>
#include <troupe/app/daemon/logs.hpp>
#include <troupe/app/ingress/route_table.hpp>
#include <troupe/app/ingress/server.hpp>

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::cluster {

/// `set_routes` is thread-safe; the rest is for the thread that made it. The end is that of the daemon, in this order:
/// `begin_drain`, `stop_listening`, `wait_idle`, `stop`. The actor system and `log` outlive it.
class node_ingress {
public:
  /// Takes requests when it returns: /-/healthz answers 503 and all else 404 until there are routes. Throws
  /// `std::runtime_error` with what to do: not a loopback address and not `insecure`, an address that is taken, an
  /// access log that cannot be written.
  node_ingress(caf::actor_system& system, const node_http& options, daemon::log_lines& log);
  ~node_ingress() = default; ///< As `stop`.
  node_ingress(const node_ingress&) = delete;
  node_ingress& operator=(const node_ingress&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  /// Replaces all routes. /-/healthz answers 200 while there are any: a node that got an empty table (`proxy_location:
  /// HeadOnly`, or nothing is deployed) has nothing for the requests that a load balancer would send.
  void set_routes(std::vector<ingress::route> routes);

  /// /-/healthz answers 503, answers close their connections; requests and new connections are still taken.
  void begin_drain();
  void stop_listening();
  /// False: connections were still open at `until`.
  bool wait_idle(std::chrono::steady_clock::time_point until);
  /// Cuts off what is left. Idempotent.
  void stop();

private:
  std::unique_ptr<daemon::access_log> accesses_; ///< Null: none.
  std::mutex changing_;                          ///< Routes and readiness change together.
  ingress::server server_;
  std::uint16_t port_ = 0;
};

} // namespace troupe::cluster
