#include <troupe/app/cluster/node_routes.hpp>

#include <chrono>
#include <utility>

namespace troupe::cluster {

node_routes node_routes_of(const std::vector<ingress::route>& routes) {
  node_routes out;
  for (const auto& x : routes)
    out.routes.push_back({.prefix = x.prefix,
                          .deployment = x.deployment,
                          .request_timeout_ms = x.request_timeout ? x.request_timeout->count() : -1,
                          .backpressure_status = x.backpressure_status,
                          .retry_after_s = x.retry_after_s});
  return out;
}

std::vector<ingress::route>
ingress_routes_of(const node_routes& told,
                  const std::function<std::shared_ptr<router>(const deployment_name&)>& router_of) {
  std::vector<ingress::route> out;
  for (const auto& x : told.routes) {
    auto to = router_of(x.deployment);
    if (!to)
      continue;
    ingress::route one{.prefix = x.prefix,
                       .deployment = x.deployment,
                       .to = std::move(to),
                       .request_timeout = std::nullopt,
                       .backpressure_status = x.backpressure_status,
                       .retry_after_s = x.retry_after_s};
    if (x.request_timeout_ms >= 0)
      one.request_timeout = std::chrono::milliseconds{x.request_timeout_ms};
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace troupe::cluster
