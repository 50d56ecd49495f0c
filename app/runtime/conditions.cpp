// Predicates on a status.
#include <troupe/app/runtime/conditions.hpp>

namespace troupe {

bool is_healthy(const deployment_status& x) { return !x.deleting && x.state == deployment_state_name::healthy; }

bool has_failed(const deployment_status& x) {
  return !x.deleting && x.state == deployment_state_name::deploy_failed &&
         (x.rollout.phase == rollout_phase::failed || x.rollout.phase == rollout_phase::complete);
}

bool is_settled(const deployment_status& x) {
  if (x.deleting || x.starting > 0 || x.reconfiguring > 0 || x.stopping > 0)
    return false;
  switch (x.rollout.phase) {
  case rollout_phase::paused:
  case rollout_phase::failed:
    return true;
  case rollout_phase::complete:
    return x.available + x.waiting_for_room >= x.num_replicas;
  case rollout_phase::rolling:
    return x.rollout.reason == rollout_reason::held_at_zero || x.rollout.reason == rollout_reason::waiting_for_room;
  case rollout_phase::baking:
    return false;
  }
  return false;
}

} // namespace troupe
