// The best of many nodes for one kind of replica: a tournament, so that a node that changes costs O(log nodes).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

namespace troupe::controller {

/// Where a node comes in an order; the least is the best. Nodes that don't fit come last.
struct node_rank {
  static constexpr std::uint32_t unfit = ~std::uint32_t{0};

  std::uint32_t unmatched = unfit; ///< Preferred rules that don't hold.
  std::uint32_t first = 0;         ///< As the strategy says.
  std::uint32_t second = 0;
  std::uint32_t third = 0;
  std::uint64_t id = 0; ///< Of the node: no two are equal.

  bool fits() const { return unmatched != unfit; }
  // clang-tidy 14 takes the 0 of the comparison that the compiler makes for a pointer.
  friend auto operator<=>(const node_rank&, const node_rank&) = default; // NOLINT(modernize-use-nullptr)
};

/// Confined to its ledger. Nodes are named by slots: small numbers, used again. 32 bytes for each.
///
/// Leaves are slots; above each two, the better one's slot stands. Slots 0..3, of which 1 does not fit and 2 is best:
///
///         2
///       0   2
///      0 1 2 3        3 changes: looked at are 2|3 and 0|2.
class node_index {
public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr std::uint32_t no_node = ~std::uint32_t{0}; ///< The reason of a slot without a node: not counted.

  /// `reasons`: how many there are; they count from 0.
  explicit node_index(std::size_t reasons = 0) : counts_(reasons, 0) {}

  /// O(1), apart from growing: twice the slots at a time. `best` is right again after `settle`.
  void assign(std::uint32_t slot, const node_rank& rank, std::uint32_t reason);
  /// `changed`: the slots assigned since. O(log slots) for each, at most O(slots).
  void settle(const std::vector<std::uint32_t>& changed);

  /// O(1). The slot, or `none` when no node fits.
  std::uint32_t best() const;
  /// The best that is not `excluded`. O(excluded ones that are better x log slots).
  template <class Predicate>
  std::uint32_t best_except(const Predicate& excluded) const {
    return leaves() == 0 ? none : best_below(1, excluded);
  }

  /// Slots up to the highest that was assigned.
  const node_rank& rank_of(std::uint32_t slot) const { return rank_[slot]; }
  std::uint32_t reason_of(std::uint32_t slot) const { return reason_[slot]; }
  /// Nodes by reason.
  const std::vector<std::uint32_t>& counts() const { return counts_; }

  std::uint64_t seen = 0; ///< The ledger's: which changes are in here.

private:
  std::uint32_t leaves() const { return static_cast<std::uint32_t>(rank_.size()); }
  std::uint32_t winner(std::uint32_t at) const { return at < leaves() ? winner_[at] : at - leaves(); }
  std::uint32_t better(std::uint32_t a, std::uint32_t b) const { return rank_[b] < rank_[a] ? b : a; }
  void play(std::uint32_t at) { winner_[at] = better(winner(2 * at), winner(2 * at + 1)); }

  // Goes below a place only where its winner is excluded.
  template <class Predicate>
  std::uint32_t best_below(std::uint32_t at, const Predicate& excluded) const {
    const auto slot = winner(at);
    if (!rank_[slot].fits())
      return none;
    if (!excluded(slot))
      return slot;
    if (at >= leaves())
      return none;
    const auto left = best_below(2 * at, excluded);
    const auto right = best_below(2 * at + 1, excluded);
    if (left == none || right == none)
      return left == none ? right : left;
    return better(left, right);
  }

  std::vector<node_rank> rank_;       // by slot; a power of two of them
  std::vector<std::uint32_t> reason_; // by slot
  std::vector<std::uint32_t> winner_; // 1 is the root, 2k and 2k + 1 are below k
  std::vector<std::uint32_t> counts_;
  bool grown_ = false;
};

} // namespace troupe::controller
