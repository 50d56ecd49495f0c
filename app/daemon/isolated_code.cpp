#include <troupe/app/daemon/isolated_code.hpp>

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

result<library::application_code> load_isolated(worker::pool* workers, const worker::launch& what,
                                                const deployment_spec& spec) {
  if (!workers)
    return error{errc::rejected, "there are no worker processes in this program: isolation must be none"};
  auto out = workers->describe(what);
  if (!out)
    return out;
  for (auto& d : out->deployments) {
    d.defaults.application = what.application;
    d.user_code = workers->code_for(what, d.defaults.name, d.user_code->traits(), spec.replicas_per_worker);
  }
  return out;
}

} // namespace troupe::daemon
