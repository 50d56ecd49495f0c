// Shares the room of a cluster among deployments: seats on nodes, and which replica is on which.
#pragma once

#include <troupe/actors/controller/node_ledger.hpp>
#include <troupe/actors/controller/room_keeper.hpp>
#include <troupe/actors/controller/seat_table.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::controller {

/// The replica that has this place is to run on this node.
struct seated {
  std::uint64_t place = 0;
  node_id node = 0;
  friend bool operator==(const seated&, const seated&) = default;
};

/// Deliberately wrong variants of single rules; the tests prove with them that they would notice.
enum class wrong_seat : std::uint8_t {
  none,
  sets_nothing_aside, ///< Large replicas are overtaken.
  tells_all_seats,    ///< Also those beyond what is wanted.
  keeps_lost,         ///< A place on a node that is gone stays seated.
  keeps_closed,       ///< Unoccupied seats stay on nodes that take no new replicas.
  ignores_labels,     ///< Nodes that lack a required label are as good as others.
  ignores_bound,      ///< `max_replicas_per_node` does not count.
};

/// Pure, confined to its owner; the counterpart of `placement` for many nodes. What is granted is backed by *seats*:
/// room for one replica of one shape (what it asks for, and on which nodes) on one node, taken from a `node_ledger`. A
/// replica *occupies* a seat from `take_seat` until `leave_seat`; it is named by its *place*, a number that is never
/// used again.
///
///            claim, a node has room (1)          take_seat (2)
///   no seat ---------------------------> free ------------------> occupied
///     ^ ^                                | ^                         |
///     | '----- lower want (3) -----------' '---- leave_seat (4) -----|
///     '------ leave_seat beyond want, node gone, forgotten (5) ------'
///
/// (1) on the node that the ledger finds best; never on one that is not ready, lacks a required label, or has
///     `max_replicas_per_node` seats of the deployment, of all its shapes, occupied or not
/// (2) a free one of its shape, moved to the node that is best by now. Who finds none waits, first come, first served
///     for each deployment and shape
/// (3) where it has the most (packed: the fewest); also when the node takes no new replicas any more
/// (4) and the first who waits for one takes it; while a wave waits to start, what other shapes leave is kept for it
/// (5) what is occupied is never taken away from a replica: a lower want gets it back when the replica has left
///
/// Invariants:
/// * Replicas and what is held back together never exceed what a node has, of no resource.
/// * What is told as granted is the lesser of want and seats. More seats than wanted are all occupied, and unoccupied
///   ones are on ready nodes.
/// * Who waits for a seat waits for one that isn't there; a place has one seat at most.
/// * A claim that is not satisfied keeps its place in the queue until it is. Room goes to the oldest of these first.
///   For its next replica, what is free on *one* ready node that is large enough and has the labels is set aside, up to
///   what it asks for: younger claims cannot use that. Nothing is, while that node is at the bound per node. It stays
///   this node as long as it may have the replica; first it is the one where the fewest of its deployment's replicas of
///   other shapes would have to go; where that doesn't suffice, or nothing need go, one below the bound, with the
///   largest free share of the scarcest resource, the least id of equal ones. A deployment with replicas of other
///   shapes, or with a bound, chooses anew with each claim and when a replica comes or goes, but not while a wave of it
///   waits to start.
/// * What a deployment gives back, it gives back on the chosen node first.
/// * What a deployment gives back while a wave of it waits to start (`reserve`) is kept where it was given back, for
///   the claim's first shape, at most what that lacks, and only on nodes that could hold it.
/// * A claim is answered at once, but where it lacks room while more replicas have a place, or wait for one, than it
///   wants: some have ended, or it would want them still. Then it is answered when these have left.
///
/// Nodes 1 and 2 with 4 CPUs each. A claims 6 of 1 each -> 3 seats on each. B claims 1 of 2 -> fits nowhere; 1 CPU is
/// set aside on node 1. C claims 2 of 1 -> one, on node 2. A gives 1 back, on node 2 (3 and 3 seats: the larger id) ->
/// C has it: B lacks one there as well. A gives another back, on node 1 -> B has 2 there.
///
/// Adoption. A node may join in state `suspect` and bring replicas that nobody owns (`bring`). While it does, seats
/// there are for claims that lack room and are by deployment and amounts what it has brought; a replica that takes a
/// seat comes to one of its kind, if there is one. While nodes are expected back (`await_nodes`) nothing is placed
/// elsewhere, and claims that lack room are not answered.
///
/// `max_replicas` bounds the seats of the whole cluster: one more resource, of no node. Each seat takes one.
///
/// R: resources in a request; W: claims that wait. An event costs O(W x shapes x (R + log nodes)), O(R + log nodes) for
/// each seat that is granted, given back or lost, and O(nodes) where a claim that waits looks for its node: when it
/// begins to wait, when nodes come, go or change state, and when it chooses anew. Nothing scans replicas.
class cluster_room final : public room_keeper {
public:
  static constexpr std::string_view slots = "max_replicas"; ///< The bound on replicas, as a resource: each takes one.
  static constexpr std::string_view any_node = "node";      ///< What lacks when no node is ready that could hold one.

  /// `max_replicas`: 0 = no bound.
  explicit cluster_room(std::uint32_t max_replicas = 0, wrong_seat wrong = wrong_seat::none)
      : max_replicas_(max_replicas), free_slots_(max_replicas), wrong_(wrong) {}

  // What these return is to be told; where somebody may have come to a seat, `take_seated` says who.

  // -- nodes ---------------------------------------------------------------------------------------------------------

  /// Changes nothing when the id is known already, or 0. Ids of removed nodes must not come again.
  std::vector<grant> add_node(const joining_node& x);
  std::vector<grant> set_state(node_id id, node_state state);
  /// All seats on it are gone, the places of those who occupied them forgotten. What was wanted there is placed on
  /// other nodes where it can be, behind those that wait already.
  std::vector<grant> remove_node(node_id id);

  /// What the node, known and not ready yet, has of which nobody owns it. Forgotten with its next state.
  std::vector<grant> bring(node_id id, const std::vector<replica_kind>& kinds);
  std::vector<grant> await_nodes(bool on);
  /// How many of those have been adopted there, once no seat for more of them is open. Nothing where it has brought
  /// none.
  std::optional<std::uint32_t> adoption_over(node_id id) const;

  // -- claims --------------------------------------------------------------------------------------------------------

  std::vector<grant> claim(const claim_room& c) override;
  /// Replicas keep their seats; those that waited for one are forgotten.
  std::vector<grant> hand_over(const deployment_name& name, const claim_room& claim) override;
  /// Its places are forgotten with it.
  std::vector<grant> forget(const deployment_name& name) override;

  bool knows(const deployment_name& name) const override { return accounts_.count(name) > 0; }
  std::uint32_t granted(const deployment_name& name) const override;
  /// What is held back is not used.
  resource_report report() const override { return ledger_.report(); }
  /// Nothing while there are no nodes: they may yet join.
  /// With required labels only of nodes that have these, and nothing while none has: one may yet join.
  room_shortage never(const resources& each, const placement_options& where = {}) const override;

  // -- seats ---------------------------------------------------------------------------------------------------------

  /// A replica starts. It may come before the claim. Changes nothing when the place is known.
  std::vector<grant> take_seat(const replica_kind& kind, std::uint64_t place);
  /// Likewise, of a replica of this shape (its `want` is not looked at) that no other is like.
  std::vector<grant> take_seat(const deployment_name& name, const shape_claim& what, std::uint64_t place) {
    return take_seat({name, what.each, what.where, 0}, place);
  }
  /// It is gone, or waits no longer. Harmless for a place that is not known.
  std::vector<grant> leave_seat(std::uint64_t place);
  /// Nothing while it waits, and for a place that is not known.
  std::optional<node_id> node_of(std::uint64_t place) const;
  /// Who came to a seat since the last call, in this order. Some may have left it again.
  std::vector<seated> take_seated() { return std::exchange(seated_, {}); }

  // -- for tests -----------------------------------------------------------------------------------------------------

  std::uint32_t seats(const deployment_name& name) const; ///< Also those beyond what is wanted.
  std::uint32_t seats_on(const deployment_name& name, node_id id) const { return ledger_.placed(name, id); }
  /// What is free on a node and yet not for everyone.
  resources held_back_on(node_id id) const;
  std::vector<deployment_name> waiting() const; ///< Claims that lack room, the oldest first.

private:
  struct shape {
    std::uint32_t number = 0; ///< In the table of seats.
    resources each;
    placement_options where;
    demand_id demand = 0;
    std::uint32_t want = 0;
    room_shortage never;                            ///< Of both,
    std::uint64_t judged = 0;                       ///< at this version of nodes.
    std::map<std::uint64_t, std::uint64_t> waiters; ///< Places without a seat, by the order in which they came.
  };
  struct account {
    deployment_name name;
    deployment_name placed_as; ///< In the ledger: what replicas outlive keeps the name of who began them.
    bool is_leftover = false;  ///< Handed over: it waits for nothing.
    std::uint64_t seq = 0;
    std::vector<std::unique_ptr<shape>> shapes;
    std::vector<shape*> listed; ///< Those of the claim, the most urgent first.
    std::uint32_t last_number = 0;
    seat_table seats;
    std::uint32_t reserve = 0;
    std::map<node_id, resources> own; ///< Given back, kept for `reserve` of the first shape.
    std::uint32_t own_slots = 0;
    std::uint64_t turn = 0;             ///< In `waiting_`; 0 = it has what it wants.
    node_id chosen = 0;                 ///< The node that it waits for.
    std::uint64_t chose = 0;            ///< The version of nodes at which it was looked for,
    std::uint32_t chose_for_number = 0; ///< and for which shape.
    const shape* chosen_for = nullptr;
    resources aside;       ///< Held back there.
    bool has_slot = false; ///< For its next replica, where slots are bounded.
    room_granted told;
  };
  struct node {
    std::string name;
    resources total;
    node_state state = node_state::ready;
    node_labels labels;
  };
  struct place_record {
    account* of = nullptr;
    shape* in = nullptr;
    node_id node = 0;         ///< 0 = it waits.
    std::uint64_t ticket = 0; ///< Among the waiters.
    std::uint64_t code = 0;   ///< `replica_kind::code`
  };
  struct brought {
    replica_kind kind;
    std::uint32_t left = 0; ///< Not adopted.
  };
  struct bringing {
    std::vector<brought> kinds;
    std::uint32_t adopted = 0;
  };

  account& account_of(const deployment_name& name);
  shape& shape_of(account& a, const shape_claim& what);
  void drop_unused(account& a);
  bool is_open(node_id id) const;
  bool may_hold(const shape& s, node_id id) const; ///< If replicas left; labels and size do not change.
  shape* next_wanted(const account& a) const;

  void open(const account& a, shape& s);
  std::optional<node_id> place(account& a, shape& s);
  std::optional<node_id> adopt(account& a, shape& s);
  std::optional<node_id> adopted_seat(const account& a, const shape& s, std::uint64_t code);
  void add_seat(account& a, const shape& s, node_id on);
  void give_back(account& a, shape& s, node_id on);
  void give_back_surplus(account& a, shape& s);
  void sit(account& a, shape& s, std::uint64_t place, place_record& r);
  void seat_waiters(account& a, shape& s);
  void queue_or_leave(account& a);

  std::vector<grant> hand_out(account* first = nullptr);
  void serve(account& a, std::uint32_t& open_slots);
  void open_own(account& a);
  void keep_own(account& a);
  void free_own(account& a);
  void choose(account& a, const shape& s);
  void choose_anew(account& a);
  std::uint32_t departures_for(const account& a, const shape& s, node_id on) const;
  std::uint32_t beyond_bound(const account& a, const shape& s, node_id on) const;
  void set_aside(account& a, const shape& s);
  void release_aside(account& a);
  bool is_answer_due(const account& a) const;
  static bool awaits_answer(const account& a) { return a.turn != 0 && a.told.serial == 0; }
  void tell(account& a, std::vector<grant>& out);

  const std::uint32_t max_replicas_;
  std::uint32_t free_slots_; ///< Meaningful where these are bounded.
  const wrong_seat wrong_;
  node_ledger ledger_;
  std::map<node_id, node> nodes_;
  std::uint64_t version_ = 1; ///< Of the nodes and their states.
  std::map<deployment_name, account> accounts_;
  std::map<node_id, bringing> bringing_;
  bool awaits_nodes_ = false;
  std::uint64_t turns_ = 0;
  std::map<std::uint64_t, account*> waiting_; ///< Claims that lack room, oldest first.
  std::unordered_map<std::uint64_t, place_record> places_;
  std::uint64_t tickets_ = 0;
  std::vector<seated> seated_;
  bool has_freed_ = false; ///< In this round: what was kept for a wave, or a seat that moved.
};

} // namespace troupe::controller
