// `version` and `schema`: what this program is.
#include <troupe/app/cli/api.hpp>
#include <troupe/app/cli/text.hpp>
#include <troupe/app/cli/version.hpp>
#include <troupe/app/config/json_schema.hpp>

#include <caf/config.hpp>

#include <ostream>

namespace troupe {

std::string program_version() { return TROUPE_VERSION; }

std::string caf_version() {
  return std::to_string(CAF_MAJOR_VERSION) + '.' + std::to_string(CAF_MINOR_VERSION) + '.' +
         std::to_string(CAF_PATCH_VERSION);
}

} // namespace troupe

namespace troupe::cli {

exit_code run_schema(invocation& in) {
  in.w.out << config::json_schema().dump(2) << '\n';
  return exit_code::done;
}

exit_code run_version(invocation& in) {
  json result{{"client", {{"version", program_version()}, {"caf", caf_version()}}}, {"daemon", nullptr}};
  std::string problem;
  std::string where;
  try {
    const api daemon{in};
    where = daemon.where().host + ':' + std::to_string(daemon.where().port);
    result["daemon"] = daemon.get("/version");
  } catch (const failure& e) {
    problem = e.what();
    problem = problem.substr(0, problem.find('\n'));
  }
  if (in.json_output()) {
    in.w.out << result.dump(2) << '\n';
    return exit_code::done;
  }
  in.w.out << "troupe " << program_version() << " (CAF " << caf_version() << ")\n";
  if (problem.empty())
    in.w.out << "daemon at " << where << ": " << harmless(value_or<std::string>(result["daemon"], "version", "?"))
             << " (CAF " << harmless(value_or<std::string>(result["daemon"], "caf", "?")) << ")\n";
  else
    in.w.out << "daemon: " << problem << '\n';
  return exit_code::done;
}

} // namespace troupe::cli
