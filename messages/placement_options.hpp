// On which nodes the replicas of a deployment may run, and on which rather than on others.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/json_doc.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

using node_labels = std::map<std::string, std::string>;

/// A condition on one label. A node that doesn't have the label fulfils it only when it is negated, as in Kubernetes.
struct label_rule {
  std::string key;
  std::vector<std::string> values; ///< Any of these; or none of these, when negated.
  bool negated = false;

  bool holds_for(const node_labels& labels) const;
  friend bool operator==(const label_rule&, const label_rule&) = default;
};
TROUPE_INSPECT(label_rule, x.key, x.values, x.negated)

/// Travels: never renumber.
enum class placement_strategy : std::uint8_t {
  spread = 0, ///< Where the deployment has the fewest replicas, then where most is free.
  pack = 1,   ///< The fullest node that still fits.
};
std::string to_string(placement_strategy x);
constexpr placement_strategy last_enumerator(placement_strategy) { return placement_strategy::pack; }

/// A value. The default lets a replica run on every node. Without nodes only `strategy` may differ from it, which then
/// means nothing.
struct placement_options {
  placement_strategy strategy = placement_strategy::spread;
  std::uint32_t max_replicas_per_node = 0; ///< Of the deployment, all revisions together; 0 = no bound.
  std::vector<label_rule> required{};      ///< All hold, or a node does not fit. By key, each once.
  std::vector<label_rule> preferred{};     ///< Nodes for which more of them hold come first, whatever the strategy.

  bool is_selective() const { return max_replicas_per_node > 0 || !required.empty(); } ///< Some nodes may not fit.
  friend bool operator==(const placement_options&, const placement_options&) = default;
};
TROUPE_INSPECT(placement_options, x.strategy, x.max_replicas_per_node, x.required, x.preferred)

/// Whether every required rule holds. O(rules).
bool suits(const placement_options& where, const node_labels& labels);

inline constexpr std::size_t max_label_rules = 32;  // of one kind
inline constexpr std::size_t max_label_values = 64; // of one rule

/// Ray's form: "a", "!a", "in(a, b)" or "!in(a, b)". Nothing for any other text. Values are sorted, each once.
std::optional<label_rule> read_label_rule(std::string_view key, std::string_view text);
/// Whether it can be written in that form: key and values are 1 to 128 characters, values without `, ( ) !`.
bool is_label_rule(const label_rule& x);
/// The shortest of Ray's forms.
std::string to_string(const label_rule& x);
/// `{"zone": "in(a, b)"}`
json to_json(const std::vector<label_rule>& rules);
json to_json(const placement_options& x);

} // namespace troupe
