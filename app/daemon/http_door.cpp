#include <troupe/app/cluster/transport.hpp>
#include <troupe/app/daemon/http_door.hpp>

#include <type_traits>

namespace troupe::daemon {

void check_address(const endpoint& x, const char* option, bool insecure) {
  if (!insecure && !cluster::is_loopback(x.host))
    throw cannot_start(std::string(option) + " " + x.host + ":" + std::to_string(x.port) +
                       " is no loopback address: whoever reaches it can use it without TLS; --insecure allows it");
}

std::string listen_address(const endpoint& x) { return x.host == "localhost" ? "127.0.0.1" : x.host; }

void cannot_listen(const endpoint& where, const std::string& option, const std::error_code& why) {
  const bool taken = why == std::errc::address_in_use;
  throw cannot_start("cannot listen on " + where.host + ":" + std::to_string(where.port) + ": " + why.message() +
                     (taken ? "; choose another one with " + option + ", or end what uses it" : ""));
}

http::options http_limits(const limits& given, std::optional<milliseconds> keep_alive) {
  http::options x;
  const auto set = [](auto& to, const auto& from) {
    if (from)
      to = static_cast<std::remove_reference_t<decltype(to)>>(*from);
  };
  set(x.header_bytes, given.header_bytes);
  set(x.body_bytes, given.body_bytes);
  set(x.max_connections, given.connections);
  set(x.max_requests_in_flight, given.requests_in_flight);
  set(x.max_bodies_in_flight, given.body_bytes_in_flight);
  set(x.pipelining_depth, given.pipelining);
  set(x.header_timeout, given.header_timeout);
  set(x.keep_alive_timeout, keep_alive);
  set(x.keep_alive_timeout, given.keep_alive_timeout);
  return x;
}

ingress::options ingress_options(std::optional<milliseconds> request_timeout, access_log* accesses, log_lines& log) {
  ingress::options x;
  if (request_timeout)
    x.request_timeout = *request_timeout;
  if (accesses)
    x.on_access = [accesses](const ingress::access& a) { accesses->line(a); };
  x.on_failure = [&log](const deployment_name& name, std::string_view id, const error& why) {
    log.write(troupe::log_level::warning, name.full() + ": request " + std::string(id) + ": " + why.message);
  };
  return x;
}

} // namespace troupe::daemon
