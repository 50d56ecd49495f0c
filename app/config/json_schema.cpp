// Makes the schema from the lists of keys and of a deployment's options.
#include <troupe/app/config/json_schema.hpp>
#include <troupe/app/config/keys.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <string>
#include <utility>

namespace troupe::config {
namespace {

json with_description(json schema, std::string_view description) {
  schema["description"] = std::string(description);
  return schema;
}

// A visitor of `spec_fields::each` that describes every option.
class option_schemas {
public:
  explicit option_schemas(json defaults) : defaults_(std::move(defaults)) {}

  void name(std::string_view path, const std::string&) {
    if (path == "name")
      put(path, {{"type", "string"}, {"minLength", 1}, {"maxLength", max_name_length}, {"pattern", "^[^#/]*$"}},
          "A deployment that the code declares.");
  }
  void version(std::string_view path, const std::string&) {
    put(path, {{"type", "string"}, {"maxLength", max_version_length}},
        "Left out, it is derived from the code and its arguments; a written one says when replicas are replaced.");
  }
  void document(std::string_view path, const json_doc&) {
    if (path == "runtime_env")
      return put(
          path, {{"type", {"object", "null"}}},
          "With isolation: process: env_vars, working_dir, library_path, package, limits. Null: the application's.");
    put(path, json::object(),
        path == "user_config" ? "Any value; given to the code's reconfigure, without a restart."
                              : "Any value; given to the constructor.");
  }
  template <class Enum>
  void choice(std::string_view path, Enum) {
    auto names = json::array();
    for (int i = 0; i <= static_cast<int>(last_enumerator(Enum{})); ++i)
      names.push_back(to_string(static_cast<Enum>(i)));
    put(path, {{"enum", std::move(names)}}, spec_fields::allowed_choices<Enum>());
  }
  template <class Int>
  void integer(std::string_view path, Int, const spec_fields::integer_rule& rule) {
    const bool may_be_null = path == "num_replicas" || path == "max_replicas_per_node";
    put(path,
        {{"type", may_be_null ? json{"integer", "null"} : json("integer")},
         {"minimum", rule.min},
         {"maximum", rule.max}},
        rule.allowed);
  }
  void queue_bound(std::string_view path, std::int64_t, const spec_fields::integer_rule& rule) {
    put(path, {{"type", "integer"}, {"minimum", rule.min}, {"not", {{"const", 0}}}}, rule.allowed);
  }
  void status_code(std::string_view path, std::uint32_t) {
    put(path, {{"enum", {503, 429}}}, spec_fields::allowed_status_codes);
  }
  void retry_after(std::string_view path, std::uint32_t) {
    put(path, {{"type", {"number", "null"}}, {"minimum", 0}, {"maximum", most_seconds}},
        spec_fields::allowed_retry_after);
  }
  void duration(std::string_view path, milliseconds, const spec_fields::duration_rule& rule) {
    put(path,
        {{"type", "number"},
         {rule.min > milliseconds{0} ? "exclusiveMinimum" : "minimum", 0},
         {"maximum", most_seconds}},
        rule.allowed);
  }
  void boolean(std::string_view path, bool) { put(path, {{"type", "boolean"}}, "true or false"); }
  void amount(std::string_view path, const resources&, const spec_fields::amount_rule& rule) {
    const bool counts_bytes = rule.resource == resource_name::memory;
    put(path,
        {{"type", {counts_bytes ? "integer" : "number", "null"}},
         {"minimum", 0},
         {"maximum", amount_to_json(rule.resource, rule.max)}},
        rule.allowed);
  }
  void custom_amounts(std::string_view path, const resources&) {
    put(path,
        {{"type", {"object", "null"}},
         {"maxProperties", spec_fields::max_custom_resources},
         {"propertyNames", {{"pattern", "^[A-Za-z0-9_.:/-]{1,64}$"}}},
         {"additionalProperties",
          {{"type", "number"}, {"minimum", 0}, {"maximum", spec_fields::max_custom_amount / resource_unit}}}},
        spec_fields::allowed_custom);
  }
  void labels(std::string_view path, const std::vector<label_rule>&) {
    put(path,
        {{"type", {"object", "null"}},
         {"maxProperties", max_label_rules},
         {"propertyNames", {{"minLength", 1}, {"maxLength", max_name_length}, {"pattern", "^[^#/]*$"}}},
         {"additionalProperties", {{"type", "string"}, {"minLength", 1}}}},
        spec_fields::allowed_labels);
  }
  void share(std::string_view path, replica_share) {
    put(path, {{"$ref", "#/$defs/share"}}, spec_fields::allowed_share);
  }
  void optional_share(std::string_view path, bool, replica_share) {
    put(path, {{"anyOf", {{{"$ref", "#/$defs/share"}}, {{"type", "null"}}}}}, spec_fields::allowed_share);
  }

  void put(std::string_view path, json schema, std::string_view description, bool has_default = true) {
    const auto dot = path.find('.');
    auto* to = &properties;
    const auto* from = &defaults_;
    if (dot != std::string_view::npos) {
      const std::string group{path.substr(0, dot)};
      auto& object = properties[group];
      if (object.is_null())
        object = {{"type", group == "ray_actor_options" ? json{"object", "null"} : json("object")},
                  {"additionalProperties", false}};
      to = &object["properties"];
      from = &defaults_[group];
      path.remove_prefix(dot + 1);
    }
    const std::string key{path};
    if (has_default && path != "name" && path != "version" && from->contains(key))
      schema["default"] = (*from)[key];
    (*to)[key] = with_description(std::move(schema), description);
  }

  json properties;

private:
  static constexpr std::int64_t most_seconds = std::chrono::duration_cast<std::chrono::seconds>(max_duration).count();

  json defaults_;
};

json deployment_schema() {
  const deployment_spec spec;
  option_schemas options{to_json(spec)};
  spec_fields::each(spec, options);
  for (const auto* refused : {"accelerator_type", "fallback_strategy", "runtime_env"})
    options.put(std::string("ray_actor_options.") + refused, {{"enum", json::array({nullptr, json::object()})}},
                "Ray's: taken where it asks for nothing.");
  options.put("rolling_update_percentage", {{"type", "number"}, {"minimum", 0.01}, {"maximum", 1}},
              "Ray's: sets max_surge and max_unavailable of rolling_update, as a fraction.");
  options.put(
      "max_surge_percent",
      {{"anyOf",
        {{{"type", "integer"}, {"minimum", 0}, {"maximum", 100}}, {{"type", "string"}, {"pattern", "^[0-9]{1,3}$"}}}}},
      "Ray's: above 0 chooses start_first with this surge, 0 chooses stop_first.");
  options.put("graceful_shutdown_wait_loop_s", {{"type", "number"}, {"minimum", 0}}, "Ray's: taken, without effect.");
  options.put("logging_config", {{"$ref", "#/$defs/logging_config"}},
              "Ray's; taken as long as it asks for the defaults.");
  return {{"type", "object"}, {"required", {"name"}}, {"properties", std::move(options.properties)}};
}

json object_of(std::span<const key_rule> keys) {
  auto properties = json::object();
  for (const auto& rule : keys) {
    if (rule.is_refused)
      continue; // the reader says why
    properties[std::string(rule.name)] = with_description(json::parse(rule.schema), rule.description);
  }
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

} // namespace

json json_schema() {
  auto schema = object_of(document_keys());
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "troupe config file";
  schema["required"] = {"applications"};
  auto& defs = schema["$defs"];
  defs["application"] = object_of(application_keys());
  defs["application"]["required"] = {"import_path"};
  defs["http_options"] = object_of(http_keys());
  defs["deployment"] = deployment_schema();
  defs["share"] = {{"anyOf",
                    {{{"type", "string"}, {"pattern", "^0{0,2}[1-9]%$|^0?[1-9][0-9]%$|^100%$"}},
                     {{"type", "integer"}, {"minimum", 1}, {"maximum", max_num_replicas}}}}};
  defs["logging_config"] = {{"type", {"object", "null"}},
                            {"additionalProperties", false},
                            {"properties",
                             {{"encoding", {{"const", "TEXT"}}},
                              {"log_level", {{"const", "INFO"}}},
                              {"logs_dir", {{"const", nullptr}}},
                              {"enable_access_log", {{"const", true}}},
                              {"additional_log_standard_attrs", {{"maxItems", 0}}}}}};
  return schema;
}

} // namespace troupe::config
