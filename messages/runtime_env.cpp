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

constexpr std::string_view allowed_variable = "a text of at most 32768 bytes without NUL, under a name of letters, "
                                              "digits and '_' that begins with none of 0 to 9";
constexpr std::string_view allowed_folder = "an absolute path of at most 4096 bytes";
constexpr std::string_view allowed_memory = "bytes, more than 0: an integer, or a text such as \"512MiB\" or \"2GiB\"";

bool is_variable_name(std::string_view x) {
  const auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !x.empty() && x.size() <= 256 && (x[0] < '0' || x[0] > '9') && std::all_of(x.begin(), x.end(), good);
}

bool is_folder(const json& x) {
  if (!x.is_string())
    return false;
  const auto& text = x.get_ref<const std::string&>();
  return text.starts_with('/') && text.size() <= 4096 && text.find('\0') == std::string::npos;
}

class checker {
public:
  explicit checker(std::vector<field_error>& errors) : errors_(errors) {}

  void env(const json& value) {
    known(value, "runtime_env", std::array<std::string_view, 4>{"env_vars", "working_dir", "library_path", "limits"});
    if (const auto* x = member(value, "env_vars"))
      variables(*x);
    if (const auto* x = member(value, "working_dir"); x && !is_folder(*x))
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
      if (key == "package" || key == "pip" || key == "conda" || key == "py_modules")
        allowed = "nothing: there are no packages in this release; put libraries in folders of library_path";
      report(path + "." + spec_fields::excerpt_of_key(key), value, allowed);
    }
  }

  void variables(const json& x) {
    if (!x.is_object() || x.size() > max_variables)
      return report("runtime_env.env_vars", x, "an object of at most 1000 names with texts");
    for (const auto& [key, value] : x.items()) {
      const auto path = "runtime_env.env_vars." + spec_fields::excerpt_of_key(key);
      const auto* text = value.is_string() ? &value.get_ref<const std::string&>() : nullptr;
      if (!text || !is_variable_name(key) || text->size() > max_text || text->find('\0') != std::string::npos)
        report(path, value, allowed_variable);
      else if (key == "LD_LIBRARY_PATH")
        report(path, value, "nothing: runtime_env.library_path says it");
    }
  }

  void folders(const json& x) {
    if (!x.is_array() || x.size() > max_folders)
      return report("runtime_env.library_path", x, "a list of at most 100 absolute paths");
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!is_folder(x[i]) || x[i].get_ref<const std::string&>().find_first_of(":;") != std::string::npos)
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

void check_runtime_env(const json& value, bool isolated, std::vector<field_error>& errors) {
  if (value.is_null() || (value.is_object() && value.empty()))
    return;
  if (!value.is_object()) {
    errors.push_back({"runtime_env", spec_fields::excerpt(value), "an object, or null"});
    return;
  }
  if (!isolated) {
    errors.push_back({"runtime_env", spec_fields::excerpt(value),
                      "nothing without `isolation: process`: variables, folder, libraries and limits belong to a "
                      "whole process, and without it the deployment shares the daemon's"});
    return;
  }
  checker{errors}.env(value);
}

} // namespace troupe
