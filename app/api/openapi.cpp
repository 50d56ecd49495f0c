// The OpenAPI document, made from the table of endpoints.
#include <troupe/app/api/endpoints.hpp>
#include <troupe/app/cli/version.hpp>

#include <sstream>

namespace troupe::api {

namespace {

json reference(std::string_view schema) { return {{"$ref", "#/components/schemas/" + std::string(schema)}}; }

json content(std::string_view type, json schema) { return {{std::string(type), {{"schema", std::move(schema)}}}}; }

json parameters_of(const endpoint& e) {
  const auto known = openapi_parameters();
  json out = json::array();
  for (const auto* name : {"app", "dep", "name"})
    if (e.path.find("{" + std::string(name) + "}") != std::string_view::npos)
      out.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  std::istringstream others{std::string(e.parameters)};
  for (std::string name; others >> name;)
    out.push_back(known.at(name));
  return out;
}

json operation_of(const endpoint& e) {
  json done{{"description", e.status == 202 ? "accepted" : "done, or accepted"}};
  if (e.result.find('/') != std::string_view::npos)
    done["content"] = content(e.result, {{"type", "string"}});
  else if (!e.result.empty())
    done["content"] = content("application/json", reference(e.result));
  const bool of_ray = e.path.starts_with("/api/serve/") || e.path.starts_with("/api/ray/");
  json wrong{{"description", "an error"},
             {"content", of_ray                           ? content("text/plain", {{"type", "string"}})
                         : e.path.starts_with("/api/v1/") ? content("application/json", reference("ray_error"))
                                                          : content("application/json", reference("error"))}};
  json operation{{"summary", e.summary},
                 {"responses", {{std::to_string(e.status), std::move(done)}, {"default", std::move(wrong)}}}};
  if (auto parameters = parameters_of(e); !parameters.empty())
    operation["parameters"] = std::move(parameters);
  if (!e.body.empty())
    operation["requestBody"] = {{"required", true}, {"content", content("application/json", reference(e.body))}};
  return operation;
}

} // namespace

json openapi() {
  json paths = json::object();
  for (const auto& e : endpoints()) {
    std::string method;
    for (const char c : e.method)
      method += static_cast<char>(c - 'A' + 'a');
    paths[std::string(e.path)][method] = operation_of(e);
  }
  return {
      {"openapi", "3.1.0"},
      {"info", {{"title", "troupe"}, {"version", program_version()}}},
      {"security", json::array({{{"token", json::array()}}})},
      {"components",
       {{"schemas", openapi_schemas()}, {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
      {"paths", std::move(paths)}};
}

} // namespace troupe::api
