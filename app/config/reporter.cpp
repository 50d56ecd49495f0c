// Problems get the place of their path; names that nobody knows a suggestion.
#include <troupe/app/config/reporter.hpp>
#include <troupe/app/config/suggest.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe::config {
namespace {

bool asks_for_nothing(const json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty()) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

} // namespace

std::string member(std::string_view path, std::string_view key) {
  const auto shown = spec_fields::excerpt_of_key(key);
  return path.empty() ? shown : std::string(path) + '.' + shown;
}

std::string element(std::string_view path, std::size_t i) { return std::string(path) + '[' + std::to_string(i) + ']'; }

void reporter::error(std::string_view path, const json& value, std::string_view allowed) {
  error_about(path, spec_fields::excerpt(value), allowed);
}

void reporter::error_about(std::string_view path, std::string value, std::string_view allowed) {
  if (errors_.size() >= max_problems) {
    ++left_out_;
    return;
  }
  const auto& at = locate(from_.root, path);
  errors_.push_back({from_.name, at.line, at.column, std::string(path), std::move(value), std::string(allowed)});
}

void reporter::warn(std::string_view path, std::string_view sentence) {
  if (warnings_.size() >= max_problems) {
    ++ignored_;
    return;
  }
  const auto& at = locate(from_.root, path);
  warnings_.push_back(to_string(problem{from_.name, at.line, at.column, std::string(path), {}, std::string(sentence)}));
}

void reporter::check_names(const json& object, std::string_view path, std::span<const key_rule> keys) {
  for (const auto& [key, value] : object.items()) {
    const auto rule = std::find_if(keys.begin(), keys.end(), [&k = key](const key_rule& r) { return r.name == k; });
    if (rule != keys.end()) {
      if (rule->is_refused && !asks_for_nothing(value))
        error(member(path, key), value, "nothing: " + std::string(rule->description));
      continue;
    }
    if (warnings_.size() >= max_problems) { // no guesses for a flood of names
      ++ignored_;
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& r : keys)
      if (!r.is_refused)
        known.push_back(r.name);
    std::string sentence = "no option has this name, it is ignored";
    if (const auto guess = closest(key, known))
      sentence += "; did you mean \"" + std::string(*guess) + "\"?";
    warn(member(path, key), sentence);
  }
}

std::vector<problem> reporter::take_errors() {
  std::stable_sort(errors_.begin(), errors_.end(), [](const problem& a, const problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  if (left_out_ > 0)
    errors_.push_back({from_.name, 0, 0, {}, {}, "and " + std::to_string(left_out_) + " more problems"});
  return std::move(errors_);
}

std::vector<std::string> reporter::take_warnings() {
  if (ignored_ > 0)
    warnings_.push_back(
        to_string(problem{from_.name, 0, 0, {}, {}, "and " + std::to_string(ignored_) + " more warnings"}));
  return std::move(warnings_);
}

} // namespace troupe::config
