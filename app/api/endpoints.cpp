// Each endpoint: from the request to one call of the daemon, and back to JSON.
#include <troupe/app/api/node_endpoints.hpp>
#include <troupe/app/api/views.hpp>
#include <troupe/app/cli/version.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace troupe::api {

namespace {

[[noreturn]] void no_application(const call_in& in) {
  throw problem_answer(daemon::unknown_application(in.names.at("app"), in.about.apps.names()));
}

template <class T>
T must(daemon::outcome_of<T> x) {
  if (!x)
    throw problem_answer(std::move(*x.refused));
  return std::move(x.value);
}

const application_status* status_of(const std::vector<application_status>& all, const std::string& name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.name == name; });
  return it == all.end() ? nullptr : &*it;
}

json applications(const call_in& in, bool with_replicas) {
  const auto statuses = in.about.rt.applications(with_replicas);
  json all = json::array();
  for (const auto& f : in.about.apps.facts())
    all.push_back(view(f, status_of(statuses, f.name)));
  for (const auto& s : statuses) // what still drains
    if (std::none_of(all.begin(), all.end(), [&](const auto& a) { return a.at("name") == s.name; })) {
      daemon::application_facts gone;
      gone.name = s.name;
      all.push_back(view(gone, &s));
    }
  return all;
}

response get_version(const call_in&) {
  return as_json({{"version", program_version()}, {"caf", caf_version()}, {"abi", library::own_abi()}});
}

response get_applications_v1(const call_in& in) {
  return as_json({{"applications", applications(in, flag_of(in.asked, "replicas"))},
                  {"code", view(in.about.code.loaded())},
                  {"given_up", in.about.rt.given_up()},
                  {"proxy_location", config::to_string(in.about.apps.proxies())}});
}

response get_application(const call_in& in) {
  for (auto& a : applications(in, flag_of(in.asked, "replicas")))
    if (a.at("name") == in.names.at("app"))
      return as_json(a);
  no_application(in);
}

json accepted(const daemon::accepted_application& x) {
  json deployments = json::object();
  for (const auto& [name, r] : x.deployments)
    if (r.revision != 0) // else it is not stored
      deployments[name] = view(r);
  return {{"application", x.name},
          {"revision", x.revision},
          {"deployments", std::move(deployments)},
          {"warnings", x.warnings}};
}

void add(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

response put_application(const call_in& in) {
  auto read = application_of(in.asked, in.names.at("app"));
  auto done = must(in.about.apps.deploy(read.application, if_match_of(in.asked)));
  add(read.warnings, done.warnings);
  done.warnings = std::move(read.warnings);
  return as_json(accepted(done));
}

response delete_application(const call_in& in) {
  must(in.about.apps.remove(in.names.at("app")));
  return as_json({{"application", in.names.at("app")}, {"removed", true}});
}

json error_of(const daemon::refusal& why) { return {{"code", why.code}, {"message", why.message}}; }

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names)
    out += (out.empty() ? "" : ", ") + n;
  return out.empty() ? "nothing" : out;
}

/// Deploys all; with `prune` the others are removed. What a store that fails leaves undone is told one by one.
json deploy_all(const call_in& in, config::document_result read, bool prune, bool keep_going) {
  const auto done = must(in.about.apps.deploy_all(read.document, prune, keep_going));
  json all = json::object();
  json removed = json::array();
  std::vector<std::string> good;
  std::optional<daemon::refusal> first;
  std::string failures;
  const auto failed = [&](const daemon::refusal& why) {
    if (!first)
      first = daemon::refusal{why.status, why.code, {}, {}};
    failures += (failures.empty() ? "" : "\n") + why.message;
  };
  for (const auto& [name, x] : done.removed)
    if (x) {
      removed.push_back(name);
      good.push_back(name + " (removed)");
    } else {
      failed({x.refused->status, x.refused->code, "application " + name + " was not removed: " + x.refused->message});
      all[name] = {{"error", error_of(*x.refused)}};
    }
  for (const auto& [name, x] : done.applications) {
    all[name] = accepted(x.value);
    add(read.warnings, x.value.warnings);
    if (x) {
      good.push_back(name);
    } else {
      failed(*x.refused);
      all[name]["error"] = error_of(*x.refused);
    }
  }
  json answer{{"applications", std::move(all)}, {"removed", std::move(removed)}, {"warnings", read.warnings}};
  if (!first)
    return answer;
  first->message = failures + "\nchanged as asked: " + list_of(good);
  throw problem_answer(std::move(*first), std::move(answer));
}

response put_applications(const call_in& in) {
  const bool prune = flag_of(in.asked, "prune");
  return as_json(deploy_all(in, config_of(in.asked), prune, false));
}

response post_plan(const call_in& in) {
  const bool prune = flag_of(in.asked, "prune");
  auto read = config_of(in.asked);
  json changes = json::array();
  for (const auto& c : must(in.about.apps.plan(read.document.applications, prune))) {
    changes.push_back(view(c));
    if (!c.warning.empty())
      read.warnings.push_back(c.warning);
  }
  json revisions = json::object();
  for (const auto& f : in.about.apps.facts())
    revisions[f.name] = f.revision;
  const auto& apps = in.about.apps;
  const auto proxies = apps.proxies_after(read.document.proxies, prune);
  return as_json({{"changes", std::move(changes)},
                  {"proxy_location", {{"from", config::to_string(apps.proxies())}, {"to", config::to_string(proxies)}}},
                  {"revision", std::move(revisions)},
                  {"warnings", read.warnings}});
}

response get_config(const call_in& in) {
  for (const auto& f : in.about.apps.facts()) {
    if (f.name != in.names.at("app"))
      continue;
    json effective = json::object();
    for (const auto& a : in.about.rt.applications())
      if (a.name == f.name)
        for (const auto& d : a.deployments)
          effective[d.name] = shown(in.about.rt.config(deployment_name{f.name, d.name}.full()));
    return as_json({{"given", f.given}, {"effective", std::move(effective)}, {"revision", f.revision}});
  }
  no_application(in);
}

response get_deployment_v1(const call_in& in) {
  return as_json(view(in.about.rt.status(in.deployment().full(), true)));
}

response get_history_v1(const call_in& in) {
  json revisions = json::array();
  for (const auto& r : in.about.rt.history(in.deployment().full()))
    revisions.push_back(view(r));
  return as_json({{"revisions", std::move(revisions)}});
}

json with_warnings(json x, const std::vector<std::string>& warnings) {
  x["warnings"] = warnings;
  return x;
}

response post_scale(const call_in& in) {
  const auto asked = scale_of(in.asked, "num_replicas");
  const auto done = must(in.about.apps.scale(in.deployment(), asked.num_replicas, if_match_of(in.asked)));
  return as_json(with_warnings(view(done), asked.warnings));
}

response post_rollout(const call_in& in) {
  const auto asked = rollout_of(in.asked);
  const auto done = must(in.about.apps.control(in.deployment(), asked.action, asked.revision, if_match_of(in.asked)));
  return as_json(with_warnings(view(done), asked.warnings));
}

response get_resources_v1(const call_in& in) { return as_json(view(in.about.rt.resources())); }

response post_shutdown(const call_in& in) {
  in.about.shut_down();
  return as_json({{"message", "the daemon drains and ends"}}, 202);
}

response get_openapi(const call_in&) { return as_json(openapi()); }

response get_metrics(const call_in& in) {
  auto x = response::text(200, in.about.metrics());
  x.headers = {{"Content-Type", "text/plain; version=0.0.4"}};
  return x;
}

// -- Ray Serve's -----------------------------------------------------------------------------------------------------

response ray_version(const call_in&) {
  return as_json({{"version", "4"}, {"ray_version", "2.60.0"}, {"ray_commit", "troupe"}, {"session_name", "troupe"}});
}

response ray_get(const call_in& in) {
  const auto type = query_of(in.asked, "api_type").value_or("");
  if (!type.empty() && !equals_ignoring_case(type, "declarative") && !equals_ignoring_case(type, "imperative"))
    return response::text(400, "api_type must be imperative or declarative\n");
  const auto facts = in.about.apps.facts();
  const auto statuses = in.about.rt.applications(true);
  if (facts.empty() && statuses.empty())
    return as_json({{"controller_info", json::object()},
                    {"proxies", json::object()},
                    {"applications", json::object()},
                    {"target_capacity", nullptr}});
  std::map<std::string, deployment_spec> specs;
  for (const auto& a : statuses)
    for (const auto& d : a.deployments)
      try {
        const auto full = deployment_name{a.name, d.name}.full();
        specs.emplace(full, in.about.rt.config(full));
      } catch (const command_failed&) { // it has gone meanwhile
      }
  auto shown = ray_view(facts, statuses, specs, in.about.http_host, in.about.http_port(), in.about.apps.proxies());
  if (equals_ignoring_case(type, "imperative"))
    shown["applications"] = json::object();
  return as_json(shown);
}

response ray_put(const call_in& in) {
  deploy_all(in, config_of(in.asked), true, true);
  return {};
}

response ray_delete(const call_in& in) {
  std::string failures;
  for (const auto& name : in.about.apps.names())
    if (const auto done = in.about.apps.remove(name); !done && done.refused->status != 404) // gone meanwhile
      failures += "application " + name + " was not removed: " + done.refused->message + "\n";
  return failures.empty() ? response{} : response::text(503, failures);
}

response ray_scale(const call_in& in) {
  try {
    const auto asked = scale_of(in.asked, "target_num_replicas");
    must(in.about.apps.scale(in.deployment(), asked.num_replicas, std::nullopt));
    return as_json({{"message", "Scaling request received. Deployment will get scaled asynchronously."}});
  } catch (const problem_answer& e) {
    const auto status = e.why.status == 409 ? 412 : e.why.status;
    return as_json({{"error", e.why.message}}, static_cast<std::uint16_t>(status));
  }
}

#define TROUPE_V1 "/api/troupe/v1"

constexpr std::array own{
    endpoint{"GET", TROUPE_V1 "/version", "Versions of the daemon, of CAF, and what user libraries must be built for.",
             get_version, "version"},
    endpoint{"GET", TROUPE_V1 "/openapi.json", "This document.", get_openapi, "openapi"},
    endpoint{"GET", TROUPE_V1 "/applications", "All applications, and what code is loaded.", get_applications_v1,
             "applications", "replicas"},
    endpoint{"PUT", TROUPE_V1 "/applications",
             "Deploys a whole config: looked at as a whole first, then application by application.", put_applications,
             "accepted_config", "prune", "config"},
    endpoint{"POST", TROUPE_V1 "/plan", "What a PUT of this config would change; changes nothing.", post_plan, "plan",
             "prune", "config"},
    endpoint{"GET", TROUPE_V1 "/applications/{app}", "One application.", get_application, "application", "replicas"},
    endpoint{"PUT", TROUPE_V1 "/applications/{app}", "Deploys one application and touches no other.", put_application,
             "accepted_application", "if_match", "config_application"},
    endpoint{"DELETE", TROUPE_V1 "/applications/{app}", "Removes one application.", delete_application,
             "removed_application"},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/config", "Its config as given, and every option in effect.",
             get_config, "application_config"},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/deployments/{dep}", "One deployment with its replicas.",
             get_deployment_v1, "deployment"},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/deployments/{dep}/history", "Its revisions, oldest first.",
             get_history_v1, "history"},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/deployments/{dep}/logs",
             "What its workers printed, the newest lines, in order of time.", get_logs, "text/plain",
             "replica since tail"},
    endpoint{"POST", TROUPE_V1 "/applications/{app}/deployments/{dep}/scale",
             "Another number of replicas, until the next deploy.", post_scale, "command_result", "if_match", "scale"},
    endpoint{"POST", TROUPE_V1 "/applications/{app}/deployments/{dep}/rollout",
             "Steers its rollout, goes back to a revision, or starts all replicas anew.", post_rollout,
             "command_result", "if_match", "rollout_command"},
    endpoint{"GET", TROUPE_V1 "/resources", "What the machine has of resources, and what replicas hold of it.",
             get_resources_v1, "resources"},
    endpoint{"GET", TROUPE_V1 "/events", "Events as they come, as server-sent events.", nullptr, "text/event-stream",
             "after last_event_id"},
    endpoint{
        "POST", TROUPE_V1 "/shutdown", "Drains everything and ends the daemon.", post_shutdown, "message", {}, {}, 202},
    endpoint{"GET", "/metrics", "Prometheus metrics.", get_metrics, "text/plain"},
    endpoint{"GET", "/api/ray/version", "Ray's handshake.", ray_version, "ray_version"},
    endpoint{"GET", "/api/serve/applications/", "Ray Serve's view of all applications.", ray_get, "ray_applications",
             "api_type"},
    endpoint{
        "PUT", "/api/serve/applications/", "Ray Serve's config; replaces all applications.", ray_put, {}, {}, "config"},
    endpoint{"DELETE", "/api/serve/applications/", "Removes all applications.", ray_delete},
    endpoint{"POST",
             "/api/v1/applications/{app}/deployments/{dep}/scale",
             "Ray Serve's scaling.",
             ray_scale,
             "message",
             {},
             "ray_scale"},
};

constexpr auto table = joined(own, node_endpoints);

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0; from <= path.size();) {
    const auto to = std::min(path.find('/', from), path.size());
    out.push_back(path.substr(from, to - from));
    from = to + 1;
  }
  return out;
}

} // namespace

std::span<const endpoint> endpoints() { return table; }

const endpoint* find_endpoint(std::string_view method, std::string_view path, std::map<std::string, std::string>& names,
                              std::string& methods) {
  const auto given = segments(path);
  for (const auto& e : table) {
    const auto wanted = segments(e.path);
    if (wanted.size() != given.size())
      continue;
    std::map<std::string, std::string> found;
    bool same = true;
    for (std::size_t i = 0; same && i < wanted.size(); ++i) {
      if (wanted[i].starts_with('{') && !given[i].empty())
        found.emplace(wanted[i].substr(1, wanted[i].size() - 2), given[i]);
      else
        same = wanted[i] == given[i];
    }
    if (!same)
      continue;
    methods += (methods.empty() ? "" : ", ") + std::string(e.method) + (e.method == "GET" ? ", HEAD" : "");
    if (method == e.method || (method == "HEAD" && e.method == "GET")) {
      names = std::move(found);
      return &e;
    }
  }
  return nullptr;
}

} // namespace troupe::api
