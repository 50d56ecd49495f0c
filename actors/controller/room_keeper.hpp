// Who answers claims for room: on one machine (`placement`) or in a cluster (`cluster_room`).
#pragma once

#include <troupe/messages/control.hpp>

#include <cstdint>
#include <vector>

namespace troupe::controller {

/// What a deployment must be told: `room_granted`, to `to`.
struct grant {
  deployment_name to;
  room_granted what;
  friend bool operator==(const grant&, const grant&) = default;
};

/// Confined to its owner. First come, first served.
class room_keeper {
public:
  virtual ~room_keeper() = default;

  /// Ignored when an equal or higher `seq` of this deployment was seen (copied or reordered). Else what to tell: the
  /// claimer always, others where something changed for them.
  virtual std::vector<grant> claim(const claim_room& c) = 0;
  /// What the deployment had goes to `claim.from`, which holds no more than it wants, and waits for nothing: replicas
  /// that outlive their deployment's state actor. The deployment is forgotten.
  virtual std::vector<grant> hand_over(const deployment_name& name, const claim_room& claim) = 0;
  /// The deployment is gone with all it had, its count of claims included.
  virtual std::vector<grant> forget(const deployment_name& name) = 0;

  virtual bool knows(const deployment_name& name) const = 0;
  virtual std::uint32_t granted(const deployment_name& name) const = 0; ///< Replicas of all shapes.
  /// What there is and what is taken, the bound on replicas apart.
  virtual resource_report report() const = 0;
  /// Why a replica that asks for `each` can never run `where` it may; `resource` is empty when it can.
  virtual room_shortage never(const resources& each, const placement_options& where = {}) const = 0;

protected: // as a part of what is copied whole
  room_keeper() = default;
  room_keeper(const room_keeper&) = default;
  room_keeper(room_keeper&&) = default;
  room_keeper& operator=(const room_keeper&) = default;
  room_keeper& operator=(room_keeper&&) = default;
};

} // namespace troupe::controller
