// The lists of keys, and the rules for their texts.
#include <troupe/app/config/keys.hpp>

#include <algorithm>
#include <array>

namespace troupe::config {
namespace {

constexpr std::array in_document{
    key_rule{"applications", R"({"type": "array", "items": {"$ref": "#/$defs/application"}})",
             "The applications; names and route prefixes are unique."},
    key_rule{"http_options", R"({"anyOf": [{"$ref": "#/$defs/http_options"}, {"type": "null"}]})",
             "The ingress; read when the daemon starts."},
    key_rule{"proxy_location", R"({"enum": ["EveryNode", "HeadOnly", null]})",
             "Which processes of a cluster take HTTP: the daemon and the nodes with --http-address (EveryNode, the "
             "default), or the daemon alone (HeadOnly)."},
    key_rule{"grpc_options",
             R"({"type": ["object", "null"], "properties": {"grpc_servicer_functions": {"maxItems": 0}}})",
             "Ray's; taken as long as no servicer functions are named, since there is no gRPC."},
    key_rule{"logging_config", R"({"$ref": "#/$defs/logging_config"})",
             "Ray's; taken as long as it asks for the defaults."},
    key_rule{"controller_options", {}, "there are no options of the controller", true},
    key_rule{"tracing_config", {}, "there is no tracing of its own; requests carry on traceparent", true},
    key_rule{"target_capacity", {}, "there is no target capacity; set num_replicas", true},
};

constexpr std::array in_http{
    key_rule{"host", R"({"type": ["string", "null"], "minLength": 1, "maxLength": 255})",
             "Where the ingress listens; default 127.0.0.1."},
    key_rule{"port", R"({"type": ["integer", "null"], "minimum": 0, "maximum": 65535})",
             "Default 8000; 0 = any free one."},
    key_rule{"root_path", R"({"enum": ["", null]})", "There is no root path; write it into each route_prefix."},
    key_rule{"request_timeout_s", R"({"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 315360000})",
             "Seconds that a request may take; null = no bound."},
    key_rule{"keep_alive_timeout_s", R"({"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 315360000})",
             "Seconds after which an idle connection is closed; default 90."},
    key_rule{"ssl_keyfile", {}, "the ingress speaks no TLS; put a proxy in front of it", true},
    key_rule{"ssl_certfile", {}, "the ingress speaks no TLS; put a proxy in front of it", true},
    key_rule{"ssl_keyfile_password", {}, "the ingress speaks no TLS; put a proxy in front of it", true},
    key_rule{"ssl_ca_certs", {}, "the ingress speaks no TLS; put a proxy in front of it", true},
    key_rule{"middlewares", {}, "there are no middlewares", true},
};

constexpr std::array in_application{
    key_rule{"name",
             R"({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^#/]*$", "default": "default"})",
             "The application's name."},
    key_rule{
        "route_prefix",
        R"({"type": ["string", "null"], "maxLength": 1024, "pattern": "^/([^{}?#% ]*[^/{}?#% ])?$", "default": "/"})",
        "Requests whose path begins with it go to this application's ingress deployment; null = no route."},
    key_rule{"import_path", R"({"type": "string", "maxLength": 4096, "pattern": "^.+:[A-Za-z_][A-Za-z0-9_]*$"})",
             "`path/libname.so:symbol`; a relative path is looked up in the code directories."},
    key_rule{"args", R"({"type": ["object", "null"], "default": {}})",
             "Given to the application's builder in the code."},
    key_rule{"runtime_env", R"({"type": ["object", "null"], "default": {}})",
             "Of its deployments that give none; they need isolation: process."},
    key_rule{"request_timeout_s", R"({"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 315360000})",
             "Instead of the one in http_options, for this application."},
    key_rule{"deployments", R"({"type": ["array", "null"], "items": {"$ref": "#/$defs/deployment"}})",
             "Options of deployments that the code declares; what is left out is as the code says."},
    key_rule{"logging_config", R"({"$ref": "#/$defs/logging_config"})",
             "Ray's; taken as long as it asks for the defaults."},
    key_rule{"autoscaling_policy", {}, "there is no autoscaling; set num_replicas to an integer", true},
    key_rule{"external_scaler_enabled", {}, "there is no autoscaling; scaling from outside is always possible", true},
    key_rule{"host", {}, "the host is set once, in http_options", true},
    key_rule{"port", {}, "the port is set once, in http_options", true},
};

bool is_symbol(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
}

} // namespace

std::span<const key_rule> document_keys() { return in_document; }
std::span<const key_rule> http_keys() { return in_http; }
std::span<const key_rule> application_keys() { return in_application; }

bool is_import_path(std::string_view text) {
  const auto colon = text.rfind(':');
  return colon != std::string_view::npos && colon != 0 && text.size() <= 4096 && !has_control(text) &&
         text[colon - 1] != '/' && is_symbol(text.substr(colon + 1));
}

bool is_route_prefix(std::string_view text) {
  if (text == "/")
    return true;
  if (!text.starts_with('/') || text.size() > 1024 || text.find_first_of("{}?#% ") != std::string_view::npos ||
      has_control(text) || text == "/-" || text.starts_with("/-/"))
    return false;
  while (!text.empty()) {
    const auto segment =
        text.substr(1, text.find('/', 1) == std::string_view::npos ? text.size() : text.find('/', 1) - 1);
    if (segment.empty() || segment == "." || segment == "..")
      return false;
    text.remove_prefix(segment.size() + 1);
  }
  return true;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{".:-_%[]"}.find(c) != std::string_view::npos;
  });
}

} // namespace troupe::config
