// What is known of applications, and which HTTP routes follow from it.
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
  p_.set_routes(std::move(routes));
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
