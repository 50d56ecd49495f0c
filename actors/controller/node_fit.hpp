// Judges one node for one replica: whether it fits, how good it is, or why it does not.
#pragma once

#include <troupe/actors/controller/node_index.hpp>
#include <troupe/actors/controller/placement_request.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::controller {

/// One life of a node: a node that comes back is another one. Never 0.
using node_id = std::uint64_t;

/// Whether new replicas may be placed on a node. What is there stays in any case.
enum class node_state : std::uint8_t { ready, cordoned, draining, suspect };

/// What of a node matters.
struct node_room {
  node_id id = 0; ///< 0 = there is no node.
  node_labels labels;
  resources total;
  resources free;
  node_state state = node_state::ready;
  std::uint64_t replicas = 0; ///< Of all deployments.
};

/// What holds as long as the node is there, whatever is placed.
struct lasting_fit {
  std::uint32_t reason = node_index::no_node;
  std::uint32_t unmatched = 0; ///< Preferred rules that don't hold.
};

struct fit_verdict {
  node_rank rank;
  std::uint32_t reason = node_index::no_node;
};

/// Reasons count from 0, which is "fits".
inline constexpr std::uint32_t no_misfit = 0;
std::size_t reasons_of(const placement_request& what);

/// O(rules x labels + resources).
lasting_fit judge_lasting(const placement_request& what, const node_room& node);
/// For a deployment that has `held` replicas on it. O(resources).
fit_verdict judge(const placement_request& what, const node_room& node, const lasting_fit& lasting, std::uint32_t held);
/// What `judge` says with `held` replicas on the node, from what it said with none. O(1).
fit_verdict with_held(const placement_request& what, const fit_verdict& none_held, std::uint32_t held);

/// Counts by reason as a report.
fit_report report_of(const std::vector<std::uint32_t>& counts, const placement_request& what);

/// floor(free * 10^9 / total). Of totals above 2^34 the lowest bits of both are left out. `free` <= `total`; 0 of
/// a total of 0.
std::uint32_t free_share(std::uint64_t free, std::uint64_t total);

} // namespace troupe::controller
