// Conditions on labels, and their text in Ray's form.
#include <troupe/messages/placement_options.hpp>
#include <troupe/messages/validation.hpp>

#include <algorithm>

namespace troupe {

namespace {

std::string_view trimmed(std::string_view x) {
  while (!x.empty() && x.front() == ' ')
    x.remove_prefix(1);
  while (!x.empty() && x.back() == ' ')
    x.remove_suffix(1);
  return x;
}

bool is_label_value(std::string_view x) {
  return !name_problem(x) && x.find_first_of(",()!") == std::string_view::npos && trimmed(x) == x;
}

} // namespace

bool label_rule::holds_for(const node_labels& labels) const {
  const auto it = labels.find(key);
  return (it != labels.end() && std::find(values.begin(), values.end(), it->second) != values.end()) != negated;
}

bool suits(const placement_options& where, const node_labels& labels) {
  return std::all_of(where.required.begin(), where.required.end(),
                     [&](const label_rule& r) { return r.holds_for(labels); });
}

std::optional<label_rule> read_label_rule(std::string_view key, std::string_view text) {
  label_rule result{std::string(key), {}, false};
  text = trimmed(text);
  if (text.starts_with('!')) {
    result.negated = true;
    text = trimmed(text.substr(1));
  }
  if (text.starts_with("in(") && text.ends_with(')')) {
    text = text.substr(3, text.size() - 4);
    for (;;) {
      const auto comma = text.find(',');
      result.values.emplace_back(trimmed(text.substr(0, comma)));
      if (comma == std::string_view::npos || result.values.size() > max_label_values)
        break;
      text.remove_prefix(comma + 1);
    }
    std::sort(result.values.begin(), result.values.end());
    result.values.erase(std::unique(result.values.begin(), result.values.end()), result.values.end());
  } else {
    result.values.emplace_back(text);
  }
  return is_label_rule(result) ? std::optional{std::move(result)} : std::nullopt;
}

bool is_label_rule(const label_rule& x) {
  return !name_problem(x.key) && !x.values.empty() && x.values.size() <= max_label_values &&
         std::all_of(x.values.begin(), x.values.end(), [](const std::string& v) { return is_label_value(v); });
}

std::string to_string(const label_rule& x) {
  std::string text = x.negated ? "!" : "";
  if (x.values.size() == 1)
    return text + x.values.front();
  text += "in(";
  for (const auto& v : x.values)
    text += (&v == &x.values.front() ? "" : ", ") + v;
  return text + ')';
}

json to_json(const std::vector<label_rule>& rules) {
  auto result = json::object();
  for (const auto& r : rules)
    result[r.key] = to_string(r);
  return result;
}

json to_json(const placement_options& x) {
  return {{"label_selector", to_json(x.required)},
          {"preferred_labels", to_json(x.preferred)},
          {"placement_strategy", to_string(x.strategy)},
          {"max_replicas_per_node", x.max_replicas_per_node}};
}

} // namespace troupe
