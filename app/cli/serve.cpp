// `serve`: the daemon's options.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/command.hpp>
#include <troupe/app/cli/ingress_options.hpp>
#include <troupe/app/cli/number.hpp>
#include <troupe/app/cli/version.hpp>
#include <troupe/app/runtime/machine_resources.hpp>

#include <utility>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

using text = std::string;

daemon::limits limits_of(const invocation& in) {
  auto result = ingress_limits(in);
  result.loaded_libraries = number<std::size_t>(in, "max-libraries", 1, largest_count);
  result.loaded_bytes = bytes(in, "max-library-bytes");
  return result;
}

} // namespace

void add_serve_options(po::options_description& to) {
  const auto where = [] { return po::value<text>()->value_name("HOST:PORT"); };
  const auto amount = [] { return po::value<text>()->value_name("BYTES"); };
  const auto count = [] { return po::value<std::int64_t>()->value_name("NUMBER"); };
  const auto time = [] { return po::value<double>()->value_name("SECONDS"); };
  auto add = to.add_options();
  add("http-address", where(), "the ingress; default: http_options of CONFIG, else 127.0.0.1:8000");
  add("api-address", where(), "the REST API; default: $TROUPE_API_ADDRESS, else 127.0.0.1:8265");
  add("metrics-address", where(), "Prometheus metrics on an address of their own, without a token");
  add("data-dir", po::value<text>()->value_name("DIR"),
      "state, token and copies of user code; default: $TROUPE_DATA_DIR, else $XDG_STATE_HOME/troupe, else "
      "~/.local/state/troupe");
  add("code-dir", po::value<std::vector<text>>()->value_name("DIR"),
      "where user code may be loaded from, repeatable; default: the start folder and ../lib/troupe of the program");
  add("secrets-dir", po::value<text>()->value_name("DIR"),
      "a file for each secret that a config refers to; looked in before the credentials of systemd");
  add("cluster-address", where(),
      "make this the controller of a cluster: replicas run on nodes that join here (`troupe node --join`), none in "
      "this "
      "process");
  add("cluster-dir", po::value<text>()->value_name("DIR"),
      "the controller's folder of `troupe cluster init`; needed unless --cluster-address is a loopback address");
  add("no-token", po::bool_switch(), "the API takes requests without a token: every local user may load code");
  add("insecure", po::bool_switch(), "allow addresses other than loopback, without TLS");
  add("threads", count(), "threads of user code (CAF's scheduler); default: as many as there are CPUs");
  add("max-replicas", count(), "replicas that may exist at once, of all deployments together");
  add("resources", po::value<text>()->value_name("NAME=AMOUNT,..."),
      "what replicas may ask for, like num_cpus=4,num_gpus=1,memory=8GiB,tokens=3; what it doesn't name stays as "
      "found: the CPUs and the memory that the process may use");
  add_ingress_options(to, {.request_timeout = "http_options of CONFIG, else 600",
                           .keep_alive_timeout = "http_options of CONFIG, else 90"});
  add("max-libraries", count(), "copies of user code loaded at once; default 200");
  add("max-library-bytes", amount(), "of all loaded copies; default 1GiB");
  add("shutdown-delay", time(), "new connections are still taken for this long after a stop signal; default 0");
  add("shutdown-timeout", time(), "for draining everything; default 30");
  add("log-level", po::value<text>()->value_name("LEVEL"), "error, warning, info (default) or debug");
  add("quiet,q", po::bool_switch(), "print no start-up lines");
}

exit_code run_serve(invocation& in) {
  daemon::serve_options options;
  if (!in.arguments.empty())
    options.config_file = in.arguments[0];
  options.http_address = address(in, "http-address");
  options.metrics_address = address(in, "metrics-address");
  if (const auto api = address(in, "api-address"))
    options.api_address = *api;
  else if (const auto set = in.w.environment("TROUPE_API_ADDRESS").value_or(""); !set.empty())
    options.api_address = parse_endpoint(set, "TROUPE_API_ADDRESS");
  options.cluster_address = address(in, "cluster-address");
  if (in.has("cluster-dir") && !options.cluster_address)
    throw failure{exit_code::usage, "--cluster-dir goes with --cluster-address"};
  if (in.has("cluster-dir"))
    options.cluster_dir = in.get<text>("cluster-dir");
  options.release = program_version();
  options.data_dir = data_dir(in.has("data-dir") ? in.get<text>("data-dir") : "", in.w);
  if (in.has("code-dir"))
    for (const auto& dir : in.get<std::vector<text>>("code-dir"))
      options.code_dirs.emplace_back(dir);
  if (in.has("secrets-dir"))
    options.secrets_dir = in.get<text>("secrets-dir");
  options.credentials_dir = in.w.environment("CREDENTIALS_DIRECTORY").value_or("");
  options.no_token = in.is_set("no-token");
  options.insecure = in.is_set("insecure");
  options.http_threads = http_threads(in);
  options.worker_threads = number<unsigned>(in, "threads", 1, 1024).value_or(options.worker_threads);
  options.max_replicas = number<std::uint32_t>(in, "max-replicas", 1, 10'000'000);
  if (in.has("resources"))
    options.local = parse_resources(in.get<text>("resources"), "--resources", detected_resources());
  options.limits = limits_of(in);
  options.shutdown_delay = seconds(in, "shutdown-delay").value_or(options.shutdown_delay);
  options.shutdown_timeout = seconds(in, "shutdown-timeout").value_or(options.shutdown_timeout);
  if (in.has("access-log"))
    options.access_log = in.get<text>("access-log");
  if (in.has("log-level"))
    options.log_level = parse_level(in.get<text>("log-level"), "--log-level");
  options.quiet = in.is_set("quiet");
  return static_cast<exit_code>(in.w.serve(options));
}

} // namespace troupe::cli
