// `http_options`, and values that stand in several places.
#include <troupe/app/config/readers.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <algorithm>
#include <cmath>

namespace troupe::config {
namespace {

// Not "host": null, which is as good as not given.
const json* given(const json& object, std::string_view key) {
  const auto it = object.find(std::string(key));
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

} // namespace

std::optional<milliseconds> read_seconds(const json& value, std::string_view path, reporter& told) {
  const auto seconds = spec_fields::to_seconds(value);
  if (seconds && *seconds > 0)
    return std::max(milliseconds{std::llround(*seconds * 1000.0)}, milliseconds{1});
  told.error(path, value, spec_fields::above_zero.allowed);
  return std::nullopt;
}

void check_logging_config(const json& value, std::string_view path, reporter& told) {
  if (value.is_null())
    return;
  if (!value.is_object())
    return told.error(path, value, "an object or null");
  const json defaults{{"encoding", "TEXT"},
                      {"log_level", "INFO"},
                      {"logs_dir", nullptr},
                      {"enable_access_log", true},
                      {"additional_log_standard_attrs", json::array()}};
  for (const auto& [key, setting] : value.items())
    if (!defaults.contains(key))
      told.error(member(path, key), setting, "nothing: no option of logging has this name");
    else if (setting != defaults[key])
      told.error(member(path, key), setting,
                 defaults[key].dump() + ": there are no options of logging per application; the daemon's --log-level "
                                        "holds for all");
}

http_options read_http_options(const json& value, std::string_view path, reporter& told) {
  http_options result;
  if (value.is_null())
    return result;
  if (!value.is_object()) {
    told.error(path, value, "an object");
    return result;
  }
  told.check_names(value, path, http_keys());
  if (const auto* host = given(value, "host")) {
    if (host->is_string() && is_host(host->get_ref<const std::string&>()))
      result.host = host->get<std::string>();
    else
      told.error(member(path, "host"), *host, allowed_host);
  }
  if (const auto* port = given(value, "port")) {
    if (const auto n = spec_fields::to_integer(*port); n && *n >= 0 && *n <= 65535)
      result.port = static_cast<std::uint16_t>(*n);
    else
      told.error(member(path, "port"), *port, "an integer from 0 (any free port) to 65535");
  }
  if (const auto* root = given(value, "root_path");
      root && !(root->is_string() && root->get_ref<const std::string&>().empty()))
    told.error(member(path, "root_path"), *root, "\"\": there is no root path; write it into each route_prefix");
  if (value.contains("request_timeout_s")) {
    const auto& timeout = value["request_timeout_s"];
    result.request_timeout =
        timeout.is_null() ? milliseconds{0} : read_seconds(timeout, member(path, "request_timeout_s"), told);
  }
  if (const auto* timeout = given(value, "keep_alive_timeout_s"))
    result.keep_alive_timeout = read_seconds(*timeout, member(path, "keep_alive_timeout_s"), told);
  return result;
}

} // namespace troupe::config
