// Each endpoint: from the request to one call of the daemon, and back to JSON.
#include <troupe/app/api/endpoints.hpp>
#include <troupe/app/api/views.hpp>
#include <troupe/app/cli/version.hpp>
#include <troupe/app/config/document.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <vector>

namespace troupe::api {

namespace {

response as_json(const json& x, std::uint16_t status = 200) {
  return response::json(status, x.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

[[noreturn]] void refuse(int status, std::string code, std::string message, std::vector<config::problem> fields = {}) {
  throw problem_answer({status, std::move(code), std::move(message), std::move(fields)});
}

template <class T>
T must(daemon::outcome_of<T> x) {
  if (!x)
    throw problem_answer(std::move(*x.refused));
  return std::move(x.value);
}

std::uint64_t number(std::string_view text, const char* what) {
  std::uint64_t n = 0;
  const auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (e != std::errc{} || end != text.data() + text.size())
    refuse(400, "invalid_request",
           std::string(what) + ": \"" + std::string(text.substr(0, 100)) + "\" is not allowed; expected a number");
  return n;
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
  return as_json({{"applications", applications(in, in.flag("replicas"))},
                  {"code", view(in.about.code.loaded())},
                  {"given_up", in.about.rt.given_up()}});
}

response get_application(const call_in& in) {
  for (auto& a : applications(in, in.flag("replicas")))
    if (a.at("name") == in.names.at("app"))
      return as_json(a);
  std::string known;
  for (const auto& n : in.about.apps.names())
    known += (known.empty() ? "" : ", ") + n;
  refuse(404, "not_found", "there is no application " + in.names.at("app") + "; there are: " + known);
}

json accepted(const daemon::accepted_application& x, const std::vector<std::string>& warnings) {
  json deployments = json::object();
  for (const auto& [name, r] : x.deployments)
    deployments[name] = view(r);
  return {{"application", x.name},
          {"revision", x.revision},
          {"deployments", std::move(deployments)},
          {"warnings", warnings}};
}

response put_application(const call_in& in) {
  auto read = config::read_application_json(in.body(), in.names.at("app"));
  if (!read.ok())
    refuse(400, "invalid_config", config::to_string(read.errors), read.errors);
  return as_json(accepted(must(in.about.apps.deploy(read.application, in.if_match(), false)), read.warnings));
}

response delete_application(const call_in& in) {
  must(in.about.apps.remove(in.names.at("app")));
  return as_json({{"application", in.names.at("app")}, {"removed", true}});
}

config::document_result document(const json& body) {
  auto read = config::read_json(body);
  if (!read.ok())
    refuse(400, "invalid_config", config::to_string(read.errors), read.errors);
  return read;
}

/// Deploys all; with `prune` the others are removed.
json deploy_all(const call_in& in, const config::document_result& read, bool prune, bool keep_going) {
  json done = json::object();
  json removed = json::array();
  std::set<std::string> wanted;
  for (const auto& app : read.document.applications)
    wanted.insert(app.name);
  // Before the first change all are looked at, so that a fault in one leaves the others alone.
  if (!keep_going)
    must(in.about.apps.plan(read.document.applications, false));
  if (prune) // first: a route may go from one to another
    for (const auto& name : in.about.apps.names())
      if (!wanted.contains(name)) {
        must(in.about.apps.remove(name));
        removed.push_back(name);
      }
  for (const auto& app : read.document.applications)
    done[app.name] = accepted(must(in.about.apps.deploy(app, std::nullopt, keep_going)), {});
  return {{"applications", std::move(done)}, {"removed", std::move(removed)}, {"warnings", read.warnings}};
}

response put_applications(const call_in& in) {
  return as_json(deploy_all(in, document(in.body()), in.flag("prune"), false));
}

response post_plan(const call_in& in) {
  const auto read = document(in.body());
  json changes = json::array();
  for (const auto& c : must(in.about.apps.plan(read.document.applications, in.flag("prune"))))
    changes.push_back(view(c));
  json revisions = json::object();
  for (const auto& f : in.about.apps.facts())
    revisions[f.name] = f.revision;
  return as_json({{"changes", std::move(changes)}, {"revision", std::move(revisions)}, {"warnings", read.warnings}});
}

response get_config(const call_in& in) {
  for (const auto& f : in.about.apps.facts()) {
    if (f.name != in.names.at("app"))
      continue;
    json effective = json::object();
    for (const auto& a : in.about.rt.applications())
      if (a.name == f.name)
        for (const auto& d : a.deployments)
          effective[d.name] = to_json(in.about.rt.config(deployment_name{f.name, d.name}.full()));
    return as_json({{"given", f.given}, {"effective", std::move(effective)}, {"revision", f.revision}});
  }
  return get_application(in); // says that there is none
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

std::uint32_t replicas_in(const json& body, const char* field) {
  const auto it = body.find(field);
  if (it == body.end() || !it->is_number_integer() || *it < 0 || *it > max_num_replicas)
    refuse(400, "invalid_request",
           std::string(field) + ": " + (it == body.end() ? "nothing" : it->dump().substr(0, 100)) +
               " is not allowed; expected an integer from 0 to 10000000",
           {{"", 0, 0, field, it == body.end() ? "null" : it->dump().substr(0, 100), "an integer from 0 to 10000000"}});
  return it->get<std::uint32_t>();
}

response post_scale(const call_in& in) {
  return as_json(
      view(must(in.about.apps.scale(in.deployment(), replicas_in(in.body(), "num_replicas"), in.if_match()))));
}

response post_rollout(const call_in& in) {
  const auto body = in.body();
  const auto name = body.value("action", json{});
  for (int i = 0; i <= static_cast<int>(last_enumerator(rollout_action{})); ++i) {
    const auto action = static_cast<rollout_action>(i);
    if (name != to_string(action))
      continue;
    const auto revision = body.value("revision", json(0U));
    if (!revision.is_number_unsigned())
      refuse(400, "invalid_request",
             "revision: " + revision.dump().substr(0, 100) + " is not allowed; expected a number");
    return as_json(view(must(in.about.apps.control(in.deployment(), action, revision, in.if_match()))));
  }
  refuse(400, "invalid_request",
         "action: " + name.dump().substr(0, 100) +
             " is not allowed; expected pause, resume, promote, abort, restart or rollback");
}

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
  const auto type = in.query("api_type");
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
  auto shown = ray_view(facts, statuses, specs, in.about.http_host, in.about.http_port());
  if (equals_ignoring_case(type, "imperative"))
    shown["applications"] = json::object();
  return as_json(shown);
}

response ray_put(const call_in& in) {
  deploy_all(in, document(in.body()), true, true);
  return {};
}

response ray_delete(const call_in& in) {
  for (const auto& name : in.about.apps.names())
    must(in.about.apps.remove(name));
  return {};
}

response ray_scale(const call_in& in) {
  try {
    const auto n = replicas_in(in.body(), "target_num_replicas");
    must(in.about.apps.scale(in.deployment(), n, std::nullopt));
    return as_json({{"message", "Scaling request received. Deployment will get scaled asynchronously."}});
  } catch (const problem_answer& e) {
    const auto status = e.why.status == 409 ? 412 : e.why.status;
    return as_json({{"error", e.why.message}}, static_cast<std::uint16_t>(status));
  }
}

#define TROUPE_V1 "/api/troupe/v1"

constexpr std::array table{
    endpoint{"GET", TROUPE_V1 "/version", "Versions of the daemon, of CAF, and what user libraries must be built for.",
             get_version},
    endpoint{"GET", TROUPE_V1 "/openapi.json", "This document.", get_openapi},
    endpoint{"GET", TROUPE_V1 "/applications", "All applications; ?replicas=true lists replicas.", get_applications_v1},
    endpoint{"PUT", TROUPE_V1 "/applications", "Deploys a whole config; ?prune=true removes the others.",
             put_applications},
    endpoint{"POST", TROUPE_V1 "/plan", "What a PUT of this config would change; changes nothing.", post_plan},
    endpoint{"GET", TROUPE_V1 "/applications/{app}", "One application.", get_application},
    endpoint{"PUT", TROUPE_V1 "/applications/{app}", "Deploys one application; If-Match: its revision.",
             put_application},
    endpoint{"DELETE", TROUPE_V1 "/applications/{app}", "Removes one application.", delete_application},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/config", "Its config as given, and every option in effect.",
             get_config},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/deployments/{dep}", "One deployment with its replicas.",
             get_deployment_v1},
    endpoint{"GET", TROUPE_V1 "/applications/{app}/deployments/{dep}/history", "Its revisions, oldest first.",
             get_history_v1},
    endpoint{"POST", TROUPE_V1 "/applications/{app}/deployments/{dep}/scale", "{\"num_replicas\": n}", post_scale},
    endpoint{"POST", TROUPE_V1 "/applications/{app}/deployments/{dep}/rollout",
             "{\"action\": pause|resume|promote|abort|restart|rollback, \"revision\": n}", post_rollout},
    endpoint{"GET", TROUPE_V1 "/events", "Server-sent events; ?after=ID or Last-Event-ID resumes.", nullptr},
    endpoint{"POST", TROUPE_V1 "/shutdown", "Drains everything and ends the daemon.", post_shutdown},
    endpoint{"GET", "/metrics", "Prometheus metrics.", get_metrics},
    endpoint{"GET", "/api/ray/version", "Ray's handshake.", ray_version},
    endpoint{"GET", "/api/serve/applications/", "Ray Serve's view of all applications.", ray_get},
    endpoint{"PUT", "/api/serve/applications/", "Ray Serve's config; replaces all applications.", ray_put},
    endpoint{"DELETE", "/api/serve/applications/", "Removes all applications.", ray_delete},
    endpoint{"POST", "/api/v1/applications/{app}/deployments/{dep}/scale", "{\"target_num_replicas\": n}", ray_scale},
};

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

std::string call_in::query(std::string_view key) const {
  std::string_view rest = asked.query;
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto eq = part.find('=');
    if (part.substr(0, eq) == key)
      return eq == std::string_view::npos ? "true" : std::string(part.substr(eq + 1));
  }
  return {};
}

std::optional<std::uint64_t> call_in::if_match() const {
  auto given = asked.header("If-Match");
  if (given.empty())
    return std::nullopt;
  if (given.size() > 2 && given.front() == '"' && given.back() == '"')
    given = given.substr(1, given.size() - 2);
  return number(given, "If-Match");
}

json call_in::body() const {
  config::source_result read = config::read_source(asked.body, "body", config::syntax::json);
  if (!read.errors.empty())
    refuse(400, "invalid_json", config::to_string(read.errors), read.errors);
  if (!read.source.value.is_object())
    refuse(400, "invalid_json", "body: expected a JSON object");
  return std::move(read.source.value);
}

std::span<const endpoint> endpoints() { return table; }

const endpoint* find_endpoint(std::string_view method, std::string_view path, std::map<std::string, std::string>& names,
                              bool& path_known) {
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
    path_known = true;
    if (method == e.method || (method == "HEAD" && e.method == "GET")) {
      names = std::move(found);
      return &e;
    }
  }
  return nullptr;
}

response error_answer(const daemon::refusal& why) {
  json fields = json::array();
  for (const auto& f : why.fields)
    fields.push_back({{"path", f.path}, {"value", f.value}, {"allowed", f.allowed}});
  return as_json({{"error", {{"code", why.code}, {"message", why.message}, {"fields", std::move(fields)}}}},
                 static_cast<std::uint16_t>(why.status));
}

} // namespace troupe::api
