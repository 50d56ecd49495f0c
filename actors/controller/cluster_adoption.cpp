// Seats for what nodes bring along when they join: replicas that nobody owns, to be adopted by those that start.
#include <troupe/actors/controller/cluster_room.hpp>

#include <algorithm>
#include <utility>

namespace troupe::controller {

namespace {

constexpr std::size_t most_kinds = 1'000; ///< Of one node that are looked at.

} // namespace

// Seats there that nobody has are for what is not adopted yet.
std::optional<node_id> cluster_room::adopt(account& a, shape& s) {
  for (const auto& [id, b] : bringing_) {
    std::uint32_t left = 0;
    for (const auto& x : b.kinds)
      left += x.kind.of == a.placed_as && x.kind.each == s.each && x.kind.where == s.where ? x.left : 0U;
    const auto bound = s.where.max_replicas_per_node;
    if (left <= a.seats.unoccupied(s.number, id) || !suits(s.where, nodes_.at(id).labels) ||
        (bound > 0 && ledger_.placed(a.placed_as, id) >= bound) || !ledger_.adopt(s.demand, id))
      continue;
    add_seat(a, s, id);
    return id;
  }
  return std::nullopt;
}

std::optional<node_id> cluster_room::adopted_seat(const account& a, const shape& s, std::uint64_t code) {
  if (code != 0)
    for (auto& [id, b] : bringing_)
      for (auto& x : b.kinds)
        if (x.left > 0 && x.kind == replica_kind{a.placed_as, s.each, s.where, code} &&
            a.seats.unoccupied(s.number, id) > 0) {
          --x.left;
          ++b.adopted;
          return id;
        }
  return std::nullopt;
}

std::vector<grant> cluster_room::bring(node_id id, const std::vector<replica_kind>& kinds) {
  if (nodes_.count(id) == 0 || is_open(id) || bringing_.count(id) > 0)
    return {};
  auto& b = bringing_[id];
  for (const auto& k : kinds) {
    if (b.kinds.size() >= most_kinds)
      break; // a node has few: the others start anew
    auto it = std::find_if(b.kinds.begin(), b.kinds.end(), [&](const brought& x) { return x.kind == k; });
    if (it == b.kinds.end())
      it = b.kinds.insert(it, {k, 0});
    ++it->left;
  }
  return hand_out();
}

std::vector<grant> cluster_room::await_nodes(bool on) {
  if (std::exchange(awaits_nodes_, on) == on || on)
    return {};
  return hand_out();
}

std::optional<std::uint32_t> cluster_room::adoption_over(node_id id) const {
  const auto it = bringing_.find(id);
  if (it == bringing_.end() || awaits_nodes_)
    return std::nullopt;
  for (const auto& [name, a] : accounts_)
    for (const auto& s : a.shapes)
      if (a.seats.unoccupied(s->number, id) > 0)
        return std::nullopt;
  return it->second.adopted;
}

} // namespace troupe::controller
