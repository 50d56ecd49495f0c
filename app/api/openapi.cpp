// The OpenAPI document, made from the table of endpoints.
#include <troupe/app/api/endpoints.hpp>
#include <troupe/app/cli/version.hpp>

namespace troupe::api {

json openapi() {
  json paths = json::object();
  for (const auto& e : endpoints()) {
    std::string method;
    for (const char c : e.method)
      method += static_cast<char>(c - 'A' + 'a');
    json parameters = json::array();
    for (const auto name : {"app", "dep"})
      if (e.path.find("{" + std::string(name) + "}") != std::string_view::npos)
        parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    json operation{{"summary", e.summary},
                   {"responses",
                    {{"200", {{"description", "done, or accepted"}}},
                     {"default",
                      {{"description", "an error"},
                       {"content", {{"application/json", {{"schema", {{"$ref", "#/components/schemas/error"}}}}}}}}}}}};
    if (!parameters.empty())
      operation["parameters"] = std::move(parameters);
    if (e.method == "PUT" || (e.method == "POST" && !e.path.ends_with("/shutdown")))
      operation["requestBody"] = {{"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
    paths[std::string(e.path)][method] = std::move(operation);
  }
  const json field{
      {"type", "object"},
      {"properties",
       {{"path", {{"type", "string"}}}, {"value", {{"type", "string"}}}, {"allowed", {{"type", "string"}}}}}};
  const json error{{"type", "object"},
                   {"properties",
                    {{"error",
                      {{"type", "object"},
                       {"properties",
                        {{"code", {{"type", "string"}}},
                         {"message", {{"type", "string"}}},
                         {"fields", {{"type", "array"}, {"items", field}}}}}}}}}};
  return {
      {"openapi", "3.1.0"},
      {"info", {{"title", "troupe"}, {"version", program_version()}}},
      {"security", json::array({{{"token", json::array()}}})},
      {"components",
       {{"schemas", {{"error", error}}}, {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
      {"paths", std::move(paths)}};
}

} // namespace troupe::api
