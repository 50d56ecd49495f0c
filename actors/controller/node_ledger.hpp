// Where replicas go: what each node of a cluster has, what of it is taken, and which node is next for a deployment.
#pragma once

#include <troupe/actors/controller/node_fit.hpp>
#include <troupe/actors/controller/node_index.hpp>
#include <troupe/actors/controller/placement_request.hpp>
#include <troupe/messages/control.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::controller {

/// One deployment's replicas of one shape. Never used again.
using demand_id = std::uint64_t;

struct joining_node {
  node_id id = 0;
  std::string name;
  node_labels labels; ///< Do not change while it is there.
  resources total;    ///< What it doesn't name, it has none of.
  node_state state = node_state::ready;
};

/// Replicas that were on a node, or are.
struct placed_replicas {
  deployment_name of;
  demand_id demand = 0;
  std::uint32_t count = 0;
  friend bool operator==(const placed_replicas&, const placed_replicas&) = default;
};

/// Pure, confined to its owner. It answers *where*; who is served, and how many, is `placement`'s.
///
/// What is placed on a node and set aside there never exceeds what the node has, of no resource.
///
/// The order of nodes that fit, the first difference decides:
///   spread  1. most preferred labels  2. fewest replicas of the deployment  3. largest free share
///           4. fewest replicas of all  5. least id
///   pack    1. most preferred labels  2. smallest free share  3. most replicas of all  4. least id
/// The *free share* of a node is that of the scarcest resource which the replica asks for: the least of
/// floor(free * 10^9 / total) over these, before it is placed; 10^9 when it asks for nothing. 8 CPUs, 2 free, and
/// 64 GiB, 32 free: for 1 CPU and 1 GiB it is 250,000,000. (Of a total above 2^34, the lowest bits of both are left
/// out.) Replicas of all decide between nodes where nothing is asked for, so that not all go to the first node.
///
/// How it is indexed. Shapes that are equal are one, with one `node_index` of all nodes, full ones last. It knows
/// nothing of deployments. One that is on few nodes (at most `few_nodes`, and a quarter of all) compares what this
/// index says of these with the best of the others. One that is on more has an index of its own, until it is closed.
/// Packed without a bound per node, how many are where does not matter: it never needs one.
///
/// A change of a node costs O(1): the node becomes the newest of a list. Whoever asks takes in what is newer than what
/// it saw: O(R + log nodes) for each *node* that changed since, however often, and at most O(R x nodes) in all, which
/// is the worst case of `place` and `explain`: the first of a demand's own index, or after a long silence. Who asks
/// again after each change pays for one node, who never asks pays nothing. Costs below are without that; R: resources
/// in a request. Full nodes lose in the index, whatever their number: they are not met until they change.
class node_ledger {
public:
  static constexpr std::uint32_t few_nodes = 32;

  node_ledger() = default;
  node_ledger(const node_ledger&) = delete; // what is in it points to each other
  node_ledger& operator=(const node_ledger&) = delete;

  // -- nodes ---------------------------------------------------------------------------------------------------------

  /// False when the id is known already, or 0. Ids of removed nodes must not come again. O(shapes).
  bool add_node(const joining_node& x);
  /// False for an unknown node. O(1).
  bool set_state(node_id id, node_state state);
  /// It is lost or gone, and all that was on it. What that was, in the order of demands; nothing for an unknown node.
  /// O(shapes + demands that were on it).
  std::vector<placed_replicas> remove_node(node_id id);

  // -- demands -------------------------------------------------------------------------------------------------------

  /// `name` asks for replicas of this shape; the same again is the same demand. O(shapes); O(nodes) if the shape is
  /// new.
  demand_id open(const deployment_name& name, const placement_request& what);
  /// It asks for no more of them, for now or for ever: what only asking needs is freed. What is placed stays until it
  /// is given back; after that, and at once when nothing is, the demand is forgotten.
  void close(demand_id demand);
  /// Closes all demands of `name` and gives back what is placed of them. O(its nodes x its demands).
  void forget(const deployment_name& name);

  // -- replicas ------------------------------------------------------------------------------------------------------

  /// Takes room for one more; nothing when no node fits, or the demand is not open. O(R + log nodes), and with few
  /// nodes O(few_nodes x (R + log nodes)). The first time that it is on more than these, O(nodes).
  std::optional<node_id> place(demand_id demand);
  /// Takes room for one that is there already (a controller that comes back finds it). Only room counts: neither the
  /// node's state nor labels nor the bound per node. False when it doesn't fit. O(R).
  bool adopt(demand_id demand, node_id id);
  /// One of the demand's on this node is gone. False when none is there: said twice, or the node went before. O(R).
  bool give_back(demand_id demand, node_id id);

  // -- room that is held back ----------------------------------------------------------------------------------------

  /// So much of what is free on the node is free for nobody. It counts neither as used nor as a replica. False when
  /// less is free, or the node is not known. Where it is removed, so is this. O(R).
  bool set_aside(node_id id, const resources& what);
  /// So much of that is free again; at most what was set aside. O(R).
  void take_back(node_id id, const resources& what);

  // -- questions -----------------------------------------------------------------------------------------------------

  /// What is known of a node; null for an unknown one. Until the next node is added or removed. O(1).
  const node_room* room_of(node_id id) const;

  /// Whether only what is free may lack there: labels and size do, and the bound per node (unless `at_bound_too`);
  /// states are not looked at. O(1).
  bool could_hold(demand_id demand, node_id id, bool at_bound_too = false) const;

  /// Where one more of the demand could go, and why not elsewhere. O(R), and with few nodes and a bound
  /// per node O(few_nodes).
  fit_report explain(demand_id demand);
  /// Likewise, were all nodes empty and ready: where it `none_fits()`, waiting is in vain until other nodes join. O(R).
  fit_report never(demand_id demand) const;

  std::uint32_t placed(demand_id demand) const; ///< 0 for one that is not known. O(log demands), as all that follows.
  std::uint32_t placed(const deployment_name& name, node_id id) const; ///< All its shapes.
  std::vector<placed_replicas> placed_on(node_id id) const;            ///< O(demands on it).
  std::size_t shapes() const { return shapes_.size(); }
  std::uint64_t looks() const { return looks_; } ///< At single nodes, to answer all questions so far: what work it was.
  /// What nodes have and what is taken, by id. O(nodes log nodes): for people.
  resource_report report() const;

private:
  using slot = std::uint32_t;
  static constexpr slot no_slot = node_index::none;

  struct node {
    node_room room; ///< Its id is 0 where nobody is in this slot.
    std::string name;
    resources aside; ///< Not in `room.free`.
    std::map<demand_id, std::uint32_t> on;
    std::uint64_t changed = 0; ///< When, in `changes_`.
    slot newer = no_slot;      ///< Neighbours in the list of changes.
    slot older = no_slot;
  };
  using shape_id = std::uint64_t;
  struct shape {
    shape_id id = 0;
    placement_request what;
    std::vector<lasting_fit> nodes;       ///< By slot.
    std::vector<std::uint32_t> could_fit; ///< Nodes by lasting reason.
    node_index index;
    std::uint32_t demands = 0;
    std::uint32_t open = 0;
  };
  struct deployment {
    deployment_name name;
    std::unordered_map<slot, std::uint32_t> held; ///< Replicas by node. Its order decides nothing.
    std::vector<demand_id> demands;
  };
  struct demand_state {
    deployment* of = nullptr;
    shape* what = nullptr;
    bool open = true;
    std::uint32_t placed = 0;
    std::unique_ptr<node_index> own;
  };
  slot slot_of(node_id id) const;
  void touch(slot at);
  shape& shape_for(const placement_request& what);
  void consider(shape& s, slot at) const;
  void catch_up(node_index& index, const shape& s, const deployment* of);
  /// Takes in what is new, and says by what index the demand is answered: its own, or its shape's.
  node_index& index_of(demand_state& d);
  slot best_for(demand_state& d);
  void book(demand_id id, demand_state& d, slot at);
  void unbook(demand_id id, demand_state& d, slot at, std::uint32_t count);
  void drop_if_unused(demand_id id);

  std::vector<node> nodes_; // by slot
  std::vector<slot> vacant_;
  std::unordered_map<node_id, slot> slots_;
  std::uint64_t changes_ = 0;
  slot newest_ = no_slot;
  std::map<shape_id, shape> shapes_;
  shape_id last_shape_ = 0;
  std::map<deployment_name, deployment> deployments_;
  std::map<demand_id, demand_state> demands_;
  demand_id last_demand_ = 0;
  std::uint64_t looks_ = 0;
  std::vector<slot> changed_; // of one `catch_up`; kept for its memory
};

} // namespace troupe::controller
