#include <troupe/app/packages/store.hpp>
#include <troupe/app/secrets/secrets.hpp>
#include <troupe/app/worker/environment.hpp>
#include <troupe/messages/runtime_env.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace troupe::worker {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_variable = 120'000; // Linux takes 128 KiB with the name

bool has(const json& object, const char* key) { return object.contains(key) && !object[key].is_null(); }

void into(json& env, const fs::path& package) {
  const auto absolute = [&](const json& path) { return (package / path.get_ref<const std::string&>()).string(); };
  env["working_dir"] = has(env, "working_dir") ? absolute(env["working_dir"]) : package.string();
  auto folders = json::array();
  if (has(env, "library_path"))
    for (const auto& x : env["library_path"])
      folders.push_back(absolute(x));
  if (std::error_code none; fs::is_directory(package / "lib", none))
    folders.push_back((package / "lib").string());
  folders.push_back(package.string());
  env["library_path"] = std::move(folders);
  if (!has(env, "env_vars"))
    env["env_vars"] = json::object();
  env["env_vars"].emplace(package_variable, package.string());
}

} // namespace

result<json> resolve_environment(const json& sealed, const secrets::keeper* secrets,
                                 const packages::package_store* packages) {
  auto env = sealed;
  if (!env.is_object())
    return env;
  if (has(env, "package")) {
    const auto& package = sealed["package"];
    const auto& digest = package[package_digest].get_ref<const std::string&>();
    if (!packages || !packages->contains(digest))
      return error{errc::unavailable, "runtime_env.package: the copy of " + package[package_source].dump() +
                                          " is not in the data directory any more: deploy it again"};
    into(env, packages->folder_of(digest));
    env.erase("package");
  }
  if (!has(env, "env_vars") || !secrets::has_references(env["env_vars"]))
    return env;
  if (!secrets)
    return error{errc::unavailable, "runtime_env.env_vars: there are no secrets in this program"};
  auto variables = secrets->resolve(env["env_vars"]);
  if (!variables)
    return variables.why();
  for (const auto& [name, value] : variables->items()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.find('\0') != std::string::npos)
      return error{errc::unavailable, "runtime_env.env_vars." + name + ": the secret has a NUL byte"};
    if (text.size() > max_variable)
      return error{errc::unavailable, "runtime_env.env_vars." + name + ": the secret has " +
                                          std::to_string(text.size()) + " bytes, a variable at most " +
                                          std::to_string(max_variable)};
  }
  env["env_vars"] = std::move(*variables);
  return env;
}

} // namespace troupe::worker
