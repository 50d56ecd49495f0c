#include <troupe/app/cluster/node_ingress.hpp>
#include <troupe/app/daemon/http_door.hpp>

#include <system_error>
#include <utility>

namespace troupe::cluster {

namespace {

constexpr const char* address_option = "--http-address";

} // namespace

node_ingress::node_ingress(caf::actor_system& system, const node_http& options, daemon::log_lines& log)
    : accesses_(options.access_log.empty() ? nullptr : std::make_unique<daemon::access_log>(options.access_log)),
      server_(system, daemon::ingress_options(options.limits.request_timeout, accesses_.get(), log),
              daemon::http_limits(options.limits)) {
  daemon::check_address(options.address, address_option, options.insecure);
  try {
    port_ = server_.listen(daemon::listen_address(options.address), options.address.port);
  } catch (const std::system_error& e) {
    daemon::cannot_listen(options.address, address_option, e.code());
  }
  server_.start(options.threads);
}

void node_ingress::set_routes(std::vector<ingress::route> routes) {
  const std::lock_guard guard{changing_};
  const bool any = !routes.empty();
  server_.set_routes(std::move(routes));
  server_.set_ready(any);
}

void node_ingress::begin_drain() { server_.begin_drain(); }
void node_ingress::stop_listening() { server_.stop_listening(); }
bool node_ingress::wait_idle(std::chrono::steady_clock::time_point until) { return server_.wait_idle(until); }
void node_ingress::stop() { server_.stop(); }

} // namespace troupe::cluster
