// What room means for a planned change: sentences for `plan`. Pure.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <cstdint>
#include <string>

namespace troupe::config {

/// How things stand when a plan is made. A value.
struct room_now {
  resources total;        ///< Of the machine.
  resources free;         ///< Of it, what nobody holds.
  std::uint32_t held = 0; ///< Replicas of the deployment that have room.
  bool at_rest = true;    ///< All of them are of its target; else nobody can say from here what a wave would free.
};

/// "; room for 5 of 10 in all, the others wait; no room for a surge now: outdated ones stop first", to be put behind
/// what `describe` says; empty where all replicas have room, or none needs any. `from` is null for a new deployment.
/// The bound on replicas (`max_replicas`) is not looked at.
std::string describe_room(const deployment_spec* from, const deployment_spec& to, change_kind change,
                          const room_now& now);

} // namespace troupe::config
