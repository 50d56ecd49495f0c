// The code of an application, in this process or described by a worker, as its deployments' isolation asks.
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/isolated_code.hpp>

#include <algorithm>
#include <utility>

namespace troupe::daemon {

/// A worker looks at the code first.
bool applications::is_described(const config::application& app) const { return p_.on_nodes || wants_isolation(app); }

result<library::application_code> applications::load_or_describe(const config::application& app,
                                                                 const std::string& digest) {
  if (is_described(app))
    return load_isolated(p_.workers, {app.name, digest, app.import_path, app.args, first_env(app)}, {});
  return load_here(app, digest);
}

result<library::application_code> applications::load_here(const config::application& app, const std::string& digest) {
  return load({.digest = digest,
               .import_path = app.import_path,
               .application = app.name,
               .args = app.args,
               .others = peers{lookup_of(app.name)}});
}

/// Each deployment the code that it asks for: in workers, each environment tried once, or loaded here.
std::optional<error> applications::give_workers(const config::application& app, prepared& what) {
  const bool described = is_described(app);
  std::optional<library::application_code> here;
  std::set<json> tried;
  if (described)
    tried.insert(first_env(app));
  for (std::size_t i = 0; i < what.targets.size(); ++i) {
    const auto& spec = what.targets[i].spec;
    auto& mine = what.code.deployments[i].user_code;
    const worker::launch in_worker{app.name, what.digest, app.import_path, app.args, spec.runtime_env.get()};
    if (p_.on_nodes && spec.isolation == isolation_mode::process)
      return error{errc::invalid_spec, path_of(app, spec.name) + ".isolation: process is not possible in a cluster: "
                                                                 "replicas run in the processes of its nodes; "
                                                                 "it must be none"};
    if (p_.on_nodes || spec.isolation == isolation_mode::process) {
      if (!p_.workers)
        return load_isolated(nullptr, in_worker, spec).why();
      if (tried.insert(in_worker.runtime_env).second)
        if (const auto seen = p_.workers->describe(in_worker); !seen)
          return seen.why();
      mine = p_.workers->code_for(in_worker, spec.name, mine->traits(), spec.replicas_per_worker);
    } else if (described) {
      if (!here) {
        auto loaded = load_here(app, what.digest);
        if (!loaded)
          return loaded.why();
        here = std::move(*loaded);
      }
      const auto same = [&](const auto& x) { return x.defaults.name == spec.name; };
      const auto found = std::find_if(here->deployments.begin(), here->deployments.end(), same);
      if (found == here->deployments.end())
        return error{errc::rejected, app.import_path + " declares " + spec.name + " in a worker, but not here"};
      mine = found->user_code;
    }
  }
  return std::nullopt;
}

} // namespace troupe::daemon
