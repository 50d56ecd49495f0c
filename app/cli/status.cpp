// `status`: tables of what runs, or its rollouts live.
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/status_view.hpp>

#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

// A name without a slash may be an application, or a deployment of the application "default".
json ask_for(const api& daemon, const std::string& name, const std::string& query) {
  if (name.find('/') == std::string::npos)
    try {
      return json::array({daemon.get(api::path_of(name) + query)});
    } catch (const api_error& e) {
      if (e.status() != 404)
        throw;
    }
  const auto path = parse_deployment(name);
  try {
    auto app = daemon.get(api::path_of(path.application) + query);
    auto kept = json::array();
    for (auto& d : app["deployments"])
      if (value_or<std::string>(d, "name", "") == path.name)
        kept.push_back(std::move(d));
    if (!kept.empty()) {
      app["deployments"] = std::move(kept);
      return json::array({std::move(app)});
    }
  } catch (const api_error& e) {
    if (e.status() != 404)
      throw;
  }
  throw failure{exit_code::failed, "nothing is called \"" + name + "\"" + daemon.suggestion(name)};
}

} // namespace

void add_status_options(po::options_description& to) {
  to.add_options()("watch,w", po::bool_switch(), "show rollouts until all have ended")(
      "wait-timeout", po::value<double>()->default_value(0, "0")->value_name("SECONDS"),
      "end --watch after this long; 0 = never")("replicas,r", po::bool_switch(), "list every replica");
}

exit_code run_status(invocation& in) {
  const api daemon{in};
  const bool has_name = !in.arguments.empty();
  const auto query = in.is_set("replicas") ? "?replicas=true" : "";
  if (in.is_set("watch")) {
    follow_options options;
    options.limit = wait_limit(in);
    if (has_name) {
      const auto found = ask_for(daemon, in.arguments[0], ""); // also tells of a wrong name
      const auto app = value_or<std::string>(found[0], "name", "");
      if (app == in.arguments[0])
        options.applications.insert(app);
      else
        options.only = parse_deployment(in.arguments[0]);
    }
    return follow(in, daemon, options);
  }
  json answer;
  if (has_name)
    answer["applications"] = ask_for(daemon, in.arguments[0], query);
  else
    answer = daemon.get(std::string("/applications") + query);
  if (in.json_output())
    in.w.out << answer.dump(2) << '\n';
  else
    in.w.out << status_text(part(answer, "applications"));
  return exit_code::done;
}

} // namespace troupe::cli
