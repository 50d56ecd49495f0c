// Puts the statuses of deployments together to those of applications.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/status.hpp>

#include <vector>

namespace troupe::controller {

/// `deployments` by application and name; those without a name (removed while they were asked) are left out. The
/// application's message is that of its first deployment that has one. Pure.
application_list overview_of(std::vector<deployment_status> deployments);

/// Of a deployment whose state actor ended because of `death`.
deployment_status status_of_lost(const deployment_name& name, std::uint32_t num_replicas, const std::string& death);

} // namespace troupe::controller
