// What is known of applications, and which HTTP routes follow from it, on which processes.
#include <troupe/app/daemon/applications.hpp>
#include <troupe/messages/http.hpp>

#include <algorithm>
#include <utility>

namespace troupe::daemon {

void applications::publish() {
  std::vector<ingress::route> routes;
  for (const auto& f : facts()) {
    if (!f.route_prefix || f.ingress.empty())
      continue;
    const deployment_name name{f.name, f.ingress};
    const auto taken = [&](const ingress::route& x) { return x.prefix == *f.route_prefix; };
    if (const auto it = std::find_if(routes.begin(), routes.end(), taken); it != routes.end()) {
      p_.log(log_level::error, "no route for " + name.full() + ": " + *f.route_prefix + " belongs to " +
                                   it->deployment.application + ", whose change was not completed");
      continue;
    }
    try {
      const auto spec = p_.rt.config(name.full());
      std::optional<milliseconds> timeout;
      {
        const std::lock_guard guard{mutex_};
        if (const auto it = records_.find(f.name); it != records_.end())
          timeout = it->second.app.request_timeout;
      }
      routes.push_back({.prefix = *f.route_prefix,
                        .deployment = name,
                        .to = p_.rt.handle<response(request)>(name.full()).destination(),
                        .request_timeout = timeout,
                        .backpressure_status = static_cast<std::uint16_t>(spec.backpressure_status),
                        .retry_after_s = spec.backpressure_retry_after_s});
    } catch (const command_failed& e) {
      p_.log(log_level::warning, "no route for " + name.full() + ": " + e.what());
    }
  }
  if (p_.set_node_routes)
    p_.set_node_routes(proxies() == config::proxy_location::every_node ? routes : std::vector<ingress::route>{});
  p_.set_routes(std::move(routes));
}

config::proxy_location applications::proxies() const {
  const std::lock_guard guard{mutex_};
  return proxies_;
}

config::proxy_location applications::proxies_after(std::optional<config::proxy_location> given, bool prune) const {
  return given ? *given : prune ? config::proxy_location::every_node : proxies();
}

void applications::restore_proxies() {
  const auto found = p_.db.find(setting_kind, proxies_key);
  if (found.is_null())
    return;
  const auto read = found.is_string() ? config::parse_proxy_location(found.get<std::string>()) : std::nullopt;
  if (!read)
    p_.log(log_level::error, "proxy_location " + found.dump() + " is stored and not known: EveryNode holds");
  const std::lock_guard guard{mutex_};
  proxies_ = read.value_or(proxies_);
}

/// Durable before it holds.
std::optional<refusal> applications::set_proxies(config::proxy_location next) {
  if (next == proxies())
    return std::nullopt;
  if (const auto why = p_.db.write_now({{setting_kind, proxies_key, to_string(next)}}); why.code != errc::none)
    return of_error(why);
  const std::lock_guard guard{mutex_};
  proxies_ = next;
  return std::nullopt;
}

std::vector<application_facts> applications::facts() const {
  const std::lock_guard guard{mutex_};
  std::vector<application_facts> out;
  for (const auto& [name, r] : records_)
    if (!r.deleting)
      out.push_back(r.facts);
  return out;
}

std::vector<std::string> applications::names() const {
  std::vector<std::string> out;
  for (const auto& f : facts())
    out.push_back(f.name);
  return out;
}

} // namespace troupe::daemon
