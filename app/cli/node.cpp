// `node --join`: the options of a node's process.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/command.hpp>
#include <troupe/app/cli/ingress_options.hpp>
#include <troupe/app/cli/number.hpp>
#include <troupe/app/cli/version.hpp>
#include <troupe/app/cluster/names.hpp>
#include <troupe/app/runtime/machine_resources.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <unistd.h>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

using text = std::string;

/// The machine's name up to its first dot, as far as it may be a node's.
text default_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0)
    return {};
  const text whole{name.data()};
  return whole.substr(0, whole.find('.'));
}

text name_of(const invocation& in) {
  auto name = in.has("name") ? in.get<text>("name") : default_name();
  if (!cluster::is_name(name))
    throw failure{exit_code::usage, "--name takes " + text{cluster::allowed_names} + ", not \"" + name + '"' +
                                        (in.has("name") ? "" : ", which is this machine's")};
  return name;
}

/// "zone=a,disk=ssd"
std::map<text, text> labels_of(const text& given) {
  std::map<text, text> out;
  for (std::size_t at = 0; at <= given.size();) {
    const auto end = std::min(given.find(',', at), given.size());
    const auto one = given.substr(at, end - at);
    const auto sign = one.find('=');
    if (sign == text::npos || sign == 0)
      throw failure{exit_code::usage, "--labels takes KEY=VALUE,..., not \"" + one + '"'};
    if (!out.emplace(one.substr(0, sign), one.substr(sign + 1)).second)
      throw failure{exit_code::usage, "--labels has " + one.substr(0, sign) + " twice"};
    at = end + 1;
  }
  return out;
}

/// Options that mean nothing without --http-address are refused there: what they ask for would not be done.
std::optional<cluster::node_http> http_of(const invocation& in) {
  const auto where = address(in, "http-address");
  if (!where) {
    const auto refuse = [&](const char* option) {
      throw failure{exit_code::usage, "--" + text(option) + " goes with --http-address: this node takes no HTTP"};
    };
    for (const auto* option : ingress_option_names())
      if (in.has(option))
        refuse(option);
    if (in.has("shutdown-delay"))
      refuse("shutdown-delay");
    if (in.is_set("insecure"))
      refuse("insecure");
    return std::nullopt;
  }
  cluster::node_http x;
  x.address = *where;
  x.insecure = in.is_set("insecure");
  x.threads = http_threads(in);
  x.limits = ingress_limits(in);
  if (in.has("access-log"))
    x.access_log = in.get<text>("access-log");
  x.shutdown_delay = seconds(in, "shutdown-delay").value_or(x.shutdown_delay);
  return x;
}

/// It is told to the other nodes, which connect to it.
std::optional<daemon::endpoint> peer_of(const invocation& in) {
  auto where = address(in, "peer-address");
  if (where && (where->host == "0.0.0.0" || where->host == "::"))
    throw failure{exit_code::usage, "--peer-address takes an address that other nodes reach this machine by, not \"" +
                                        in.get<text>("peer-address") + "\", which stands for all of its own"};
  return where;
}

} // namespace

void add_node_options(po::options_description& to) {
  auto add = to.add_options();
  add("join", po::value<text>()->value_name("HOST:PORT"), "the controller's --cluster-address; needed");
  add("name", po::value<text>()->value_name("NAME"), "in the cluster; default: the machine's");
  add("labels", po::value<text>()->value_name("KEY=VALUE,..."), "what operators may know it by, like zone=a,disk=ssd");
  add("resources", po::value<text>()->value_name("NAME=AMOUNT,..."),
      "what replicas may ask for, like num_cpus=4,num_gpus=1,memory=8GiB,tokens=3; what it doesn't name stays as "
      "found: the CPUs and the memory that the process may use");
  add("cluster-dir", po::value<text>()->value_name("DIR"),
      "this node's folder of `troupe cluster certificate`; needed unless the controller is on this machine");
  add("peer-address", po::value<text>()->value_name("HOST:PORT"),
      "where other nodes reach this one; default: the address that reaches the controller, any free port");
  add("http-address", po::value<text>()->value_name("HOST:PORT"),
      "take HTTP here, for all deployments of the cluster; default: none is taken");
  add("insecure", po::bool_switch(), "allow an --http-address other than loopback, without TLS");
  add_ingress_options(to, {.request_timeout = "600", .keep_alive_timeout = "90"});
  add("shutdown-delay", po::value<double>()->value_name("SECONDS"),
      "/-/healthz answers 503 for this long after a stop signal before anything moves away; a part of "
      "--drain-timeout; default 0");
  add("data-dir", po::value<text>()->value_name("DIR"),
      "copies of user code; default: \"nodes/NAME\" in $TROUPE_DATA_DIR, else in $XDG_STATE_HOME/troupe, else in "
      "~/.local/state/troupe");
  add("threads", po::value<std::int64_t>()->value_name("NUMBER"),
      "threads of user code (CAF's scheduler); default: as many as there are CPUs");
  add("cache-bytes", po::value<text>()->value_name("BYTES"), "of copies of user code, like 2GiB; default 10GiB");
  add("drain-timeout", po::value<double>()->value_name("SECONDS"),
      "for moving replicas away after a stop signal, and for requests under way; default 30");
  add("log-level", po::value<text>()->value_name("LEVEL"), "error, warning, info (default) or debug");
  add("quiet,q", po::bool_switch(), "print no start-up lines");
}

exit_code run_node(invocation& in) {
  cluster::node_options options;
  if (!in.has("join"))
    throw failure{exit_code::usage, "--join HOST:PORT is needed: the controller's --cluster-address"};
  options.join = parse_endpoint(in.get<text>("join"), "--join");
  options.peer = peer_of(in);
  options.http = http_of(in);
  options.name = name_of(in);
  options.release = program_version();
  if (in.has("labels"))
    options.labels = labels_of(in.get<text>("labels"));
  options.total = in.has("resources") ? parse_resources(in.get<text>("resources"), "--resources", detected_resources())
                                      : detected_resources();
  if (in.has("cluster-dir"))
    options.cluster_dir = in.get<text>("cluster-dir");
  options.data_dir = in.has("data-dir") ? std::filesystem::path{in.get<text>("data-dir")}
                                        : data_dir("", in.w) / "nodes" / options.name;
  options.threads = number<unsigned>(in, "threads", 1, 1024).value_or(0);
  if (in.has("cache-bytes"))
    options.cache_bytes = parse_bytes(in.get<text>("cache-bytes"), "--cache-bytes");
  options.drain_timeout = seconds(in, "drain-timeout").value_or(options.drain_timeout);
  if (in.has("log-level"))
    options.log_level = parse_level(in.get<text>("log-level"), "--log-level");
  options.quiet = in.is_set("quiet");
  return static_cast<exit_code>(in.w.run_node(options));
}

} // namespace troupe::cli
