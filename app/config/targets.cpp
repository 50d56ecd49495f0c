// Merges overrides over the code's defaults and derives versions.
#include <troupe/app/config/suggest.hpp>
#include <troupe/app/config/targets.hpp>
#include <troupe/messages/validation.hpp>

#include <algorithm>
#include <array>
#include <openssl/evp.h>
#include <stdexcept>
#include <utility>

namespace troupe::config {
namespace {

constexpr std::size_t version_digits = 12;

// Canonical: nlohmann's objects are sorted by key. What is not UTF-8 never gets this far.
std::string short_hash(const json& value) {
  return sha256_hex(value.dump(-1, ' ', false, json::error_handler_t::replace)).substr(0, version_digits);
}

std::string fingerprint_of(const application& app, std::string_view digest) {
  return short_hash({{"import_path", app.import_path},
                     {"digest", std::string(digest)},
                     {"args", app.args},
                     {"runtime_env", json::object()}});
}

// "no deployment that ... declares has this name": what is there instead.
std::string declared(const application& app, const std::vector<deployment_spec>& defaults, const std::string& name) {
  std::string result = "a deployment that " + app.import_path + " declares:";
  std::vector<std::string_view> names;
  for (const auto& d : defaults) {
    names.push_back(d.name);
    result += (names.size() == 1 ? " " : ", ") + d.name;
  }
  if (names.empty())
    result += " none";
  if (const auto guess = closest(name, names))
    result += "; did you mean \"" + std::string(*guess) + "\"?";
  return result;
}

std::size_t position_of(const application& app, const std::string& name) {
  const auto named = [&](const json& x) { return x.value("name", "") == name; };
  const auto it = std::find_if(app.deployments.begin(), app.deployments.end(), named);
  return static_cast<std::size_t>(it - app.deployments.begin());
}

std::string path_of(std::size_t index) { return "deployments[" + std::to_string(index) + "]"; }

} // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available in libcrypto");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (unsigned int i = 0; i < size; ++i) {
    result += digits[digest[i] >> 4U];
    result += digits[digest[i] & 15U];
  }
  return result;
}

std::string derived_version(const application& app, const deployment_spec& spec, std::string_view digest) {
  json parts{
      {"import_path", app.import_path}, {"digest", std::string(digest)},     {"args", app.args},
      {"runtime_env", json::object()},  {"init_args", spec.init_args.get()}, {"execution", to_string(spec.execution)}};
  if (spec.isolation != isolation_mode::none) // else as before there was any
    parts["workers"] = {to_string(spec.isolation), spec.replicas_per_worker, spec.runtime_env.get()};
  if (!spec.per_replica.empty()) // likewise
    parts["resources"] = to_json(spec.per_replica);
  if (spec.where != placement_options{}) // likewise
    parts["placement"] = to_json(spec.where);
  return short_hash(parts);
}

targets_result targets_for(const application& app, const std::vector<deployment_spec>& defaults,
                           std::string_view digest) {
  targets_result result;
  for (std::size_t i = 0; i < app.deployments.size(); ++i) {
    const auto name = app.deployments[i].value("name", "");
    if (std::none_of(defaults.begin(), defaults.end(), [&](const deployment_spec& d) { return d.name == name; }))
      result.errors.push_back({{}, 0, 0, path_of(i) + ".name", json(name).dump(), declared(app, defaults, name)});
  }
  for (auto code : defaults) {
    code.application = app.name;
    const auto index = position_of(app, code.name);
    const bool is_given = index < app.deployments.size();
    auto options = is_given ? app.deployments[index] : json{{"name", code.name}};
    if (!options.contains("runtime_env") && !app.runtime_env.empty()) // the application's is the default
      options["runtime_env"] = app.runtime_env;
    auto read = read_spec(options, code, {.is_whole = true, .refuse_unknown = false});
    const auto prefix = is_given ? path_of(index) : code.name + " (as the code declares it)";
    for (auto& e : read.errors)
      result.errors.push_back({{}, 0, 0, prefix + '.' + e.path, std::move(e.value), std::move(e.allowed)});
    target t{std::move(read.spec), true, {}};
    t.version_is_written = !t.spec.version.empty();
    t.fingerprint = fingerprint_of(app, t.version_is_written ? std::string_view{} : digest);
    if (!t.version_is_written)
      t.spec.version = derived_version(app, t.spec, digest);
    result.targets.push_back(std::move(t));
  }
  return result;
}

} // namespace troupe::config
