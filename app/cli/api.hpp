// The daemon's own API (/api/troupe/v1) as the commands use it: JSON in, JSON out, every refusal an exception.
#pragma once

#include <troupe/app/cli/command.hpp>
#include <troupe/app/cli/http_client.hpp>
#include <troupe/messages/json_doc.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::cli {

/// The daemon refused.
class api_error : public failure {
public:
  api_error(exit_code code, const std::string& sentence, unsigned status, json body, bool wants_json)
      : failure(code, sentence), status_(status), body_(std::move(body)), wants_json_(wants_json) {}
  unsigned status() const noexcept { return status_; }
  const json& body() const noexcept { return body_; } ///< `{"error": {...}}`
  bool wants_json() const noexcept { return wants_json_; }

private:
  unsigned status_;
  json body_;
  bool wants_json_;
};

/// `[APPLICATION/]NAME`, as everywhere.
struct deployment_path {
  std::string application = "default";
  std::string name;
  std::string shown() const { return application == "default" ? name : application + '/' + name; }
};
deployment_path parse_deployment(const std::string& text);

/// One daemon. Every call is one connection; all throw `failure` (unreachable) and `api_error`.
class api {
public:
  /// From the options of a client command; reads the token's file.
  explicit api(const invocation& in);

  json get(std::string_view path) const { return send("GET", path, nullptr, {}); }
  /// A null `body` sends none.
  json send(std::string_view method, std::string_view path, const json& body,
            std::optional<std::uint64_t> if_revision = {}) const;

  /// With every name of the daemon that is close to `wanted`, for a 404.
  std::string suggestion(const std::string& wanted) const;
  const daemon::endpoint& where() const noexcept { return where_; }

  static std::string path_of(const std::string& application);
  static std::string path_of(const deployment_path& x);

private:
  [[noreturn]] void refuse(const http_answer& answer, std::string_view path) const;
  std::string token_hint(unsigned status) const;

  daemon::endpoint where_;
  std::chrono::milliseconds timeout_;
  std::string token_;
  std::string token_from_; ///< For people: where it was found, or looked for.
  bool json_output_;
};

/// One segment of a path, or a value of a query.
std::string percent_encoded(std::string_view text);

/// `object[key]`, or `otherwise` where it is missing or of another type.
template <class T>
T value_or(const json& object, const char* key, T otherwise) {
  if (!object.is_object())
    return otherwise;
  const auto it = object.find(key);
  if (it == object.end())
    return otherwise;
  if constexpr (std::is_same_v<T, bool>)
    return it->is_boolean() ? it->get<bool>() : otherwise;
  else if constexpr (std::is_arithmetic_v<T>)
    return it->is_number() ? it->get<T>() : otherwise;
  else
    return it->is_string() ? it->get<T>() : otherwise;
}

/// `object[key]` where it is a list or an object; else an empty one.
const json& part(const json& object, const char* key);

} // namespace troupe::cli
