// `--resources`: what the machine has, by name.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <charconv>
#include <set>
#include <string_view>

namespace troupe::cli {

namespace {

[[noreturn]] void refuse(const std::string& where, std::string_view value, std::string_view allowed) {
  throw failure{exit_code::usage, where + " takes " + std::string(allowed) + ", not \"" + std::string(value) + "\""};
}

spec_fields::amount_rule rule_of(std::string_view name) {
  for (const auto& rule : {spec_fields::cpu_amount, spec_fields::gpu_amount, spec_fields::memory_amount})
    if (rule.resource == name)
      return rule;
  return {name, spec_fields::max_custom_amount, false, "a number from 0 to 1000000000 with at most 4 decimals"};
}

std::optional<std::uint64_t> amount_of(std::string_view text, const spec_fields::amount_rule& rule) {
  double x = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), x, std::chars_format::fixed);
  if (text.empty() || fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return spec_fields::to_amount(json(x), rule);
}

} // namespace

resources parse_resources(const std::string& text, const std::string& option, resources detected) {
  constexpr std::string_view form = "names and amounts like num_cpus=4,num_gpus=1,memory=8GiB,tokens=3";
  std::set<std::string_view> seen;
  std::string_view rest = text;
  while (true) {
    const auto part = rest.substr(0, rest.find(','));
    const auto equals = part.find('=');
    const auto name = part.substr(0, equals);
    if (equals == std::string_view::npos || name.empty())
      refuse(option, text, form);
    const auto rule = rule_of(name);
    const bool known = name == resource_name::cpus || name == resource_name::gpus || name == resource_name::memory;
    if (!known && !is_custom_resource(name))
      refuse(option, name, "num_cpus, num_gpus, memory, or names of 1 to 64 letters, digits, _ - . : /");
    if (!seen.insert(name).second)
      refuse(option, text, "each resource once");
    const auto value = part.substr(equals + 1);
    const auto where = option + ": " + std::string(name);
    const bool in_bytes = name == resource_name::memory && value != "0";
    const auto amount =
        in_bytes ? std::optional{std::uint64_t{parse_bytes(std::string(value), where)}} : amount_of(value, rule);
    if (!amount || *amount > rule.max)
      refuse(where, value, rule.allowed);
    detected.set(name, *amount);
    if (part.size() == rest.size())
      return detected;
    rest.remove_prefix(part.size() + 1);
  }
}

} // namespace troupe::cli
