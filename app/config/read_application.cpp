// One application object.
#include <troupe/app/config/readers.hpp>
#include <troupe/messages/runtime_env.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <algorithm>

namespace troupe::config {
namespace {

class application_reader {
public:
  application_reader(const json& value, std::string_view path, std::string_view called, reporter& told)
      : value_(value), path_(path), told_(told) {
    result_.name = called;
  }

  application read() {
    told_.check_names(value_, path_, application_keys());
    name();
    if (const auto* prefix = find("route_prefix"))
      route_prefix(*prefix);
    import_path();
    if (const auto* args = find("args"))
      read_args(*args);
    if (const auto* env = find("runtime_env"); env && !env->is_null())
      runtime_env(*env);
    if (const auto* timeout = find("request_timeout_s"); timeout && !timeout->is_null())
      result_.request_timeout = read_seconds(*timeout, member(path_, "request_timeout_s"), told_);
    if (const auto* logging = find("logging_config"))
      check_logging_config(*logging, member(path_, "logging_config"), told_);
    if (const auto* deployments = find("deployments"))
      result_.deployments = read_deployments(*deployments, member(path_, "deployments"), told_);
    result_.as_given = value_;
    return std::move(result_);
  }

private:
  void name() {
    const auto* given = find("name");
    if (!given) {
      if (const auto problem = name_problem(result_.name))
        error("name", result_.name, *problem);
      return;
    }
    const auto problem = given->is_string() ? name_problem(given->get_ref<const std::string&>()) : name_problem("");
    if (problem)
      error("name", *given, *problem);
    else
      result_.name = given->get<std::string>();
  }

  void route_prefix(const json& prefix) {
    if (prefix.is_null())
      result_.route_prefix.reset();
    else if (prefix.is_string() && is_route_prefix(prefix.get_ref<const std::string&>()))
      result_.route_prefix = prefix.get<std::string>();
    else
      error("route_prefix", prefix, allowed_route_prefix);
  }

  void import_path() {
    const auto* given = find("import_path");
    if (!given)
      return told_.error_about(member(path_, "import_path"), "nothing", allowed_import_path);
    if (given->is_string() && is_import_path(given->get_ref<const std::string&>()))
      result_.import_path = given->get<std::string>();
    else
      error("import_path", *given, allowed_import_path);
  }

  void read_args(const json& args) {
    if (args.is_null())
      return;
    if (!args.is_object())
      return error("args", args, "an object");
    if (const auto problem = spec_fields::document_problem(args))
      return error("args", args, *problem);
    result_.args = args;
  }

  // Whether each deployment that takes it is isolated shows when it is merged.
  void runtime_env(const json& env) {
    std::vector<field_error> errors;
    check_runtime_env(env, true, runtime_env_form::written, errors);
    for (const auto& e : errors)
      told_.error_about(path_.empty() ? e.path : std::string(path_) + '.' + e.path, e.value, e.allowed);
    if (errors.empty())
      result_.runtime_env = env;
  }

  const json* find(std::string_view key) const {
    const auto it = value_.find(std::string(key));
    return it == value_.end() ? nullptr : &*it;
  }

  void error(std::string_view key, const json& value, std::string_view allowed) {
    told_.error(member(path_, key), value, allowed);
  }

  const json& value_;
  std::string_view path_;
  reporter& told_;
  application result_;
};

} // namespace

application read_application(const json& value, std::string_view path, std::string_view called, reporter& told) {
  if (value.is_object())
    return application_reader{value, path, called, told}.read();
  told.error(path, value, "an object: an application");
  return {};
}

} // namespace troupe::config
