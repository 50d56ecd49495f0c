// `logs`: what workers printed, from the data directory: no daemon is asked, so it also works when that has ended.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/api.hpp>
#include <troupe/app/cli/text.hpp>
#include <troupe/app/logs/reader.hpp>

#include <ostream>
#include <system_error>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

// A name without a slash may be an application, or a deployment of the application "default".
void set_name(logs::query& to, const std::string& name) {
  if (name.find('/') == std::string::npos &&
      std::filesystem::is_directory(logs::root_of(to.data_dir) / logs::file_name_of(name))) {
    to.application = name;
    return;
  }
  const auto path = parse_deployment(name);
  to.application = path.application;
  to.deployment = path.name;
}

std::string since_of(const std::string& text) {
  const auto when = logs::parse_since(text, std::chrono::system_clock::now());
  if (!when)
    throw failure{exit_code::usage, "--since takes " + std::string{logs::allowed_since} + ", not \"" + text + "\""};
  return logs::time_text(*when);
}

} // namespace

void add_logs_options(po::options_description& to) {
  to.add_options()("replica", po::value<std::string>()->value_name("ID"),
                   "of this replica only")("follow,f", po::bool_switch(), "go on with what is printed from now on")(
      "since", po::value<std::string>()->value_name("TIME"),
      "from then on: a time ago (30s, 10m, 2h, 1d) or as RFC 3339 writes it");
}

exit_code run_logs(invocation& in) {
  logs::query query{.data_dir = data_dir(in.has("data-dir") ? in.get<std::string>("data-dir") : "", in.w)};
  if (!in.arguments.empty())
    set_name(query, in.arguments[0]);
  if (in.has("replica"))
    query.replica = in.get<std::string>("replica");
  if (in.has("since"))
    query.since = since_of(in.get<std::string>("since"));
  const bool several = query.deployment.empty();
  try {
    logs::reader reader{query};
    const auto print = [&](const std::string& application, const std::string& deployment, std::string_view line) {
      if (several)
        in.w.out << application << '/' << deployment << ' ';
      in.w.out << (in.w.is_terminal ? harmless(line) : line) << '\n';
      return in.w.out.good();
    };
    const bool any = reader.read(print) > 0;
    in.w.out.flush();
    if (!any)
      in.w.err << "troupe: there are no logs" << (in.arguments.empty() ? "" : " of " + in.arguments[0])
               << (query.since.empty() ? "" : " since then") << " in " << logs::root_of(query.data_dir).string()
               << ": replicas that run in worker processes have logs of their own; what code in the daemon's process "
                  "prints is in the daemon's output\n";
    if (!in.is_set("follow"))
      return any ? exit_code::done : exit_code::failed;
    while (in.w.out.good() && reader.wait()) {
      reader.read(print);
      in.w.out.flush();
    }
    return exit_code::done;
  } catch (const std::system_error& e) {
    throw failure{exit_code::failed,
                  "the logs cannot be read: " + std::string{e.what()} + "; --data-dir says where the daemon's data is"};
  }
}

} // namespace troupe::cli
