// `config`: what was deployed, as a file that can be deployed again; or every option as it runs.
#include <troupe/app/cli/api.hpp>
#include <troupe/app/cli/yaml_text.hpp>
#include <troupe/app/config/document.hpp>

#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;

void add_config_options(po::options_description& to) {
  to.add_options()("effective", po::bool_switch(), "every option of every deployment, defaults included");
}

exit_code run_config(invocation& in) {
  const api daemon{in};
  const bool effective = in.is_set("effective");
  std::vector<std::string> names = in.arguments;
  json result{{"applications", json::array()}};
  if (names.empty()) {
    const auto answer = daemon.get("/applications");
    for (const auto& app : part(answer, "applications"))
      names.push_back(value_or<std::string>(app, "name", ""));
    // Of the whole config; without it a `deploy --prune` of what is printed would put it back to its default.
    const auto proxies = value_or<std::string>(answer, "proxy_location", "");
    if (!proxies.empty() && (effective || proxies != config::to_string(config::proxy_location::every_node)))
      result["proxy_location"] = proxies;
  }
  for (const auto& name : names) {
    json answer;
    try {
      answer = daemon.get(api::path_of(name) + "/config");
    } catch (const api_error& e) {
      if (e.status() == 404)
        throw failure{exit_code::failed, "there is no application \"" + name + "\"" + daemon.suggestion(name)};
      throw;
    }
    auto shown = answer.value("given", json::object());
    if (effective)
      shown = {{"name", name}, {"deployments", answer.value("effective", json::object())}};
    else if (shown.is_object() && !shown.contains("name"))
      shown["name"] = name;
    result["applications"].push_back(std::move(shown));
  }
  in.w.out << (in.json_output() ? result.dump(2) + '\n' : yaml_text(result));
  return exit_code::done;
}

} // namespace troupe::cli
