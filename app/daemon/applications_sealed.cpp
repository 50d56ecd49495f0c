// What a config refers to becomes fixed: secrets get the digest of their content, packages become copies in the store.
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/packages/store.hpp>
#include <troupe/messages/runtime_env.hpp>

#include <algorithm>
#include <utility>

namespace troupe::daemon {

std::string applications::path_of(const config::application& app, const std::string& deployment) {
  const auto named = [&](const json& x) { return x.value("name", "") == deployment; };
  const auto at = std::find_if(app.deployments.begin(), app.deployments.end(), named);
  return at == app.deployments.end() ? deployment + " (as the code declares it)"
                                     : "deployments[" + std::to_string(at - app.deployments.begin()) + "]";
}

/// What cannot be sealed, collected.
class applications::unsealed {
public:
  void add(secrets::fault x) {
    wrong_.push_back({"", 0, 0, std::move(x.path), std::move(x.value), std::move(x.allowed)});
    malformed_ = malformed_ || x.is_malformed;
  }
  void add(const std::string& path, const json& value, const error& why) {
    if (why.code == errc::unavailable && !failed_)
      failed_ = of_error(why);
    wrong_.push_back({"", 0, 0, path, value.dump().substr(0, 100), "a package that can be used: " + why.message});
    of_package_ = true;
  }
  std::optional<refusal> as_refusal() const {
    if (failed_ || wrong_.empty())
      return failed_;
    const auto* code = malformed_ ? "invalid_config" : of_package_ ? no_package_code : no_secret_code;
    return refusal{400, code, config::to_string(wrong_), wrong_};
  }

private:
  std::vector<config::problem> wrong_;
  std::optional<refusal> failed_; ///< The data directory is at fault, not the config.
  bool malformed_ = false;
  bool of_package_ = false;
};

std::optional<refusal> applications::seal_configs(const config::application& app,
                                                  std::vector<config::target>& targets) const {
  unsealed wrong;
  for (auto& t : targets)
    t.spec.user_config =
        json_doc{seal_secrets(t.spec.user_config.get(), path_of(app, t.spec.name) + ".user_config", wrong)};
  return wrong.as_refusal();
}

outcome_of<config::application> applications::seal_environments(config::application app) const {
  unsealed wrong;
  seal_environment(app.runtime_env, "runtime_env", wrong);
  for (std::size_t i = 0; i < app.deployments.size(); ++i)
    if (const auto it = app.deployments[i].find("runtime_env"); it != app.deployments[i].end())
      seal_environment(*it, "deployments[" + std::to_string(i) + "].runtime_env", wrong);
  auto refused = wrong.as_refusal();
  return {std::move(app), std::move(refused)};
}

void applications::seal_environment(json& env, const std::string& path, unsealed& wrong) const {
  if (!env.is_object())
    return;
  if (const auto it = env.find("env_vars"); it != env.end())
    *it = seal_secrets(*it, path + ".env_vars", wrong);
  const auto package = env.find("package");
  if (package == env.end() || package->is_null())
    return;
  if (!p_.packages)
    return wrong.add(path + ".package", *package, {errc::rejected, "there are no packages in this program"});
  const auto stored = p_.packages->put(package->get<std::string>());
  if (!stored)
    return wrong.add(path + ".package", *package, stored.why());
  *package = {{package_source, *package}, {package_digest, stored->digest}};
}

json applications::seal_secrets(const json& x, const std::string& path, unsealed& wrong) const {
  if (!secrets::has_references(x))
    return x;
  auto done = p_.secrets->seal(x, path);
  for (auto& f : done.faults)
    wrong.add(std::move(f));
  return std::move(done.value);
}

} // namespace troupe::daemon
