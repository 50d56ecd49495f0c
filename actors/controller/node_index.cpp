// Matches of the tournament.
#include <troupe/actors/controller/node_index.hpp>

#include <bit>

namespace troupe::controller {

void node_index::assign(std::uint32_t slot, const node_rank& rank, std::uint32_t reason) {
  if (slot >= leaves()) {
    const auto size = std::bit_ceil(slot + 1);
    rank_.resize(size);
    reason_.resize(size, no_node);
    winner_.resize(size, 0);
    grown_ = true;
  }
  if (reason_[slot] != no_node)
    --counts_[reason_[slot]];
  if (reason != no_node)
    ++counts_[reason];
  rank_[slot] = rank;
  reason_[slot] = reason;
}

void node_index::settle(const std::vector<std::uint32_t>& changed) {
  if (grown_ || changed.size() * static_cast<std::size_t>(std::bit_width(leaves())) > leaves()) {
    for (auto at = leaves(); at-- > 1;)
      play(at);
    grown_ = false;
    return;
  }
  for (const auto slot : changed)
    for (auto at = (leaves() + slot) / 2; at > 0; at /= 2) {
      const auto before = winner_[at];
      play(at);
      if (winner_[at] == before && before != slot)
        break; // above, nothing else is known of the same winner
    }
}

std::uint32_t node_index::best() const {
  if (leaves() == 0)
    return none;
  const auto slot = winner(1);
  return rank_[slot].fits() ? slot : none;
}

} // namespace troupe::controller
