// `rollout ...`: steers and shows the rollout of one deployment.
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/status_view.hpp>
#include <troupe/app/cli/text.hpp>

#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

// `ask` with a wrong name told as such.
template <class Ask>
json about(const api& daemon, const std::string& name, Ask question) {
  try {
    return question();
  } catch (const api_error& e) {
    if (e.status() == 404)
      throw failure{exit_code::failed, "there is no deployment \"" + name + "\"" + daemon.suggestion(name)};
    throw;
  }
}

exit_code wait_for(invocation& in, const api& daemon, const deployment_path& target,
                   std::optional<std::uint64_t> revision) {
  follow_options options;
  options.only = target;
  options.limit = wait_limit(in);
  if (revision)
    options.revisions[target.shown()] = *revision;
  return follow(in, daemon, options);
}

exit_code steer(invocation& in, std::string_view action, std::string_view told, json extra = json::object(),
                std::optional<std::uint64_t> if_revision = {}) {
  const auto target = parse_deployment(in.arguments[0]);
  const api daemon{in};
  extra["action"] = std::string(action);
  const auto answer = about(daemon, in.arguments[0],
                            [&] { return daemon.send("POST", api::path_of(target) + "/rollout", extra, if_revision); });
  const auto revision = value_or<std::uint64_t>(answer, "revision", 0);
  const bool waits = in.is_set("wait");
  if (in.json_output()) {
    if (!waits)
      in.w.out << answer.dump(2) << '\n';
  } else {
    const auto message = value_or<std::string>(answer, "message", "");
    in.w.out << harmless(target.shown()) << ": " << told
             << (revision > 0 ? ", revision " + std::to_string(revision) : "")
             << (message.empty() ? "" : " (" + harmless(message) + ")") << '\n';
  }
  if (!waits)
    return exit_code::done;
  return wait_for(in, daemon, target, revision > 0 ? std::optional{revision} : std::nullopt);
}

} // namespace

void add_rollout_options(po::options_description& to) { add_wait_options(to); }

void add_rollout_undo_options(po::options_description& to) {
  add_wait_options(to);
  to.add_options()("to-revision", po::value<std::uint64_t>()->default_value(0, "")->value_name("REVISION"),
                   "which one; default: the one before the present target")(
      "if-revision", po::value<std::uint64_t>()->value_name("REVISION"),
      "only if the application is still at this revision");
}

void add_rollout_status_options(po::options_description& to) {
  to.add_options()("no-wait", po::bool_switch(),
                   "show it once")("wait-timeout", po::value<double>()->default_value(0, "0")->value_name("SECONDS"),
                                   "give up waiting after this long; 0 = never");
}

exit_code run_rollout_pause(invocation& in) { return steer(in, "pause", "paused; the running wave ends"); }
exit_code run_rollout_resume(invocation& in) { return steer(in, "resume", "goes on"); }
exit_code run_rollout_promote(invocation& in) { return steer(in, "promote", "promoted"); }
exit_code run_rollout_abort(invocation& in) { return steer(in, "abort", "goes back"); }
exit_code run_rollout_restart(invocation& in) { return steer(in, "restart", "replicas are being replaced"); }

exit_code run_rollout_undo(invocation& in) {
  std::optional<std::uint64_t> if_revision;
  if (in.has("if-revision"))
    if_revision = in.get<std::uint64_t>("if-revision");
  return steer(in, "rollback", "goes back", {{"revision", in.get<std::uint64_t>("to-revision")}}, if_revision);
}

exit_code run_rollout_status(invocation& in) {
  const auto target = parse_deployment(in.arguments[0]);
  const api daemon{in};
  const auto d = about(daemon, in.arguments[0], [&] { return daemon.get(api::path_of(target)); });
  if (!in.is_set("no-wait"))
    return wait_for(in, daemon, target, std::nullopt);
  if (in.json_output()) {
    in.w.out << d.dump(2) << '\n';
  } else {
    const auto message = message_of(d);
    in.w.out << harmless(target.shown()) << ": " << value_or<std::string>(d, "state", "") << ", " << rollout_text(d)
             << (message.empty() ? "" : ": " + harmless(message)) << '\n';
  }
  const auto now = outcome_of(d);
  return now == outcome::failed ? exit_code::failed : now == outcome::paused ? exit_code::paused : exit_code::done;
}

exit_code run_rollout_history(invocation& in) {
  const auto target = parse_deployment(in.arguments[0]);
  const api daemon{in};
  const auto answer = about(daemon, in.arguments[0], [&] { return daemon.get(api::path_of(target) + "/history"); });
  if (in.json_output()) {
    in.w.out << answer.dump(2) << '\n';
    return exit_code::done;
  }
  std::vector<std::vector<std::string>> rows{{"REVISION", "CAUSE", "VERSION", ""}};
  for (const auto& r : part(answer, "revisions"))
    rows.push_back({std::to_string(value_or<std::uint64_t>(r, "number", 0)), value_or<std::string>(r, "cause", ""),
                    value_or<std::string>(r, "version", ""),
                    std::string(value_or(r, "is_target", false) ? "target " : "") +
                        (value_or(r, "is_base", false) ? "base" : "")});
  in.w.out << table(rows);
  return exit_code::done;
}

} // namespace troupe::cli
