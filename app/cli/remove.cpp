// `delete` and `shutdown`.
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/text.hpp>

#include <istream>
#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;

void add_delete_options(po::options_description& to) { add_wait_options(to); }

exit_code run_delete(invocation& in) {
  const api daemon{in};
  follow_options options;
  auto removed = json::array();
  for (const auto& name : in.arguments) {
    try {
      daemon.send("DELETE", api::path_of(name), nullptr);
    } catch (const api_error& e) {
      if (e.status() == 404)
        throw failure{exit_code::failed, "there is no application \"" + name + "\"" + daemon.suggestion(name)};
      throw;
    }
    options.applications.insert(name);
    removed.push_back(name);
    if (!in.json_output())
      in.w.out << harmless(name) << ": is being removed\n";
  }
  if (in.is_set("wait")) {
    options.gone_is_done = true;
    options.limit = wait_limit(in);
    return follow(in, daemon, options);
  }
  if (in.json_output())
    in.w.out << json{{"removed", removed}}.dump(2) << '\n';
  return exit_code::done;
}

void add_shutdown_options(po::options_description& to) { to.add_options()("yes,y", po::bool_switch(), "do not ask"); }

exit_code run_shutdown(invocation& in) {
  const api daemon{in};
  if (in.w.is_terminal && !in.is_set("yes")) {
    in.w.out << "This drains all deployments and ends the daemon at " << daemon.where().host << ':'
             << daemon.where().port << ". Go on? [y/N] " << std::flush;
    std::string answer;
    std::getline(in.w.in, answer);
    if (answer != "y" && answer != "Y" && answer != "yes")
      throw failure{exit_code::failed, "nothing was done"};
  }
  const auto answer = daemon.send("POST", "/shutdown", json::object());
  if (in.json_output())
    in.w.out << answer.dump(2) << '\n';
  else
    in.w.out << "The daemon drains and ends.\n";
  return exit_code::done;
}

} // namespace troupe::cli
