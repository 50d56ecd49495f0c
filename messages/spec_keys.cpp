// Which names a JSON spec may have. What Ray Serve knows and this release does not is refused with a sentence, never
// ignored: an operator must not believe that it is in force.
#include <troupe/messages/edit_distance.hpp>
#include <troupe/messages/spec_fields.hpp>
#include <troupe/messages/spec_keys.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::spec_keys {
namespace {

struct refused_name {
  std::string_view name; // one that ends in '*' stands for all that begin so
  std::string_view why;
};

constexpr std::string_view no_autoscaling = "there is no autoscaling; set num_replicas to an integer";
constexpr std::string_view no_resources = "it stands in ray_actor_options";
constexpr std::string_view no_placement = "ray_actor_options.label_selector, preferred_labels, placement_strategy and "
                                          "max_replicas_per_node say where replicas go";
constexpr std::string_view no_batching = "there is no batching in this release; batch in the handler";
constexpr std::string_view no_multiplexing = "there is no multiplexing of models in this release";
constexpr std::string_view no_two_phase =
    "there is no two-phase reconfigure in this release; reconfigure(user_config) is what code may offer";

constexpr std::array refused{
    refused_name{"autoscaling_config", no_autoscaling},
    refused_name{"autoscaling_policy", no_autoscaling},
    refused_name{"min_replicas", no_autoscaling},
    refused_name{"max_replicas", no_autoscaling},
    refused_name{"external_scaler_enabled", no_autoscaling},
    refused_name{"target_capacity", "there is no target capacity; set num_replicas"},
    refused_name{"gang_*", "there is no gang scheduling"},
    refused_name{"deployment_actors", "there are no deployment actors"},
    refused_name{"placement_group_*", "there are no placement groups"},
    refused_name{"grpc*", "there is no gRPC"},
    refused_name{"num_cpus", no_resources},
    refused_name{"num_gpus", no_resources},
    refused_name{"memory", no_resources},
    refused_name{"resources", no_resources},
    refused_name{"accelerator_type", "there are no kinds of accelerators; name a resource of your own in resources"},
    refused_name{"fallback_strategy", "there are no fallbacks; preferred_labels says which nodes come first"},
    refused_name{"runtime_env", "it stands beside ray_actor_options"},
    refused_name{"import_path", "code is linked in and handed over with the deployment, not loaded in this release"},
    refused_name{"placement", no_placement},
    refused_name{"labels", no_placement},
    refused_name{"label_selector", no_resources},
    refused_name{"request_router_config", "the router is always power of two choices"},
    refused_name{"logging_config", "there is no logging per deployment; the runtime's log hook gets all"},
    refused_name{"max_constructor_retry_count", "failed starts are limited by max_start_attempts"},
    refused_name{"route_prefix", "there are no routes per deployment in this release"},
    refused_name{"prepare", no_two_phase},
    refused_name{"commit", no_two_phase},
    refused_name{"max_batch_size", no_batching},
    refused_name{"batch_*", no_batching},
    refused_name{"batching", no_batching},
    refused_name{"multiplex*", no_multiplexing},
    refused_name{"max_num_models_per_replica", no_multiplexing},
};

// Taken for Ray's sake; not part of what `to_json` writes.
constexpr std::array ray_names{std::string_view{"rolling_update_percentage"}, std::string_view{"max_surge_percent"},
                               std::string_view{"graceful_shutdown_wait_loop_s"}};

// A visitor that collects the paths of all options.
struct path_collector {
  template <class... Rest>
  void add(std::string_view path, const Rest&...) {
    paths.push_back(path);
  }
  void name(std::string_view p, const std::string&) { add(p); }
  void version(std::string_view p, const std::string&) { add(p); }
  void document(std::string_view p, const json_doc&) { add(p); }
  template <class T>
  void choice(std::string_view p, T) {
    add(p);
  }
  template <class T>
  void integer(std::string_view p, T, const spec_fields::integer_rule&) {
    add(p);
  }
  void queue_bound(std::string_view p, std::int64_t, const spec_fields::integer_rule&) { add(p); }
  void status_code(std::string_view p, std::uint32_t) { add(p); }
  void retry_after(std::string_view p, std::uint32_t) { add(p); }
  void duration(std::string_view p, milliseconds, const spec_fields::duration_rule&) { add(p); }
  void boolean(std::string_view p, bool) { add(p); }
  void amount(std::string_view p, const resources&, const spec_fields::amount_rule&) { add(p); }
  void custom_amounts(std::string_view p, const resources&) { add(p); }
  void labels(std::string_view p, const std::vector<label_rule>&) { add(p); }
  void share(std::string_view p, replica_share) { add(p); }
  void optional_share(std::string_view p, bool, replica_share) { add(p); }

  std::vector<std::string_view> paths;
};

std::vector<std::string_view> all_paths() {
  path_collector collector;
  const deployment_spec spec;
  spec_fields::each(spec, collector);
  collector.paths.insert(collector.paths.end(), ray_names.begin(), ray_names.end());
  return std::move(collector.paths);
}

std::string_view group_of(std::string_view path) {
  const auto dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view leaf_of(std::string_view path) {
  const auto dot = path.find('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

// The closest name, in the same group if there is a choice; also one that only stands in the wrong group.
std::optional<std::string_view> guess(const std::vector<std::string_view>& paths, std::string_view group,
                                      std::string_view key) {
  constexpr std::size_t most = 2;
  std::optional<std::string_view> best;
  std::size_t best_cost = 2 * most + 2;
  const auto consider = [&](std::string_view compared, std::string_view suggested, std::string_view its_group) {
    if (std::max(compared.size(), key.size()) - std::min(compared.size(), key.size()) > most)
      return;
    const auto d = edit_distance(compared, key);
    const auto cost = 2 * d + (its_group == group ? 0U : 1U);
    if (d <= most && 2 * d <= key.size() && cost < best_cost) {
      best_cost = cost;
      best = suggested;
    }
  };
  for (const auto path : paths) {
    consider(leaf_of(path), path, group_of(path));
    if (const auto outer = group_of(path); !outer.empty())
      consider(outer, outer, {});
  }
  return best;
}

const refused_name* find_refused(std::string_view key) {
  const auto matches = [key](const refused_name& r) {
    return r.name.back() == '*' ? key.starts_with(r.name.substr(0, r.name.size() - 1)) : key == r.name;
  };
  const auto* found = std::find_if(refused.begin(), refused.end(), matches);
  return found == refused.end() ? nullptr : found;
}

// Null, and an object without members, ask for nothing; but Ray's empty autoscaling_config turns it on.
bool asks_for_nothing(std::string_view key, const json& value) {
  return value.is_null() || (value.is_object() && value.empty() && !key.starts_with("autoscaling"));
}

// The names within one object: the spec itself (`group` empty) or one of its groups.
void check_names(const json& object, std::string_view group, const std::vector<std::string_view>& paths,
                 std::vector<field_error>& errors, std::vector<field_error>& unknown) {
  for (auto it = object.begin(); it != object.end(); ++it) {
    const std::string_view key = it.key();
    const bool known = std::any_of(paths.begin(), paths.end(), [&](std::string_view path) {
      return (group_of(path) == group && leaf_of(path) == key) ||
             (group.empty() && !key.empty() && group_of(path) == key);
    });
    if (known)
      continue;
    std::string allowed;
    auto* told = &errors;
    if (const auto* r = find_refused(key)) {
      if (asks_for_nothing(key, *it))
        continue;
      allowed = "nothing: " + std::string(r->why);
    } else {
      told = &unknown;
      allowed = "nothing: no option has this name";
      if (const auto close = guess(paths, group, key))
        allowed += "; did you mean \"" + std::string(*close) + "\"?";
    }
    auto path = spec_fields::excerpt_of_key(key);
    if (!group.empty())
      path = std::string(group).append(1, '.').append(path);
    told->push_back({std::move(path), spec_fields::excerpt(*it), std::move(allowed)});
  }
}

} // namespace

const json* find(const json& object, std::string_view path) {
  const json* parent = &object;
  if (const auto group = group_of(path); !group.empty())
    parent = find(object, group);
  if (!parent || !parent->is_object())
    return nullptr;
  const auto it = parent->find(std::string(leaf_of(path)));
  return it == parent->end() ? nullptr : &*it;
}

bool is_told_apart(std::string_view path, const json& value) {
  return (path == "num_replicas" && (value.is_null() || value == "auto")) ||
         (path == "max_replicas_per_node" && value.is_null());
}

void check(const json& object, std::vector<field_error>& errors, std::vector<field_error>& unknown) {
  const auto paths = all_paths();
  check_names(object, {}, paths, errors, unknown);
  for (const std::string_view group : {"backpressure_config", "rolling_update", "ray_actor_options"}) {
    const auto* members = find(object, group);
    if (!members || (members->is_null() && group == "ray_actor_options"))
      continue; // null asks for nothing
    if (members->is_object())
      check_names(*members, group, paths, errors, errors);
    else
      errors.push_back({std::string(group), spec_fields::excerpt(*members), "an object"});
  }
  if (const auto* n = find(object, "num_replicas"); n && *n == "auto")
    errors.push_back({"num_replicas", "\"auto\"", "an integer from 1 to 10000000: there is no autoscaling"});
}

} // namespace troupe::spec_keys
