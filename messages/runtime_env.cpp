// Reading and judging `runtime_env`.
#include <troupe/messages/edit_distance.hpp>
#include <troupe/messages/runtime_env.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace troupe {

namespace {

constexpr std::size_t max_variables = 1000;
constexpr std::size_t max_text = 32 * std::size_t{1024}; // of a variable or path
constexpr std::size_t max_folders = 100;

constexpr std::size_t max_path = 4096;

constexpr std::string_view allowed_variable =
    "a text of at most 32768 bytes without NUL, or {\"$secret\": name}, under a "
    "name of letters, digits and '_' that begins with none of 0 to 9";
constexpr std::string_view allowed_folder = "an absolute path of at most 4096 bytes, or with a package one in it, "
                                            "without \"..\"";
constexpr std::string_view allowed_package = "a path of 1 to 4096 bytes: a folder or a .tar.gz in a code directory";
constexpr std::string_view allowed_in_code = "nothing here: references to secrets and packages belong into the config, "
                                             "not into code";
constexpr std::string_view allowed_memory = "bytes, more than 0: an integer, or a text such as \"512MiB\" or \"2GiB\"";

bool is_variable_name(std::string_view x) {
  const auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !x.empty() && x.size() <= 256 && (x[0] < '0' || x[0] > '9') && std::all_of(x.begin(), x.end(), good);
}

bool is_path(const json& x) {
  if (!x.is_string())
    return false;
  const auto& text = x.get_ref<const std::string&>();
  return !text.empty() && text.size() <= max_path && text.find('\0') == std::string::npos;
}

bool leads_up(std::string_view path) { return ("/" + std::string(path) + "/").find("/../") != std::string::npos; }

bool is_folder(const json& x, bool in_package) {
  if (!is_path(x))
    return false;
  const auto& text = x.get_ref<const std::string&>();
  return text.starts_with('/') || (in_package && !leads_up(text));
}

/// An object that names a secret, in the form that is asked for.
bool is_secret(const json& x, runtime_env_form form) {
  const auto is_text = [&](const char* key) { return x.contains(key) && x[key].is_string(); };
  if (!x.is_object() || !is_text("$secret"))
    return false;
  return form == runtime_env_form::written ? x.size() == 1 : x.size() == 2 && is_text("$digest");
}

bool is_package(const json& x, runtime_env_form form) {
  if (form == runtime_env_form::written)
    return is_path(x);
  return x.is_object() && x.size() == 2 && x.contains(package_source) && is_path(x[package_source]) &&
         x.contains(package_digest) && x[package_digest].is_string();
}

class checker {
public:
  checker(runtime_env_form form, std::vector<field_error>& errors) : form_(form), errors_(errors) {}

  void env(const json& value) {
    known(value, "runtime_env",
          std::array<std::string_view, 5>{"env_vars", "working_dir", "library_path", "package", "limits"});
    const auto* package = member(value, "package");
    in_package_ = package != nullptr;
    if (package && !is_package(*package, form_))
      report("runtime_env.package", *package, form_ == runtime_env_form::written ? allowed_package : allowed_in_code);
    if (const auto* x = member(value, "env_vars"))
      variables(*x);
    if (const auto* x = member(value, "working_dir"); x && !is_folder(*x, in_package_))
      report("runtime_env.working_dir", *x, allowed_folder);
    if (const auto* x = member(value, "library_path"))
      folders(*x);
    if (const auto* x = member(value, "limits"))
      limits(*x);
  }

private:
  static const json* member(const json& object, const char* key) {
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }

  template <class Names>
  void known(const json& object, const std::string& path, const Names& names) {
    for (const auto& [key, value] : object.items()) {
      if (std::find(names.begin(), names.end(), key) != names.end())
        continue;
      std::string allowed = "nothing: a runtime_env of C++ code has ";
      for (const auto name : names)
        allowed.append(name == names.front() ? "" : ", ").append(name);
      for (const auto name : names)
        if (edit_distance(name, key) <= 2)
          allowed.append("; did you mean \"").append(name).append("\"?");
      if (key == "pip" || key == "conda" || key == "py_modules" || key == "uv")
        allowed = "nothing: that is Python's; C++ code has its libraries in a package, or in folders of library_path";
      report(path + "." + spec_fields::excerpt_of_key(key), value, allowed);
    }
  }

  void variables(const json& x) {
    if (!x.is_object() || x.size() > max_variables)
      return report("runtime_env.env_vars", x, "an object of at most 1000 names with texts");
    for (const auto& [key, value] : x.items()) {
      const auto path = "runtime_env.env_vars." + spec_fields::excerpt_of_key(key);
      const auto* text = value.is_string() ? &value.get_ref<const std::string&>() : nullptr;
      const bool good =
          text ? text->size() <= max_text && text->find('\0') == std::string::npos : is_secret(value, form_);
      if (form_ == runtime_env_form::sealed && is_secret(value, runtime_env_form::written))
        report(path, value, allowed_in_code);
      else if (!good || !is_variable_name(key))
        report(path, value, allowed_variable);
      else if (key == "LD_LIBRARY_PATH")
        report(path, value, "nothing: runtime_env.library_path says it");
    }
  }

  void folders(const json& x) {
    if (!x.is_array() || x.size() > max_folders)
      return report("runtime_env.library_path", x, "a list of at most 100 paths");
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!is_folder(x[i], in_package_) || x[i].get_ref<const std::string&>().find_first_of(":;") != std::string::npos)
        report("runtime_env.library_path[" + std::to_string(i) + "]", x[i],
               std::string(allowed_folder) + ", without ':' and ';'");
  }

  void limits(const json& x) {
    if (!x.is_object())
      return report("runtime_env.limits", x, "an object");
    known(x, "runtime_env.limits", std::array<std::string_view, 4>{"memory", "open_files", "cpu_weight", "core_dumps"});
    if (const auto* v = member(x, "memory"); v && !to_bytes(*v))
      report("runtime_env.limits.memory", *v, allowed_memory);
    const auto integer = [&](const char* name, std::int64_t min, std::int64_t max) {
      const auto* v = member(x, name);
      if (!v)
        return;
      const auto n = spec_fields::to_integer(*v);
      if (!n || *n < min || *n > max)
        report(std::string("runtime_env.limits.") + name, *v,
               "an integer from " + std::to_string(min) + " to " + std::to_string(max));
    };
    integer("open_files", 64, 1'000'000);
    integer("cpu_weight", 1, 10'000);
    if (const auto* v = member(x, "core_dumps"); v && !v->is_boolean())
      report("runtime_env.limits.core_dumps", *v, "true or false");
  }

  void report(const std::string& path, const json& value, std::string_view allowed) {
    errors_.push_back({path, spec_fields::excerpt(value), std::string(allowed)});
  }

  const runtime_env_form form_;
  bool in_package_ = false;
  std::vector<field_error>& errors_;
};

} // namespace

std::optional<std::uint64_t> to_bytes(const json& value) {
  if (const auto n = spec_fields::to_integer(value); n && *n > 0)
    return static_cast<std::uint64_t>(*n);
  if (!value.is_string())
    return std::nullopt;
  std::string_view text = value.get_ref<const std::string&>();
  constexpr std::array<std::pair<std::string_view, double>, 7> units{{{"KiB", 1024.0},
                                                                      {"MiB", 1024.0 * 1024},
                                                                      {"GiB", 1024.0 * 1024 * 1024},
                                                                      {"TiB", 1024.0 * 1024 * 1024 * 1024},
                                                                      {"kB", 1e3},
                                                                      {"MB", 1e6},
                                                                      {"GB", 1e9}}};
  double unit = 1;
  for (const auto& [name, factor] : units)
    if (text.ends_with(name)) {
      unit = factor;
      text.remove_suffix(name.size());
      break;
    }
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const auto bytes = number * unit;
  if (failed != std::errc{} || end != text.data() + text.size() || !(bytes >= 1) || bytes > 1e18)
    return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

json written_form(json sealed) {
  if (!sealed.is_object())
    return sealed;
  if (const auto it = sealed.find("env_vars"); it != sealed.end() && it->is_object())
    for (auto& [name, value] : it->items())
      if (value.is_object())
        value.erase("$digest");
  if (const auto it = sealed.find("package"); it != sealed.end() && it->is_object())
    *it = json(it->at(package_source));
  return sealed;
}

runtime_env read_runtime_env(const json& value) {
  runtime_env out;
  if (!value.is_object())
    return out;
  const auto part = [&](const json& of, const char* key) {
    const auto it = of.find(key);
    return it == of.end() || it->is_null() ? json(nullptr) : *it;
  };
  const auto variables = part(value, "env_vars");
  for (const auto& [name, text] : variables.items())
    out.env_vars.emplace(name, text.get<std::string>());
  if (const auto folder = part(value, "working_dir"); !folder.is_null())
    out.working_dir = folder.get<std::string>();
  const auto folders = part(value, "library_path");
  for (const auto& folder : folders)
    out.library_path.push_back(folder.get<std::string>());
  const auto limits = part(value, "limits");
  if (limits.is_null())
    return out;
  out.limit.memory_bytes = to_bytes(part(limits, "memory")).value_or(0);
  out.limit.open_files = static_cast<std::uint32_t>(spec_fields::to_integer(part(limits, "open_files")).value_or(0));
  out.limit.cpu_weight = static_cast<std::uint32_t>(spec_fields::to_integer(part(limits, "cpu_weight")).value_or(100));
  out.limit.core_dumps = part(limits, "core_dumps") == true;
  return out;
}

void check_runtime_env(const json& value, bool isolated, runtime_env_form form, std::vector<field_error>& errors) {
  if (value.is_null() || (value.is_object() && value.empty()))
    return;
  if (!value.is_object()) {
    errors.push_back({"runtime_env", spec_fields::excerpt(value), "an object, or null"});
    return;
  }
  if (!isolated) {
    errors.push_back(
        {"runtime_env", spec_fields::excerpt(value),
         "nothing without `isolation: process`: variables, folder, libraries, packages and limits belong to a "
         "whole process, and without it the deployment shares the daemon's"});
    return;
  }
  checker{form, errors}.env(value);
}

} // namespace troupe
