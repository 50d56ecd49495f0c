// Nodes as a deployment sees them: the name of the place where each replica is, and which of these are to be empty.
#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>
#include <utility>

namespace troupe::deployment_state {

// O(names): a cluster has few, and a deployment learns each once.
std::uint32_t machine::node_index(const std::string& name) {
  const auto it = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& n) { return n.name == name; });
  const auto at = static_cast<std::uint32_t>(it - nodes_.begin());
  if (it == nodes_.end())
    nodes_.push_back({name});
  return at;
}

bool machine::is_moving(const record& r) const { return nodes_[r.node].evacuated; }

void machine::on(const event::placed& ev) {
  if (table_.find(ev.replica))
    table_.place(ev.replica.slot, node_index(ev.node));
}

// An operator's wish: O(replicas).
void machine::on(const event::evacuate& ev) {
  const auto node = node_index(ev.node);
  ++node_changes_;
  nodes_[node].open = ev.open;
  if (nodes_[node].evacuated == ev.on)
    return;
  nodes_[node].evacuated = ev.on;
  table_.each([&](std::uint32_t slot) {
    auto& r = table_.at(slot);
    if (r.node != node || (r.phase != life::available && r.phase != life::reconfiguring))
      return;
    if (ev.on)
      mark_failing(table_.ref(slot));
    else if (r.failed_checks < failures_until_unhealthy)
      r.failing = false;
  });
}

} // namespace troupe::deployment_state
