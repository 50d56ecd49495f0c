// Compares specs in their JSON form; sentences for `plan`.
#include <troupe/app/config/diff.hpp>
#include <troupe/messages/validation.hpp>

#include <algorithm>
#include <utility>

namespace troupe::config {
namespace {

field_class class_of(std::string_view path, const json& to) {
  if (path == "version" || path == "init_args" || path == "execution" || path == "isolation" ||
      path == "replicas_per_worker" || path == "runtime_env" || path == "preferred_labels" ||
      path == "placement_strategy" || path == "max_replicas_per_node" || path.starts_with("ray_actor_options"))
    return field_class::code;
  if (path == "user_config")
    return to.is_null() ? field_class::code : field_class::config;
  return path == "num_replicas" ? field_class::count : field_class::light;
}

void compare(const std::string& path, const json& from, const json& to, std::vector<field_change>& changes) {
  if (from == to)
    return;
  const bool is_group =
      (path == "rolling_update" || path == "backpressure_config" || path == "ray_actor_options") && from.is_object();
  if (!is_group) {
    changes.push_back({path, from, to, class_of(path, to)});
    return;
  }
  for (const auto& [key, value] : to.items())
    compare(std::string(path).append(1, '.').append(key), from.value(key, json(nullptr)), value, changes);
}

std::string count_of(std::uint32_t n, std::string_view what) {
  return std::to_string(n) + ' ' + std::string(what) + (n == 1 ? "" : "s");
}

// N = 10 at 20 %: 5 waves of at most 2.
std::string waves(std::uint32_t n, std::uint32_t w) {
  if (n == 0 || w == 0)
    return "once there are replicas";
  const auto number = (n + w - 1) / w;
  return number == 1 ? "in 1 wave" : "in " + count_of(number, "wave") + " of at most " + std::to_string(w);
}

std::string replacement(const deployment_spec& to) {
  const bool stops_first = to.rollout.strategy == rollout_strategy::stop_first;
  const auto n = to.num_replicas;
  const auto w = (stops_first ? to.rollout.max_unavailable : to.rollout.max_surge).of(n);
  auto text = "replaces " + count_of(n, "replica") + ' ' + waves(n, w) +
              (stops_first ? ", outdated ones stop first" : ", new ones start first");
  if (to.rollout.canary > 0)
    text += "; pauses after " + count_of(to.rollout.canary, "new replica");
  return text;
}

std::string scaling(std::uint32_t from, std::uint32_t to) {
  return (to > from ? "starts " + count_of(to - from, "replica") : "stops " + count_of(from - to, "replica")) + " (" +
         std::to_string(from) + " -> " + std::to_string(to) + ")";
}

std::string list_of_code_fields(const std::vector<field_change>& changes) {
  std::string result;
  for (const auto& c : changes)
    if (c.kind == field_class::code && c.path != "version")
      result += (result.empty() ? "" : ", ") + c.path;
  return result.empty() ? "version" : result;
}

} // namespace

std::string_view to_string(field_class x) {
  switch (x) {
  case field_class::code:
    return "code";
  case field_class::config:
    return "config";
  case field_class::count:
    return "count";
  case field_class::light:
    return "light";
  }
  return "light";
}

std::vector<field_change> diff(const deployment_spec& from, const deployment_spec& to) {
  std::vector<field_change> changes;
  const auto before = to_json(from);
  const auto after = to_json(to);
  for (const auto& [path, value] : after.items())
    if (path != "application" && path != "name")
      compare(path, before.at(path), value, changes);
  std::stable_sort(changes.begin(), changes.end(),
                   [](const field_change& a, const field_change& b) { return a.kind < b.kind; });
  return changes;
}

std::vector<field_change> diff(const deployment_spec& from, const code_source& from_code, const deployment_spec& to,
                               const code_source& to_code) {
  std::vector<field_change> changes;
  const auto add = [&](std::string path, json before, json after) {
    if (before != after)
      changes.push_back({std::move(path), std::move(before), std::move(after), field_class::code});
  };
  add("import_path", from_code.import_path, to_code.import_path);
  if (from.version != to.version)
    add("digest", from_code.digest, to_code.digest);
  add("args", from_code.args, to_code.args);
  auto rest = diff(from, to);
  changes.insert(changes.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  return changes;
}

change_kind change_of(const std::vector<field_change>& changes) {
  if (changes.empty())
    return change_kind::none;
  const auto heaviest = std::min_element(changes.begin(), changes.end(),
                                         [](const field_change& a, const field_change& b) { return a.kind < b.kind; });
  switch (heaviest->kind) {
  case field_class::code:
    return change_kind::replaced;
  case field_class::config:
    return change_kind::reconfigured;
  case field_class::count:
    return change_kind::scaled;
  case field_class::light:
    return change_kind::light;
  }
  return change_kind::light;
}

std::string describe(const deployment_spec* from, const deployment_spec& to, const std::vector<field_change>& changes) {
  if (!from)
    return "creates it with " + count_of(to.num_replicas, "replica");
  std::string text;
  switch (change_of(changes)) {
  case change_kind::none:
  case change_kind::created:
    return "changes nothing";
  case change_kind::light:
    return "changes options; no replica is touched";
  case change_kind::scaled:
    return scaling(from->num_replicas, to.num_replicas);
  case change_kind::reconfigured:
    text = "reconfigures " + count_of(to.num_replicas, "replica") + " in place " +
           waves(to.num_replicas, to.rollout.reconfigure_share().of(to.num_replicas));
    break;
  case change_kind::replaced:
    text = replacement(to) + " (" + list_of_code_fields(changes) + ")";
    if (!from->user_config.is_null() && to.user_config.is_null())
      text += "; a config cannot be taken back by a call, so replicas are replaced";
    break;
  }
  if (from->num_replicas != to.num_replicas)
    text += "; " + scaling(from->num_replicas, to.num_replicas);
  return text;
}

} // namespace troupe::config
