// Private to app/api: the table of endpoints and what each of them does.
#pragma once

#include <troupe/app/api/questions.hpp>
#include <troupe/app/api/server.hpp>
#include <troupe/messages/http.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace troupe::api {

/// A request that is being answered.
struct call_in {
  subjects& about;
  const request& asked;
  std::map<std::string, std::string> names; ///< Of the braces in the path.

  deployment_name deployment() const { return {names.at("app"), names.at("dep")}; }
};

struct endpoint {
  std::string_view method;
  std::string_view path; ///< With `{app}`, `{dep}` and `{name}`.
  std::string_view summary;
  response (*answer)(const call_in&); ///< Null: the event stream.
  std::string_view result = {};     ///< Schema of the answer (openapi_schemas.cpp) or its media type; empty = no body.
  std::string_view parameters = {}; ///< Beside the path's: names of `openapi_parameters`, with spaces between.
  std::string_view body = {};       ///< Schema of the request's body; empty = none is read.
  std::uint16_t status = 200;       ///< Of the answer.
};

/// Objects by their name: `schemas`, `parameters`.
json openapi_schemas();
json openapi_parameters();

response get_logs(const call_in& in); ///< log_endpoint.cpp

/// Each pair of method and path once.
std::span<const endpoint> endpoints();

/// The endpoint of `method` and `path`, its names filled in; null when there is none. `methods`: those that the path
/// has, as in an Allow header.
const endpoint* find_endpoint(std::string_view method, std::string_view path, std::map<std::string, std::string>& names,
                              std::string& methods);

} // namespace troupe::api
