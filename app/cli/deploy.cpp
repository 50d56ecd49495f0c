// `deploy`: sends a config, tells what it set in motion, and with --wait shows it until it has ended.
#include <troupe/app/cli/config_input.hpp>
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/text.hpp>

#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

std::string sentence_of(const std::string& change, std::uint64_t revision) {
  const auto now = ", revision " + std::to_string(revision);
  if (change == "none")
    return "unchanged" + now;
  if (change == "replaced")
    return "replicas are being replaced" + now;
  if (change == "reconfigured")
    return "replicas are being reconfigured" + now;
  if (change == "light")
    return "options changed, no replica is touched" + now;
  return (change.empty() ? "accepted" : change) + now;
}

// Prints one application's answer and notes its revisions.
void tell(const std::string& application, const json& answer, invocation& in, follow_options& to_follow) {
  to_follow.applications.insert(application);
  for (const auto& [name, d] : part(answer, "deployments").items()) {
    const auto full = deployment_path{application, name}.shown();
    const auto revision = value_or<std::uint64_t>(d, "revision", 0);
    to_follow.revisions[full] = revision;
    if (in.json_output())
      continue;
    const auto message = value_or<std::string>(d, "message", "");
    in.w.out << harmless(full) << ": " << sentence_of(value_or<std::string>(d, "change", ""), revision)
             << (message.empty() ? "" : " (" + harmless(message) + ")") << '\n';
  }
}

json send(const api& daemon, const config::document_result& read, const invocation& in) {
  const auto& file = in.arguments[0];
  if (!in.has("if-revision"))
    return send_config(daemon, read, file, "PUT",
                       in.is_set("prune") ? "/applications?prune=true" : "/applications?prune=false",
                       read.document.as_given);
  if (read.document.applications.size() != 1 || in.is_set("prune"))
    throw failure{exit_code::usage,
                  "--if-revision is about one application: the file must have exactly one, without --prune"};
  const auto& app = read.document.applications[0];
  const auto answer = send_config(daemon, read, file, "PUT", api::path_of(app.name), app.as_given,
                                  in.get<std::uint64_t>("if-revision"));
  return {{"applications", {{app.name, answer}}}, {"warnings", part(answer, "warnings")}};
}

} // namespace

void add_deploy_options(po::options_description& to) {
  add_wait_options(to);
  to.add_options()("prune", po::bool_switch(), "also remove applications that the file does not have")(
      "if-revision", po::value<std::uint64_t>()->value_name("REVISION"),
      "only if the application is still at this revision, which `plan` and `status` print");
}

exit_code run_deploy(invocation& in) {
  const auto read = read_config(in.arguments[0], in);
  const api daemon{in};
  const auto answer = send(daemon, read, in);
  follow_options to_follow;
  for (const auto& [name, app] : part(answer, "applications").items())
    tell(name, app, in, to_follow);
  tell_warnings(answer, read, in);
  if (!in.json_output())
    for (const auto& name : part(answer, "removed"))
      in.w.out << harmless(name.is_string() ? name.get<std::string>() : name.dump()) << ": is being removed\n";
  if (in.is_set("wait") && !to_follow.applications.empty()) {
    to_follow.limit = wait_limit(in);
    return follow(in, daemon, to_follow);
  }
  if (in.json_output())
    in.w.out << answer.dump(2) << '\n';
  else if (!to_follow.applications.empty())
    in.w.out << "Accepted. `troupe status --watch` shows how it goes.\n";
  else
    in.w.out << "Accepted.\n";
  return exit_code::done;
}

} // namespace troupe::cli
