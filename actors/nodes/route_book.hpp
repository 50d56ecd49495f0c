// Where the replicas of each deployment are, for the routers in nodes' processes: who wants to know what, and what each
// is to be told next.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/routes.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::nodes {

/// Pure. Changes are gathered until `take`; a change costs as much as there are nodes that want to know it.
class route_book {
public:
  void set(deployment_routed about);
  void open(const deployment_name& name, const replica_route& where);
  void close(const deployment_name& name, std::uint64_t replica);
  void forget(const deployment_name& name); ///< It is deleted: requests are refused.

  /// The next message to this node has these whole.
  void watch(std::uint64_t node, const std::vector<deployment_name>& names);
  void forget_node(std::uint64_t node);

  bool has_news() const noexcept { return !changed_.empty() || !asked_.empty(); }
  /// What each node is to be told; nothing of it is told again. `peers`: by incarnation.
  std::map<std::uint64_t, replica_sets> take(const std::map<std::uint64_t, peer_address>& peers);

private:
  struct deployment {
    deployment_routed about;
    bool exists = false;
    std::map<std::uint64_t, replica_route> open;     ///< By replica.
    std::map<std::uint64_t, std::uint64_t> watchers; ///< By node: the epoch that it was told; 0 = none.
  };
  struct change {
    std::vector<replica_route> opened;
    std::vector<replica_route> closed;
  };

  replica_set set_of(const deployment_name& name, const deployment& d) const;

  std::map<deployment_name, deployment> deployments_;
  std::map<deployment_name, change> changed_;
  std::map<std::uint64_t, std::set<deployment_name>> asked_; ///< By node; whole.
  std::uint64_t epoch_ = 0;
};

} // namespace troupe::nodes
