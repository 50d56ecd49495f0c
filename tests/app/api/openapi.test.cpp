// The OpenAPI document says what the API does: the same paths, and answers in the form of their schemas.
#include "../config/schema_checker.hpp"
#include "api_fixture.hpp"
#include "fake_nodes.hpp"
#include <troupe/app/api/endpoints.hpp>

#include <set>

using namespace troupe;
using namespace troupe::test;

namespace {

std::string lower(std::string x) {
  for (auto& c : x)
    c = static_cast<char>(c - 'A' + 'a');
  return x;
}

/// Where an object's members are listed, an answer may have no others.
json strict(json x) {
  if (x.is_object() && x.contains("properties") && x["properties"].is_object() && !x.contains("additionalProperties"))
    x["additionalProperties"] = false;
  for (auto& part : x)
    if (part.is_structured())
      part = strict(std::move(part));
  return x;
}

/// A client that checks each answer against the document, and notes what it has asked.
class documented {
public:
  explicit documented(const api_fixture& f) : f_(f), document_(strict(f.get("/openapi.json").value)) {}

  /// `path` as it stands in the document.
  json ask(const std::string& method, const std::string& path, const json& body = nullptr,
           const std::string& query = {}) {
    asked.insert(method + ' ' + path);
    auto target = path;
    for (const auto& [name, value] :
         {std::pair<std::string, std::string>{"{app}", "a"}, {"{dep}", "greeter"}, {"{name}", "n1"}})
      if (const auto at = target.find(name); at != std::string::npos)
        target.replace(at, name.size(), value);
    const auto x = f_.ask(method, target + query, body.is_null() ? "" : body.dump());
    INFO(method, " ", target, query, ": ", x.status, " ", x.body);
    const auto& operation = document_.at("paths").at(path).at(lower(method));
    const auto status = std::to_string(x.status);
    const bool good = operation["responses"].contains(status);
    CHECK((good || x.status >= 400));
    if (good && !body.is_null())
      check(body, operation["requestBody"]["content"]["application/json"]["schema"]);
    const auto& response = operation["responses"][good ? status : "default"];
    if (!response.contains("content")) {
      CHECK(x.body.empty());
      return nullptr;
    }
    const auto type = response["content"].items().begin().key();
    CHECK(x.field("Content-Type").starts_with(type));
    if (type == "application/json")
      check(x.value, response["content"][type]["schema"]);
    return x.value;
  }

  std::set<std::string> asked;

private:
  void check(const json& value, const json& schema) const {
    CHECK(schema_checker{document_}.check_part(value, schema) == "");
  }

  const api_fixture& f_;
  json document_;
};

} // namespace

TEST_CASE("every endpoint is in the document with its parameters, and no path is there without one") {
  const auto document = api::openapi();
  CHECK(document["openapi"] == "3.1.0");
  std::set<std::string> written;
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      written.insert(method + ' ' + path);
      std::set<std::string> in_path;
      for (const auto& p : operation.value("parameters", json::array())) {
        CHECK(p.contains("schema"));
        if (p["in"] == "path")
          in_path.insert('{' + p["name"].get<std::string>() + '}');
      }
      for (const auto& name : in_path)
        CHECK(path.find(name) != std::string::npos);
      CHECK(in_path.size() == static_cast<std::size_t>(std::count(path.begin(), path.end(), '{')));
    }
  std::set<std::string> there;
  for (const auto& e : api::endpoints())
    there.insert(lower(std::string(e.method)) + ' ' + std::string(e.path));
  CHECK(written == there);
  // Every reference leads somewhere.
  const std::function<void(const json&)> walk = [&](const json& x) {
    if (x.is_object() && x.contains("$ref")) {
      CAPTURE(x["$ref"]);
      CHECK(document.contains(json::json_pointer{x["$ref"].get<std::string>().substr(1)}));
    }
    for (const auto& part : x)
      if (part.is_structured())
        walk(part);
  };
  walk(document);
}

TEST_CASE("every endpoint answers in the form of its schema, refusals too") {
  fake_nodes nodes{{node_called("n1"), node_called("n2")}};
  api_fixture f{{}, &nodes};
  documented d{f};
  const std::string v1 = "/api/troupe/v1";
  const std::string app = v1 + "/applications/{app}";
  const std::string dep = app + "/deployments/{dep}";
  d.ask("GET", v1 + "/version");
  d.ask("GET", v1 + "/openapi.json");
  d.ask("GET", v1 + "/applications");
  CHECK(d.ask("GET", v1 + "/resources")["nodes"][0]["total"]["num_cpus"].get<double>() > 0);
  d.ask("GET", app); // 404
  d.ask("PUT", v1 + "/applications", config_of({{"a", greeter()}, {"b", greeter()}}));
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  d.ask("PUT", v1 + "/applications", {{"applications", 7}}); // 400
  f.install("greeter_2");
  const auto next = greeter({{"num_replicas", 3}, {"user_config", {{"x", 1}}}});
  CHECK(d.ask("POST", v1 + "/plan", config_of({{"a", next}}), "?prune=true")["changes"].size() == 2);
  d.ask("PUT", app, next);
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  CHECK(d.ask("GET", v1 + "/applications", nullptr, "?replicas=true")["code"]["each"].size() >= 2);
  CHECK(d.ask("GET", app, nullptr, "?replicas=true")["deployments"][0]["replicas"].size() == 3);
  d.ask("GET", app + "/config");
  d.ask("GET", dep);
  CHECK(d.ask("GET", dep + "/history")["revisions"].size() == 2);
  d.ask("GET", dep + "/logs", nullptr, "?replica=1&tail=10&since=1h");
  d.ask("GET", dep + "/logs", nullptr, "?tail=none"); // 400
  d.ask("POST", dep + "/scale", {{"num_replicas", 2}});
  d.ask("POST", dep + "/scale", json::object());
  d.ask("POST", dep + "/rollout", {{"action", "rollback"}, {"revision", 1}});
  REQUIRE(f.rt.wait_until_healthy("a/greeter", 20s));
  d.ask("POST", dep + "/rollout", {{"action", "pause"}}); // 409
  CHECK(d.ask("GET", v1 + "/nodes")["nodes"].size() == 2);
  const std::string node = v1 + "/nodes/{name}";
  d.ask("GET", node);
  for (const auto* action : {"/cordon", "/uncordon", "/drain"})
    d.ask("POST", node + action);
  d.ask("DELETE", node); // 409
  d.ask("DELETE", node, nullptr, "?force=true");
  d.ask("DELETE", node); // 404
  d.ask("GET", "/api/ray/version");
  d.ask("GET", "/api/serve/applications/");
  d.ask("POST", "/api/v1/applications/{app}/deployments/{dep}/scale", {{"target_num_replicas", 1}});
  d.ask("POST", "/api/v1/applications/{app}/deployments/{dep}/scale", json::object());
  d.ask("GET", "/metrics");
  d.ask("DELETE", app);
  d.ask("DELETE", app); // 404
  d.ask("PUT", "/api/serve/applications/", config_of({{"a", greeter()}}));
  d.ask("PUT", "/api/serve/applications/", json::array()); // 400
  d.ask("DELETE", "/api/serve/applications/");
  d.ask("POST", v1 + "/shutdown");
  CHECK(f.shut_downs == 1);
  std::set<std::string> all;
  for (const auto& e : api::endpoints())
    if (e.answer) // the event stream does not end; tests/app/api/events.test.cpp has it
      all.insert(std::string(e.method) + ' ' + std::string(e.path));
  CHECK(d.asked == all);
}
