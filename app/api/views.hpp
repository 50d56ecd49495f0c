// What the API shows of deployments and applications, as JSON.
#pragma once

#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/event_log.hpp>

#include <string>
#include <vector>

namespace troupe::api {

json view(const replica_status& x);
json view(const rollout_status& x);
/// The struct's fields by their names; durations in seconds with the suffix `_s`.
json view(const deployment_status& x);
json view(const daemon::application_facts& facts, const application_status* status);
json view(const resource_report& x);
json view(const command_result& x);
json view(const revision_info& x);
/// Every option, references to secrets as they were given.
json shown(const deployment_spec& x);
json view(const daemon::planned_change& x);
json view(const daemon::logged_event& x);
json view(const library::code_usage& x);

/// Ray Serve's GET /api/serve/applications/: nothing but keys and states that its client knows.
json ray_view(const std::vector<daemon::application_facts>& facts, const std::vector<application_status>& statuses,
              const std::map<std::string, deployment_spec>& specs, const std::string& http_host, int http_port,
              config::proxy_location proxies);

} // namespace troupe::api
