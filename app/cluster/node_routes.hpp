// An ingress's routes as a controller tells them to its nodes.
#pragma once

#include <troupe/app/ingress/route_table.hpp>
#include <troupe/messages/routes.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace troupe::cluster {

/// Routers do not travel.
node_routes node_routes_of(const std::vector<ingress::route>& routes);
/// `router_of` gives each deployment's router of this process; where it gives none there is no route.
std::vector<ingress::route>
ingress_routes_of(const node_routes& told,
                  const std::function<std::shared_ptr<router>(const deployment_name&)>& router_of);

} // namespace troupe::cluster
