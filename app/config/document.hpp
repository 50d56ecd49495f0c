// What a config file says (Ray Serve's schema with our additions), read with every fault told at once.
#pragma once

#include <troupe/app/config/problem.hpp>
#include <troupe/app/config/source.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// `http_options`: of the daemon's ingress. What is not given is nothing.
struct http_options {
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;              ///< 0 = any free one.
  std::optional<milliseconds> request_timeout;    ///< 0 = none (given as null).
  std::optional<milliseconds> keep_alive_timeout; ///< > 0.
  friend bool operator==(const http_options&, const http_options&) = default;
};

/// `proxy_location`: which processes of a cluster take HTTP. Ray's "Disabled" is refused. Is stored by its name.
enum class proxy_location : std::uint8_t {
  every_node, ///< The daemon, and nodes that have an address for it. The default.
  head_only,  ///< The daemon alone.
};
std::string_view to_string(proxy_location x); ///< "EveryNode", "HeadOnly"
std::optional<proxy_location> parse_proxy_location(std::string_view name);

/// One application. A value.
struct application {
  std::string name = "default";
  std::optional<std::string> route_prefix = "/"; ///< Nothing = no HTTP route (given as null).
  std::string import_path;                       ///< `path/libx.so:app`
  json args = json::object();                    ///< An object.
  json runtime_env = json::object();             ///< Of its deployments that give none.
  std::optional<milliseconds> request_timeout;   ///< Instead of the one of `http_options`. > 0.
  std::vector<json> deployments;                 ///< Overrides, objects with at least a good `name`; as given.
  json as_given = json::object();                ///< The whole object.
};

/// A whole file, or the body of a PUT of all applications. A value.
struct document {
  config::http_options http;
  std::optional<config::proxy_location> proxies; ///< Nothing: not given, or null.
  std::vector<application> applications;         ///< Names and route prefixes are unique.
  json as_given = json::object();
};

struct document_result {
  config::document document;         ///< Meaningful when `errors` is empty.
  std::vector<problem> errors;       ///< In the order of the text; at most `max_problems`.
  std::vector<std::string> warnings; ///< "app.yaml:3:7: ...": what is ignored.
  place root;                        ///< For `locate`: where a path stands that another check complains about.
  bool ok() const noexcept { return errors.empty(); }
};

struct application_result {
  config::application application;
  std::vector<problem> errors;
  std::vector<std::string> warnings;
  place root;
  bool ok() const noexcept { return errors.empty(); }
};

/// Never throw for what a text holds. `name` stands in errors.
document_result read_text(std::string_view text, std::string name, syntax how = syntax::by_name);
/// A file that cannot be read is one error; directories and files above `max_text_bytes` are refused unread.
document_result read_file(const std::filesystem::path& file);
/// Without places.
document_result read_json(const json& object);

/// One application object. `name` is called so in errors; the application is `called` where the object has no name of
/// its own, and a different one there is an error.
application_result read_application_text(std::string_view text, std::string name, std::string_view called,
                                         syntax how = syntax::by_name);
application_result read_application_json(const json& object, std::string_view called);

} // namespace troupe::config
