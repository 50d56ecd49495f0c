// The JSON form of a deployment spec: writing, and reading with every wrong option told at once.
#include <troupe/messages/spec_fields.hpp>
#include <troupe/messages/spec_keys.hpp>
#include <troupe/messages/validation.hpp>

#include <cmath>
#include <optional>

namespace troupe {
namespace {

class writer {
public:
  void name(std::string_view path, const std::string& x) { put(path, x); }

  void version(std::string_view path, const std::string& x) { put(path, x); }

  void document(std::string_view path, const json_doc& x) { put(path, x.get()); }

  template <class Enum>
  void choice(std::string_view path, Enum x) {
    put(path, to_string(x));
  }

  template <class Int>
  void integer(std::string_view path, Int x, const spec_fields::integer_rule&) {
    put(path, x);
  }

  void queue_bound(std::string_view path, std::int64_t x, const spec_fields::integer_rule&) { put(path, x); }

  void status_code(std::string_view path, std::uint32_t x) { put(path, x); }

  void retry_after(std::string_view path, std::uint32_t x) { put(path, x); }

  void duration(std::string_view path, milliseconds x, const spec_fields::duration_rule&) {
    put(path, spec_fields::duration_to_json(x));
  }

  void boolean(std::string_view path, bool x) { put(path, x); }

  void share(std::string_view path, replica_share x) { put(path, spec_fields::share_to_json(x)); }

  void optional_share(std::string_view path, bool set, replica_share x) {
    put(path, set ? spec_fields::share_to_json(x) : json(nullptr));
  }

  void amount(std::string_view path, const resources& x, const spec_fields::amount_rule& rule) {
    put(path, amount_to_json(rule.resource, x.of(rule.resource)));
  }

  void custom_amounts(std::string_view path, const resources& x) {
    auto own = json::object();
    for (const auto& a : spec_fields::custom_of(x))
      own[a.name] = amount_to_json(a.name, a.amount);
    put(path, std::move(own));
  }

  void labels(std::string_view path, const std::vector<label_rule>& x) { put(path, to_json(x)); }

  json result = json::object();

private:
  void put(std::string_view path, json value) {
    const auto dot = path.find('.');
    auto& parent = dot == std::string_view::npos ? result : result[std::string(path.substr(0, dot))];
    parent[std::string(path.substr(dot == std::string_view::npos ? 0 : dot + 1))] = std::move(value);
  }
};

// Sets each option that is given; what is given and wrong is an error and leaves the default.
class reader {
public:
  reader(const json& object, std::vector<field_error>& errors) : object_(object), errors_(errors) {}

  void name(std::string_view path, std::string& x) { text(path, x, name_problem); }

  void version(std::string_view path, std::string& x) { text(path, x, spec_fields::version_problem); }

  void document(std::string_view path, json_doc& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    if (const auto problem = spec_fields::document_problem(*value)) // before the copy: copying recurses
      report(path, *value, *problem);
    else
      x = json_doc{*value};
  }

  template <class Enum>
  void choice(std::string_view path, Enum& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    for (int i = 0; i <= static_cast<int>(last_enumerator(Enum{})); ++i)
      if (value->is_string() && value->get_ref<const std::string&>() == to_string(static_cast<Enum>(i))) {
        x = static_cast<Enum>(i);
        return;
      }
    report(path, *value, spec_fields::allowed_choices<Enum>());
  }

  template <class Int>
  void integer(std::string_view path, Int& x, const spec_fields::integer_rule& rule) {
    const auto* value = spec_keys::find(object_, path);
    if (!value || spec_keys::is_told_apart(path, *value))
      return;
    if (const auto n = spec_fields::to_integer(*value); n && *n >= rule.min && *n <= rule.max)
      x = static_cast<Int>(*n);
    else
      report(path, *value, rule.allowed);
  }

  void queue_bound(std::string_view path, std::int64_t& x, const spec_fields::integer_rule& rule) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    if (const auto n = spec_fields::to_integer(*value); n && *n >= rule.min && *n != 0)
      x = *n;
    else
      report(path, *value, rule.allowed);
  }

  void status_code(std::string_view path, std::uint32_t& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    if (const auto n = spec_fields::to_integer(*value); n && (*n == 503 || *n == 429))
      x = static_cast<std::uint32_t>(*n);
    else
      report(path, *value, spec_fields::allowed_status_codes);
  }

  // Rounded up to full seconds, as Ray does.
  void retry_after(std::string_view path, std::uint32_t& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    if (value->is_null())
      x = 0;
    else if (const auto s = spec_fields::to_seconds(*value))
      x = static_cast<std::uint32_t>(std::ceil(*s));
    else
      report(path, *value, spec_fields::allowed_retry_after);
  }

  // To the nearest millisecond, but never down to 0: 0.0001 is 1 ms, 0.1 is 100 ms.
  void duration(std::string_view path, milliseconds& x, const spec_fields::duration_rule& rule) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    const auto s = spec_fields::to_seconds(*value);
    const auto ms = s ? milliseconds{std::llround(*s * 1000.0)} : milliseconds{-1};
    const auto rounded = s && *s > 0 ? std::max(ms, milliseconds{1}) : ms;
    if (rounded >= rule.min && rounded >= milliseconds{0})
      x = rounded;
    else
      report(path, *value, rule.allowed);
  }

  void boolean(std::string_view path, bool& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    if (value->is_boolean())
      x = value->get<bool>();
    else
      report(path, *value, "true or false");
  }

  void share(std::string_view path, replica_share& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    if (const auto s = spec_fields::to_share(*value))
      x = *s;
    else
      report(path, *value, spec_fields::allowed_share);
  }

  void optional_share(std::string_view path, bool& set, replica_share& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    set = !value->is_null();
    if (set)
      share(path, x);
    else
      x = {};
  }

  // Ray's rule: an object stands for what the code declares as a whole, null for nothing that is given.
  void whole_options(deployment_spec& x) {
    if (const auto* value = spec_keys::find(object_, "ray_actor_options"); value && value->is_object()) {
      x.per_replica = {};
      x.where.required.clear();
    }
  }

  // Null says "not given", as in Ray.
  void amount(std::string_view path, resources& x, const spec_fields::amount_rule& rule) {
    const auto* value = spec_keys::find(object_, path);
    if (!value || value->is_null())
      return;
    if (const auto n = spec_fields::to_amount(*value, rule))
      x.set(rule.resource, *n);
    else
      report(path, *value, rule.allowed);
  }

  // Read into what `whole_options` has emptied.
  void custom_amounts(std::string_view path, resources& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value || value->is_null())
      return;
    if (!value->is_object() || value->size() > spec_fields::max_custom_resources)
      return report(path, *value, spec_fields::allowed_custom);
    for (const auto& [name, given] : value->items()) {
      const spec_fields::amount_rule rule{name, spec_fields::max_custom_amount, false, spec_fields::allowed_custom};
      const auto n = is_custom_resource(name) ? spec_fields::to_amount(given, rule) : std::nullopt;
      if (n)
        x.set(name, *n);
      else
        report(std::string(path) + '.' + spec_fields::excerpt_of_key(name), given, rule.allowed);
    }
  }

  // Null says "not given", as in Ray.
  void labels(std::string_view path, std::vector<label_rule>& x) {
    const auto* value = spec_keys::find(object_, path);
    if (!value || value->is_null())
      return;
    if (!value->is_object() || value->size() > max_label_rules)
      return report(path, *value, spec_fields::allowed_labels);
    x.clear();
    for (const auto& [key, given] : value->items()) { // by key
      auto rule = given.is_string() ? read_label_rule(key, given.get_ref<const std::string&>()) : std::nullopt;
      if (rule)
        x.push_back(std::move(*rule));
      else
        report(std::string(path) + '.' + spec_fields::excerpt_of_key(key), given, spec_fields::allowed_labels);
    }
  }

  // The share of Ray's rollouts: a fraction of the target. 0.29 is 29 % (0.29 * 100 is 28.999... in binary); between
  // whole percents the lower one counts, so that a wave never takes more than was asked for.
  void rolling_update_percentage(rolling_update& r) {
    constexpr std::string_view path = "rolling_update_percentage";
    const auto* value = spec_keys::find(object_, path);
    if (!value || clashes(path, {"rolling_update.max_surge", "rolling_update.max_unavailable"}))
      return;
    const auto x = value->is_number() ? value->get<double>() : -1.0;
    const auto percent = x > 0 && x <= 1 ? static_cast<std::uint32_t>(std::floor(x * 100.0 + 1e-9)) : 0;
    if (percent == 0)
      return report(path, *value, "a number from 0.01 to 1 (a share of the replicas, in whole percents)");
    r.max_surge = r.max_unavailable = replica_share::percent(percent);
  }

  // After the one above: it is about surge alone, and so overrides it.
  void max_surge_percent(rolling_update& r) {
    constexpr std::string_view path = "max_surge_percent";
    const auto* value = spec_keys::find(object_, path);
    if (!value || clashes(path, {"rolling_update.max_surge", "rolling_update.strategy"}))
      return;
    std::optional<std::int64_t> percent = spec_fields::to_integer(*value);
    if (value->is_string()) // "20", as Ray takes it
      percent = spec_fields::digits_to_number(value->get_ref<const std::string&>());
    if (!percent || *percent < 0 || *percent > 100)
      return report(path, *value, "an integer from 0 (stop_first) to 100");
    r.strategy = *percent == 0 ? rollout_strategy::stop_first : rollout_strategy::start_first;
    if (*percent > 0)
      r.max_surge = replica_share::percent(static_cast<std::uint32_t>(*percent));
  }

  void graceful_shutdown_wait_loop() {
    milliseconds unused{0}; // drains end by message, there is no loop
    duration("graceful_shutdown_wait_loop_s", unused, spec_fields::zero_or_more);
  }

private:
  template <class Rule>
  void text(std::string_view path, std::string& x, Rule rule) {
    const auto* value = spec_keys::find(object_, path);
    if (!value)
      return;
    const auto problem = value->is_string() ? rule(value->get_ref<const std::string&>()) : rule("\x01");
    if (problem)
      report(path, *value, *problem);
    else
      x = value->get_ref<const std::string&>();
  }

  bool clashes(std::string_view path, std::initializer_list<std::string_view> own) {
    for (const auto other : own)
      if (spec_keys::find(object_, other)) {
        report(path, *spec_keys::find(object_, path),
               "nothing: " + std::string(other) + " is given too, and says the same; leave out one of them");
        return true;
      }
    return false;
  }

  void report(std::string_view path, const json& value, std::string_view allowed) {
    errors_.push_back({std::string(path), spec_fields::excerpt(value), std::string(allowed)});
  }

  const json& object_;
  std::vector<field_error>& errors_;
};

} // namespace

json to_json(const deployment_spec& spec) {
  writer w;
  spec_fields::each(spec, w);
  return std::move(w.result);
}

spec_from_json read_spec(const json& object) { return read_spec(object, {}); }

spec_from_json read_spec(const json& object, const deployment_spec& defaults, read_rules rules) {
  spec_from_json result{defaults, {}, {}};
  if (!object.is_object()) {
    result.errors.push_back({"deployment", spec_fields::excerpt(object), "an object"});
    return result;
  }
  spec_keys::check(object, result.errors, rules.refuse_unknown ? result.errors : result.unknown);
  reader r{object, result.errors};
  r.rolling_update_percentage(result.spec.rollout);
  r.max_surge_percent(result.spec.rollout);
  r.graceful_shutdown_wait_loop();
  r.whole_options(result.spec);
  spec_fields::each(result.spec, r);
  if (rules.is_whole)
    spec_fields::check(result.spec, result.errors);
  return result;
}

} // namespace troupe
