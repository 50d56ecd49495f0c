#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/ingress_options.hpp>
#include <troupe/app/cli/number.hpp>

#include <array>
#include <string>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

using text = std::string;

constexpr std::array ingress_names{"http-threads",   "max-header-bytes",         "max-body-bytes", "max-connections",
                                   "max-requests",   "max-body-bytes-in-flight", "max-pipelining", "request-timeout",
                                   "header-timeout", "keep-alive-timeout",       "access-log"};

} // namespace

std::span<const char* const> ingress_option_names() { return ingress_names; }

std::optional<std::size_t> bytes(const invocation& in, const char* option) {
  if (!in.has(option))
    return std::nullopt;
  return parse_bytes(in.get<text>(option), "--" + text(option));
}

std::optional<std::chrono::milliseconds> seconds(const invocation& in, const char* option) {
  if (!in.has(option))
    return std::nullopt;
  return parse_seconds(in.get<double>(option), "--" + text(option));
}

std::optional<daemon::endpoint> address(const invocation& in, const char* option) {
  if (!in.has(option))
    return std::nullopt;
  return parse_endpoint(in.get<text>(option), "--" + text(option));
}

void add_ingress_options(po::options_description& to, const ingress_defaults& defaults) {
  const auto amount = [] { return po::value<text>()->value_name("BYTES"); };
  const auto count = [] { return po::value<std::int64_t>()->value_name("NUMBER"); };
  const auto time = [] { return po::value<double>()->value_name("SECONDS"); };
  const auto after = [](const char* what, const char* its_default) { return text(what) + "; default: " + its_default; };
  auto add = to.add_options();
  add("http-threads", count(), "threads of the ingress; default 1");
  add("max-header-bytes", amount(), "of one request; beyond it 431");
  add("max-body-bytes", amount(), "of one request, like 64MiB; beyond it 413");
  add("max-connections", count(), "of the ingress at once");
  add("max-requests", count(), "in flight in the ingress; beyond it 503; default 4096");
  add("max-body-bytes-in-flight", amount(), "of all requests in flight; beyond it 503; default 256MiB");
  add("max-pipelining", count(), "unanswered requests of one connection; default 16");
  add("request-timeout", time(), after("for one request; 0 = none", defaults.request_timeout).c_str());
  add("header-timeout", time(), "for a request to arrive; beyond it 408");
  add("keep-alive-timeout", time(), after("for idle connections", defaults.keep_alive_timeout).c_str());
  add("access-log", po::value<text>()->value_name("FILE"), "one line per request; \"-\" is standard output");
}

daemon::limits ingress_limits(const invocation& in) {
  daemon::limits result;
  result.header_bytes = bytes(in, "max-header-bytes");
  result.body_bytes = bytes(in, "max-body-bytes");
  result.connections = number<std::size_t>(in, "max-connections", 1, largest_count);
  result.requests_in_flight = number<std::size_t>(in, "max-requests", 1, largest_count);
  result.body_bytes_in_flight = bytes(in, "max-body-bytes-in-flight");
  result.pipelining = number<std::size_t>(in, "max-pipelining", 1, largest_count);
  result.request_timeout = seconds(in, "request-timeout");
  result.header_timeout = seconds(in, "header-timeout");
  result.keep_alive_timeout = seconds(in, "keep-alive-timeout");
  return result;
}

unsigned http_threads(const invocation& in) { return number<unsigned>(in, "http-threads", 1, 1024).value_or(1); }

} // namespace troupe::cli
