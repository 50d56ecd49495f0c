// The keys of a config file outside of deployments, each with its JSON Schema: one list for reading, warnings and
// schema.
#pragma once

#include <span>
#include <string_view>

namespace troupe::config {

struct key_rule {
  std::string_view name;
  std::string_view schema;      ///< JSON text; empty for keys that are refused.
  std::string_view description; ///< Of a refused key: why, as in "nothing: there is no gRPC".
  bool is_refused = false;      ///< Refused where it asks for something: neither null, false nor empty.
};

std::span<const key_rule> document_keys();
std::span<const key_rule> http_keys();
std::span<const key_rule> application_keys();

/// What may be written as an import path, a route prefix, the host of http_options.
inline constexpr std::string_view allowed_import_path =
    "`path/libname.so:symbol`: a path of a shared library and the name given to TROUPE_APPLICATION, at most 4096 bytes";
inline constexpr std::string_view allowed_route_prefix =
    "null, or a path that begins with '/' and, unless it is \"/\" itself, does not end with one; at most 1024 bytes "
    "without '{', '}', '?', '#', '%', spaces, control characters, empty, '.' and '..' segments, not below /-";
inline constexpr std::string_view allowed_host = "an address or a host name of 1 to 255 letters, digits and .:-_%[]";

bool is_import_path(std::string_view text);
bool is_route_prefix(std::string_view text);
bool is_host(std::string_view text);

} // namespace troupe::config
