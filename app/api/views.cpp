// One function per struct, field by field.
#include <troupe/app/api/views.hpp>
#include <troupe/app/secrets/secrets.hpp>
#include <troupe/messages/runtime_env.hpp>

#include <chrono>

namespace troupe::api {

namespace {

double seconds(milliseconds x) { return static_cast<double>(x.count()) / 1000; }

} // namespace

json view(const replica_status& x) {
  return {{"id", x.id},
          {"version", x.version},
          {"revision", x.revision},
          {"config_revision", x.config_revision},
          {"state", to_string(x.state)},
          {"available", x.available},
          {"given_up", x.given_up},
          {"node", x.node},
          {"since_s", seconds(x.since)},
          {"restarts", x.restarts},
          {"ongoing", x.ongoing}};
}

json view(const rollout_status& x) {
  return {{"phase", to_string(x.phase)},
          {"rolling_back", x.rolling_back},
          {"target_revision", x.target_revision},
          {"base_revision", x.base_revision},
          {"wave", x.wave},
          {"waves", x.waves},
          {"done", x.done},
          {"in_flight", x.in_flight},
          {"reason", to_string(x.reason)},
          {"message", x.message}};
}

json view(const deployment_status& x) {
  json replicas = json::array();
  for (const auto& r : x.replicas)
    replicas.push_back(view(r));
  return {{"application", x.application},
          {"name", x.name},
          {"state", to_string(x.state)},
          {"deleting", x.deleting},
          {"message", x.message},
          {"num_replicas", x.num_replicas},
          {"available", x.available},
          {"starting", x.starting},
          {"reconfiguring", x.reconfiguring},
          {"stopping", x.stopping},
          {"given_up", x.given_up},
          {"waiting_for_room", x.waiting_for_room},
          {"queued", x.queued},
          {"ongoing", x.ongoing},
          {"overdue", x.overdue},
          {"rollout", view(x.rollout)},
          {"replicas", std::move(replicas)}};
}

json view(const daemon::application_facts& facts, const application_status* status) {
  json deployments = json::array();
  if (status)
    for (const auto& d : status->deployments)
      deployments.push_back(view(d));
  const auto state = !facts.failure.empty() ? application_state_name::deploy_failed
                     : status               ? status->state
                                            : application_state_name::not_started;
  return {{"name", facts.name},
          {"state", to_string(state)},
          {"message", !facts.failure.empty() ? facts.failure
                      : status               ? status->message
                                             : ""},
          {"route_prefix", facts.route_prefix ? json(*facts.route_prefix) : json(nullptr)},
          {"import_path", facts.import_path},
          {"digest", facts.digest},
          {"revision", facts.revision},
          {"deployments", std::move(deployments)}};
}

json view(const command_result& x) {
  return {{"change", to_string(x.change)}, {"revision", x.revision}, {"message", x.message}};
}

json shown(const deployment_spec& x) {
  auto out = to_json(x);
  out["user_config"] = secrets::shown(x.user_config.get());
  out["runtime_env"] = written_form(x.runtime_env.get());
  return out;
}

json view(const revision_info& x) {
  return {{"number", x.number},       {"cause", x.cause},     {"version", x.version},
          {"is_target", x.is_target}, {"is_base", x.is_base}, {"spec", shown(x.spec)}};
}

json view(const daemon::planned_change& x) {
  json fields = json::array();
  for (const auto& f : x.fields)
    fields.push_back({{"path", f.path}, {"from", f.from}, {"to", f.to}, {"class", config::to_string(f.kind)}});
  return {{"application", x.application},
          {"deployment", x.deployment},
          {"change", x.removes ? "removed" : to_string(x.change)},
          {"fields", std::move(fields)},
          {"text", x.text}};
}

json view(const daemon::logged_event& x) {
  return {{"time", static_cast<double>(x.unix_ms) / 1000},
          {"application", x.what.deployment.application},
          {"deployment", x.what.deployment.name},
          {"kind", x.what.what},
          {"text", x.what.message},
          {"replica", x.what.replica}};
}

json view(const resource_report& x) {
  json nodes = json::array();
  for (const auto& n : x.nodes)
    nodes.push_back({{"node", n.node}, {"total", to_json(n.total)}, {"used", to_json(n.used)}});
  return {{"nodes", std::move(nodes)}};
}

json view(const library::code_usage& x) {
  json each = json::array();
  for (const auto& c : x.each)
    each.push_back({{"number", c.number},
                    {"digest", c.digest},
                    {"soname", c.soname},
                    {"import_path", c.import_path},
                    {"application", c.application},
                    {"bytes", c.bytes}});
  return {{"copies", x.copies},
          {"max_copies", x.max_copies},
          {"bytes", x.bytes},
          {"max_bytes", x.max_bytes},
          {"each", std::move(each)}};
}

// -- Ray Serve's view ------------------------------------------------------------------------------------------------

namespace {

/// Ray's client knows all of our states but these two.
std::string ray_state(deployment_state_name x) {
  const bool unknown = x == deployment_state_name::paused || x == deployment_state_name::rolling_back;
  return to_string(unknown ? deployment_state_name::updating : x);
}

const char* ray_trigger(const deployment_status& x) {
  if (x.deleting)
    return "DELETING";
  switch (x.state) {
  case deployment_state_name::healthy:
    return "CONFIG_UPDATE_COMPLETED";
  case deployment_state_name::unhealthy:
    return "HEALTH_CHECK_FAILED";
  case deployment_state_name::deploy_failed:
    return "REPLICA_STARTUP_FAILED";
  default:
    return "CONFIG_UPDATE_STARTED";
  }
}

/// As Ray answers: what is not asked for is left out, CPUs apart.
json ray_actor_options(const resources& x) {
  auto out = to_json(x);
  for (const auto name : {resource_name::gpus, resource_name::memory})
    if (x.of(name) == 0)
      out.erase(std::string(name));
  if (out["resources"].empty())
    out.erase("resources");
  return out;
}

/// The same by the names that Ray's nodes have for them, on one level.
json ray_resources(const resources& x) {
  json out{{"CPU", 0}};
  for (const auto& a : x.amounts)
    out[a.name == resource_name::cpus   ? "CPU"
        : a.name == resource_name::gpus ? "GPU"
                                        : a.name] = amount_to_json(a.name, a.amount);
  return out;
}

json ray_deployment(const deployment_status& x, const deployment_spec* spec) {
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  json replicas = json::array();
  for (const auto& r : x.replicas)
    replicas.push_back({{"node_id", r.node},
                        {"actor_name", "SERVE_REPLICA::" + x.application + "#" + x.name + "#" + std::to_string(r.id)},
                        {"replica_id", std::to_string(r.id)},
                        {"state", to_string(r.state)},
                        {"start_time_s", now - seconds(r.since)}});
  json config{{"name", x.name}, {"num_replicas", x.num_replicas}};
  if (spec) {
    config["max_ongoing_requests"] = spec->max_ongoing_requests;
    config["max_queued_requests"] = spec->max_queued_requests;
    config["graceful_shutdown_timeout_s"] = seconds(spec->graceful_shutdown_timeout);
    config["health_check_period_s"] = seconds(spec->health_check_period);
    config["health_check_timeout_s"] = seconds(spec->health_check_timeout);
    config["ray_actor_options"] = ray_actor_options(spec->per_replica);
    if (!spec->where.required.empty())
      config["ray_actor_options"]["label_selector"] = to_json(spec->where.required);
    if (spec->where.max_replicas_per_node > 0)
      config["max_replicas_per_node"] = spec->where.max_replicas_per_node;
    if (spec->user_config.get().is_object())
      config["user_config"] = secrets::shown(spec->user_config.get());
  }
  auto message = x.message;
  if (x.state == deployment_state_name::paused || x.state == deployment_state_name::rolling_back)
    message = to_string(x.state) + (message.empty() ? "" : ": " + message);
  return {{"name", x.name},
          {"status", ray_state(x.state)},
          {"status_trigger", ray_trigger(x)},
          {"message", message},
          {"deployment_config", std::move(config)},
          {"target_num_replicas", x.num_replicas},
          {"required_resources", spec ? ray_resources(spec->per_replica) : json::object()},
          {"replicas", std::move(replicas)}};
}

} // namespace

json ray_view(const std::vector<daemon::application_facts>& facts, const std::vector<application_status>& statuses,
              const std::map<std::string, deployment_spec>& specs, const std::string& http_host, int http_port,
              config::proxy_location proxies) {
  json applications = json::object();
  const auto add = [&](const daemon::application_facts& f, const application_status* status) {
    json deployments = json::object();
    if (status)
      for (const auto& d : status->deployments) {
        const auto spec = specs.find(deployment_name{d.application, d.name}.full());
        deployments[d.name] = ray_deployment(d, spec == specs.end() ? nullptr : &spec->second);
      }
    const auto shown = view(f, status);
    applications[f.name] = {{"name", f.name},
                            {"route_prefix", f.route_prefix ? json(*f.route_prefix) : json(nullptr)},
                            {"docs_path", nullptr},
                            {"status", f.revision == 0 ? json("DELETING") : shown.at("state")},
                            {"message", shown.at("message")},
                            {"last_deployed_time_s", f.deployed_at_s},
                            {"deployed_app_config", f.revision == 0 ? json(nullptr) : f.given},
                            {"source", "declarative"},
                            {"deployments", std::move(deployments)},
                            {"external_scaler_enabled", true}};
  };
  const auto status_of = [&](const std::string& name) -> const application_status* {
    for (const auto& s : statuses)
      if (s.name == name)
        return &s;
    return nullptr;
  };
  for (const auto& f : facts)
    add(f, status_of(f.name));
  for (const auto& s : statuses) // those that are on their way out
    if (!applications.contains(s.name)) {
      daemon::application_facts gone;
      gone.name = s.name;
      add(gone, &s);
    }
  return {{"controller_info", {{"node_id", "local"}, {"actor_name", "SERVE_CONTROLLER_ACTOR"}}},
          {"proxy_location", config::to_string(proxies)},
          {"http_options", {{"host", http_host}, {"port", http_port}}},
          {"proxies",
           {{"local", {{"node_id", "local"}, {"actor_name", "SERVE_PROXY_ACTOR-local"}, {"status", "HEALTHY"}}}}},
          {"applications", std::move(applications)},
          {"target_capacity", nullptr}};
}

} // namespace troupe::api
