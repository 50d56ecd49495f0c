// Names of deployments, and the options that need converting.
#include <troupe/app/runtime/deployment_options.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace troupe {

deployment_name parse_deployment_name(std::string_view text) {
  deployment_name result;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    result.application = text.substr(0, slash);
    text.remove_prefix(slash + 1);
  }
  result.name = text;
  return result;
}

deployment_options::deployment_options(std::string_view name) {
  auto parsed = parse_deployment_name(name);
  spec_.application = std::move(parsed.application);
  spec_.name = std::move(parsed.name);
}

deployment_options& deployment_options::backpressure_retry_after(std::chrono::seconds x) {
  // What does not fit becomes the largest number, which `validate` refuses.
  constexpr std::int64_t largest = std::numeric_limits<std::uint32_t>::max();
  const bool fits = x.count() >= 0 && x.count() <= largest;
  return set(spec_.backpressure_retry_after_s, static_cast<std::uint32_t>(fits ? x.count() : largest));
}

deployment_options& deployment_options::amount(std::string_view name, double x) {
  spec_.per_replica.set(name, to_units(x).value_or(no_amount));
  return *this;
}

deployment_options& deployment_options::memory(std::uint64_t bytes) {
  spec_.per_replica.set(resource_name::memory, bytes);
  return *this;
}

namespace {

// What is no rule is kept as a value that `validate` refuses.
std::vector<label_rule> rules_of(const std::map<std::string, std::string>& x) {
  std::vector<label_rule> rules;
  for (const auto& [key, text] : x)
    rules.push_back(read_label_rule(key, text).value_or(label_rule{key, {text}, false}));
  return rules;
}

} // namespace

deployment_options& deployment_options::label_selector(const std::map<std::string, std::string>& x) {
  return set(spec_.where.required, rules_of(x));
}

deployment_options& deployment_options::preferred_labels(const std::map<std::string, std::string>& x) {
  return set(spec_.where.preferred, rules_of(x));
}

deployment_options& deployment_options::resource(std::string_view name, double x) {
  if (name != resource_name::memory)
    return amount(name, x);
  const auto units = to_units(x); // memory is in bytes, whatever way it is given
  return memory(units && *units % resource_unit == 0 ? *units / resource_unit : no_amount);
}

} // namespace troupe
