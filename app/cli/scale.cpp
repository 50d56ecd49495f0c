// `scale`: another number of replicas.
#include <troupe/app/cli/api.hpp>
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/text.hpp>
#include <troupe/messages/validation.hpp>

#include <charconv>
#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

std::uint32_t parse_count(const std::string& text) {
  std::uint32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n > max_num_replicas)
    throw failure{exit_code::usage,
                  '"' + text + "\" is no number of replicas: an integer from 0 to " + std::to_string(max_num_replicas)};
  return n;
}

} // namespace

void add_scale_options(po::options_description& to) {
  add_wait_options(to);
  to.add_options()("if-revision", po::value<std::uint64_t>()->value_name("REVISION"),
                   "only if the application is still at this revision");
}

exit_code run_scale(invocation& in) {
  const auto target = parse_deployment(in.arguments[0]);
  const auto n = parse_count(in.arguments[1]);
  const api daemon{in};
  std::optional<std::uint64_t> revision;
  if (in.has("if-revision"))
    revision = in.get<std::uint64_t>("if-revision");
  json answer;
  try {
    answer = daemon.send("POST", api::path_of(target) + "/scale", {{"num_replicas", n}}, revision);
  } catch (const api_error& e) {
    if (e.status() == 404)
      throw failure{exit_code::failed,
                    "there is no deployment \"" + in.arguments[0] + "\"" + daemon.suggestion(in.arguments[0])};
    throw;
  }
  if (in.is_set("wait")) {
    follow_options options;
    options.only = target;
    options.limit = wait_limit(in);
    return follow(in, daemon, options);
  }
  if (in.json_output())
    in.w.out << answer.dump(2) << '\n';
  else
    in.w.out << harmless(target.shown()) << ": " << count_text(n, "replica") << " wanted\n";
  return exit_code::done;
}

} // namespace troupe::cli
