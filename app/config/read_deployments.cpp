// The overrides of deployments: `read_spec` judges each option by itself; rules across options need the code's
// defaults.
#include <troupe/app/config/readers.hpp>
#include <troupe/messages/runtime_env.hpp>
#include <troupe/messages/validation.hpp>

#include <map>
#include <utility>

namespace troupe::config {
namespace {

// What stands at the application, not at its deployments.
constexpr std::string_view at_application = "nothing: it stands at the application";

json read_deployment(const json& value, std::string_view path, reporter& told) {
  if (!value.is_object()) {
    told.error(path, value, "an object: options of a deployment");
    return nullptr;
  }
  auto options = value;
  for (const auto* key : {"import_path", "route_prefix", "args"})
    if (options.contains(key)) {
      if (!options[key].is_null())
        told.error(member(path, key), options[key], at_application);
      options.erase(key);
    }
  if (options.contains("application")) { // an option of ours, but here it is given by where it stands
    told.warn(member(path, "application"), "a deployment belongs to the application it stands in; this is ignored");
    options.erase("application");
  }
  if (options.contains("logging_config")) {
    check_logging_config(options["logging_config"], member(path, "logging_config"), told);
    options.erase("logging_config");
  }
  const auto read = read_spec(options, {}, {.is_whole = false, .refuse_unknown = false});
  for (const auto& e : read.errors)
    told.error_about(std::string(path) + '.' + e.path, e.value, e.allowed);
  for (const auto& e : read.unknown) {
    told.warn(std::string(path) + '.' + e.path, "no option has this name, it is ignored" +
                                                    e.allowed.substr(std::min(e.allowed.size(), e.allowed.find(';'))));
  }
  if (options.contains("runtime_env")) { // of whatever the code declares: it is looked at in this environment
    std::vector<field_error> faults;
    check_runtime_env(options["runtime_env"], true, runtime_env_form::written, faults);
    for (const auto& e : faults)
      told.error_about(std::string(path) + '.' + e.path, e.value, e.allowed);
  }
  if (!options.contains("name")) {
    told.error_about(member(path, "name"), "nothing", *name_problem(""));
    return nullptr;
  }
  return options;
}

} // namespace

std::vector<json> read_deployments(const json& value, std::string_view path, reporter& told) {
  std::vector<json> result;
  if (value.is_null())
    return result;
  if (!value.is_array()) {
    told.error(path, value, "a list of deployments");
    return result;
  }
  std::map<std::string, std::size_t, std::less<>> seen;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto at = element(path, i);
    auto options = read_deployment(value[i], at, told);
    if (!options.is_object() || !options["name"].is_string())
      continue;
    const auto [first, is_new] = seen.emplace(options["name"].get<std::string>(), i);
    if (is_new)
      result.push_back(std::move(options));
    else
      told.error(member(at, "name"), options["name"],
                 "a name that no other deployment of the application has; deployments[" +
                     std::to_string(first->second) + "] has it too");
  }
  return result;
}

} // namespace troupe::config
