// Shares the runtime's room (`max_replicas`) among its deployments: first come, first served.
#pragma once

#include <troupe/messages/control.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace troupe::controller {

/// What a deployment must be told: `room_granted`, to `to`.
struct grant {
  deployment_name to;
  room_granted what;
  friend bool operator==(const grant& a, const grant& b) {
    return a.to == b.to && a.what.seq == b.what.seq && a.what.granted == b.what.granted;
  }
};

/// Pure. The sum of what is granted never exceeds `max`. A claim that is not satisfied keeps its place until it is, or
/// wants no more than it has; room that becomes free goes to the oldest of these, as much as it lacks, then to the
/// next.
///
/// max = 10: A wants 6 -> A has 6. B wants 6 -> B has 4, lacks 2. C wants 1 -> C has 0. A wants 3 -> B gets its 2, C
/// its 1.
class room_keeper {
public:
  /// 0 = no bound: every claim is granted whole.
  explicit room_keeper(std::uint32_t max = 0) : max_(max) {}

  /// Ignored when an equal or higher `seq` of this deployment was seen (copied or reordered). Else what to tell: the
  /// claimer always, others where room became free for them. O(log deployments), plus what is told.
  std::vector<grant> claim(const claim_room& c);
  /// What the deployment had goes to `claim.from`, which holds no more than it wants, and waits for nothing: replicas
  /// that outlive their deployment's state actor. The deployment is forgotten.
  std::vector<grant> hand_over(const deployment_name& name, const claim_room& claim);
  /// The deployment is gone with all it had, its count of claims included.
  std::vector<grant> forget(const deployment_name& name);

  bool knows(const deployment_name& name) const { return accounts_.count(name) > 0; }
  std::uint32_t granted(const deployment_name& name) const;
  std::uint64_t granted_in_all() const { return used_; }
  std::uint32_t max() const { return max_; }

private:
  struct account {
    std::uint64_t seq = 0;
    std::uint32_t want = 0;
    std::uint32_t granted = 0;
    std::uint64_t place = 0; ///< In `waiting_`; 0 = it has what it wants.
  };

  std::uint64_t free() const { return max_ - used_; }
  void fill(account& a);
  void leave_queue(account& a);
  void hand_out(std::vector<grant>& out);

  std::uint32_t max_;
  std::uint64_t used_ = 0;
  std::uint64_t places_ = 0;
  std::map<deployment_name, account> accounts_;
  std::map<std::uint64_t, deployment_name> waiting_; ///< Claims that lack room, oldest first.
};

} // namespace troupe::controller
