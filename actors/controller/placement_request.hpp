// What one replica of a deployment asks of a node, and the counts of nodes by why they don't fit.
#pragma once

#include <troupe/messages/placement_options.hpp>
#include <troupe/messages/resources.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::controller {

/// A value: the "shape" of a replica, as placement sees it.
struct placement_request {
  resources each;
  placement_strategy strategy = placement_strategy::spread;
  std::uint32_t max_replicas_per_node = 0; ///< Of the deployment, all shapes together; 0 = no bound.
  std::vector<label_rule> required{};      ///< All hold, or the node does not fit.
  std::vector<label_rule> preferred{};     ///< Nodes for which more of them hold come first, whatever the strategy.
  friend bool operator==(const placement_request&, const placement_request&) = default;
};

/// Why a node doesn't fit. The first that applies counts, in this order: what no waiting changes comes first.
enum class misfit : std::uint8_t {
  labels,    ///< A required rule does not hold.
  too_small, ///< It has too little of a resource even when empty.
  cordoned,
  draining,
  suspect,
  per_node, ///< `max_replicas_per_node` of the deployment are on it.
  lacks     ///< Too little of a resource is free.
};

struct misfit_count {
  misfit why = misfit::labels;
  std::string resource; ///< Of `too_small` and `lacks`: the first by name.
  std::uint32_t nodes = 0;
  friend bool operator==(const misfit_count&, const misfit_count&) = default;
};

/// How many nodes fit, and why the others don't: each node counts once.
struct fit_report {
  std::uint32_t nodes = 0;
  std::uint32_t fitting = 0;
  std::vector<misfit_count> misfits; ///< In the order of `misfit`, then by resource; none of 0 nodes.

  /// Nodes are there, and none fits. Without any nodes nothing is known: they may yet join.
  bool none_fits() const { return nodes > 0 && fitting == 0; }
  friend bool operator==(const fit_report&, const fit_report&) = default;
};

/// "0 of 5 nodes fit: 2 cordoned, 3 lack num_cpus"; "no node has joined".
std::string to_string(const fit_report& x);

} // namespace troupe::controller
