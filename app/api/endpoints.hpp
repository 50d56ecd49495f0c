// Private to app/api: the table of endpoints and what each of them does.
#pragma once

#include <troupe/app/api/server.hpp>
#include <troupe/messages/http.hpp>

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::api {

/// A request that is being answered.
struct call_in {
  subjects& about;
  const request& asked;
  std::map<std::string, std::string> names; ///< Of the braces in the path.

  std::string query(std::string_view key) const; ///< Empty when not given.
  bool flag(std::string_view key) const { return query(key) == "true" || query(key) == "1"; }
  std::optional<std::uint64_t> if_match() const; ///< Throws `problem_answer` for what is no revision.
  json body() const;                             ///< Throws `problem_answer`.
  deployment_name deployment() const { return {names.at("app"), names.at("dep")}; }
};

/// Thrown by an endpoint: the error that is answered.
struct problem_answer : std::runtime_error {
  explicit problem_answer(daemon::refusal r) : std::runtime_error(r.message), why(std::move(r)) {}
  daemon::refusal why;
};

struct endpoint {
  std::string_view method;
  std::string_view path; ///< With `{app}` and `{dep}`.
  std::string_view summary;
  response (*answer)(const call_in&);
};

/// Ours first, then Ray's.
std::span<const endpoint> endpoints();

/// The endpoint of `method` and `path`, its names filled in; null when there is none. `path_known`: another method has
/// one.
const endpoint* find_endpoint(std::string_view method, std::string_view path, std::map<std::string, std::string>& names,
                              bool& path_known);

/// An error in the form of our API.
response error_answer(const daemon::refusal& why);

} // namespace troupe::api
