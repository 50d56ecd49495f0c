// Private to app/config: readers of the parts of a document. Each reports all that is wrong and reads what is good.
#pragma once

#include <troupe/app/config/document.hpp>
#include <troupe/app/config/reporter.hpp>

namespace troupe::config {

http_options read_http_options(const json& value, std::string_view path, reporter& told);

/// `path` is empty where the application is the whole text. `called` is its name where it has none of its own.
application read_application(const json& value, std::string_view path, std::string_view called, reporter& told);

/// The overrides of one application's deployments.
std::vector<json> read_deployments(const json& value, std::string_view path, reporter& told);

/// Ray's `logging_config`: refused unless null or at Ray's defaults.
void check_logging_config(const json& value, std::string_view path, reporter& told);

/// Seconds, more than 0; what is wrong is reported.
std::optional<milliseconds> read_seconds(const json& value, std::string_view path, reporter& told);

} // namespace troupe::config
