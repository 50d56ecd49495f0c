// What nodes say of themselves, and the names of their states.
#include <troupe/actors/nodes/machine.hpp>
#include <troupe/messages/validation.hpp>

#include <string_view>
#include <utility>

namespace troupe::nodes {

namespace {

constexpr std::size_t max_labels = 64;
constexpr std::uint64_t max_amount = 1'000'000ULL * resource_unit; // a million CPUs
constexpr std::uint64_t max_memory = 1ULL << 50U;                  // 1 PiB

} // namespace

std::string to_string(node_state x) {
  switch (x) {
  case node_state::joining:
    return "JOINING";
  case node_state::ready:
    return "READY";
  case node_state::suspect:
    return "SUSPECT";
  case node_state::lost:
    return "LOST";
  case node_state::draining:
    return "DRAINING";
  case node_state::gone:
    return "GONE";
  }
  return "unknown(" + std::to_string(static_cast<int>(x)) + ')';
}

std::vector<std::string> problems(const node_about& x) {
  std::vector<std::string> all;
  const auto bad = [&](std::string path, const std::string& value, std::string_view allowed) {
    all.push_back(std::move(path) + ": " + value + " is not allowed; expected " + std::string(allowed));
  };
  if (const auto allowed = name_problem(x.name))
    bad("name", '"' + x.name.substr(0, max_name_length) + '"', *allowed);
  if (x.incarnation == 0)
    bad("incarnation", "0", "a number above 0");
  if (x.labels.size() > max_labels)
    bad("labels", std::to_string(x.labels.size()) + " labels", "at most " + std::to_string(max_labels));
  for (const auto& [key, value] : x.labels)
    if (name_problem(key) || (!value.empty() && name_problem(value)))
      bad("labels", '"' + key.substr(0, max_name_length) + '=' + value.substr(0, max_name_length) + '"',
          "key and value of at most 128 characters without '#' and '/'");
  for (const auto& a : x.total.amounts) {
    const auto is_memory = a.name == resource_name::memory;
    const auto is_known = is_memory || a.name == resource_name::cpus || a.name == resource_name::gpus;
    if (!is_known && !is_custom_resource(a.name))
      bad("resources", '"' + a.name.substr(0, max_name_length) + '"',
          "num_cpus, num_gpus, memory, or 1 to 64 letters, digits, and _ - . : /");
    else if (const auto most = is_memory ? max_memory : max_amount; a.amount > most)
      bad("resources." + a.name, amount_text(a.name, a.amount), "at most " + amount_text(a.name, most));
  }
  return all;
}

} // namespace troupe::nodes
