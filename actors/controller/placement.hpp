// Shares room among deployments: how many replicas there may be (`max_replicas`), and what a machine has of resources.
#pragma once

#include <troupe/actors/controller/room_keeper.hpp>

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace troupe::controller {

/// Pure. What is granted never exceeds what there is, of no resource. First come, first served: a claim that is not
/// satisfied keeps its place until it is, or wants no more than it has. Room that becomes free goes to the oldest of
/// these, as much as it lacks; what is too little for its next replica is set aside for that one, and the next in line
/// get what is left. So a large replica is not overtaken for ever by small ones, and one that lacks a GPU keeps nobody
/// from what it doesn't need.
///
/// 8 CPUs: A holds 6 of 1 each. B wants 2 of 4 each -> none, the 2 that are free are set aside. C wants 1 of 1 -> none;
/// D wants 3 that ask for nothing -> 3. A gives 2 back -> B has one (4), and waits for another.
///
/// What a deployment gives back while a wave of it waits to start (`reserve`) is kept for that (SPEC 1.3: room freed by
/// a wave's outgoing replica belongs to that wave). 4 CPUs, all with A as 4 of 1 each; it turns to replicas of 2, two
/// in a wave: gives 1 back -> nothing for the others, gives another back -> has one of 2. When the wave has ended, what
/// is left is free.
///
/// What can never fit (it asks for more than there is) waits without being in anybody's way.
///
/// An event costs O(claims that wait), whatever the number of replicas. There is one node today; a cluster adds nodes
/// to `total_` and `free_`, and the node to a grant.
class placement final : public room_keeper {
public:
  static constexpr std::string_view slots = "max_replicas"; ///< The bound on replicas, as a resource: each takes one.

  /// `max_replicas`: 0 = no bound. `local`: what this machine has; resources that it doesn't name are none.
  explicit placement(std::uint32_t max_replicas = 0, resources local = {});

  std::vector<grant> claim(const claim_room& c) override;
  std::vector<grant> hand_over(const deployment_name& name, const claim_room& claim) override;
  std::vector<grant> forget(const deployment_name& name) override;

  bool knows(const deployment_name& name) const override { return accounts_.count(name) > 0; }
  std::uint32_t granted(const deployment_name& name) const override;
  resource_report report() const override;
  room_shortage never(const resources& each, const placement_options& where = {}) const override;

private:
  struct holding {
    resources each;
    resources cost; ///< `each`, and a slot where these are bounded.
    std::uint32_t want = 0;
    std::uint32_t granted = 0;
    placement_options where; ///< Tells shapes apart; there is one node.
  };
  struct account {
    std::uint64_t seq = 0;
    std::vector<holding> shapes; ///< The most urgent first.
    std::uint32_t reserve = 0;
    resources own;           ///< Given back, kept for `reserve` of the first shape.
    std::uint64_t place = 0; ///< In `waiting_`; 0 = it has what it wants.
    room_granted told;
  };

  resources cost_of(const resources& each) const;
  /// Nothing when it can never fit: that waits for nothing.
  const holding* next_wanted(const account& a) const;
  bool can_fit(const holding& h) const { return fits(h.cost, total_); }
  void serve(account& a, resources& available) const;
  void settle(account& a);
  void hand_out(std::vector<grant>& out);
  void tell(const deployment_name& name, account& a, const resources& available, std::vector<grant>& out);
  void leave_queue(account& a);

  resources total_;
  resources free_;
  std::uint64_t places_ = 0;
  std::map<deployment_name, account> accounts_;
  std::map<std::uint64_t, deployment_name> waiting_; ///< Claims that lack room, oldest first.
};

} // namespace troupe::controller
