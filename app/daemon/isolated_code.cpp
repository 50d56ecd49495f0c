#include <troupe/app/daemon/isolated_code.hpp>
#include <troupe/app/secrets/secrets.hpp>

#include <algorithm>
#include <utility>

namespace troupe::daemon {

bool wants_isolation(const config::application& app) {
  return std::any_of(app.deployments.begin(), app.deployments.end(),
                     [](const json& d) { return d.contains("isolation") && d["isolation"] == "process"; });
}

bool is_remote(const std::shared_ptr<const code>& x) {
  return dynamic_cast<const replica::remote_code*>(x.get()) != nullptr;
}

json code_key(const config::application& app, const std::string& digest) {
  json out{digest, app.import_path, app.args};
  out.push_back(app.runtime_env);
  for (const auto& d : app.deployments)
    out.push_back({d.value("name", ""), d.value("isolation", json(nullptr)),
                   d.value("replicas_per_worker", json(nullptr)), d.value("runtime_env", json(nullptr))});
  return out;
}

json first_env(const config::application& app) {
  for (const auto& d : app.deployments)
    if (d.value("isolation", json(nullptr)) == "process" && d.contains("runtime_env"))
      return d["runtime_env"];
  return app.runtime_env.empty() ? json(nullptr) : app.runtime_env; // as it is merged
}

namespace {

/// What was described becomes code that is run as `what` says.
result<library::application_code> as_described(worker::pool& workers, result<library::application_code> out,
                                               const worker::launch& what, const deployment_spec& spec) {
  if (!out)
    return out;
  for (auto& d : out->deployments) {
    d.defaults.application = what.application;
    d.user_code = workers.code_for(what, d.defaults.name, d.user_code->traits(), spec.replicas_per_worker);
  }
  return out;
}

} // namespace

result<library::application_code> load_isolated(worker::pool* workers, const worker::launch& what,
                                                const deployment_spec& spec) {
  if (!workers)
    return error{errc::rejected, "there are no worker processes in this program: isolation must be none"};
  return as_described(*workers, workers->describe(what), what, spec);
}

result<library::application_code> load_isolated_again(worker::pool* workers, const worker::launch& what,
                                                      const deployment_spec& spec) {
  auto out = load_isolated(workers, what, spec);
  const auto variables = what.runtime_env.find("env_vars");
  if (out || out.why().code != errc::unavailable || variables == what.runtime_env.end() ||
      !secrets::has_references(*variables))
    return out;
  auto without = what;
  auto& known = without.runtime_env["env_vars"];
  for (const auto& [name, value] : variables->items())
    if (secrets::has_references(value))
      known.erase(name);
  return as_described(*workers, workers->describe(without), what, spec);
}

} // namespace troupe::daemon
