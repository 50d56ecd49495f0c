// Statuses of applications.
#include <troupe/actors/controller/overview.hpp>

#include <utility>

namespace troupe::controller {

application_list overview_of(std::vector<deployment_status> deployments) {
  application_list list;
  for (auto& d : deployments) {
    if (d.name.empty())
      continue;
    if (list.applications.empty() || list.applications.back().name != d.application)
      list.applications.push_back({d.application, {}, {}, {}});
    list.applications.back().deployments.push_back(std::move(d));
  }
  for (auto& a : list.applications) {
    a.state = application_state_of(a.deployments);
    for (const auto& d : a.deployments)
      if (a.message.empty() && !d.message.empty())
        a.message = d.name + ": " + d.message;
  }
  return list;
}

deployment_status status_of_lost(const deployment_name& name, std::uint32_t num_replicas, const std::string& death) {
  deployment_status s;
  s.application = name.application;
  s.name = name.name;
  s.state = deployment_state_name::unhealthy;
  s.message = death;
  s.num_replicas = num_replicas;
  return s;
}

} // namespace troupe::controller
