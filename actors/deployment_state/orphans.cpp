// Replicas that outlive their state actor give back what they hold one by one.
#include <troupe/actors/deployment_state/orphans.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <string>
#include <utility>

namespace troupe::deployment_state {

namespace {

constexpr char mark = '#'; // in no deployment's name (SPEC 1.1)

/// Shared by all orphans of one state actor.
struct room_of_orphans {
  control::environment_ptr env;
  controller_actor controller;
  deployment_name name;
  std::uint32_t all = 0;
  std::atomic<std::uint32_t> left{0};

  // The later it is told, the higher the number of the claim: what arrives out of order is ignored.
  claim_room claim(std::uint32_t want) const { return {name, std::uint64_t{all} - want + 1, want}; }
  void one_less() { control::post(*env, nullptr, controller, claim(--left)); }
};

} // namespace

void leave_orphans(const control::environment_ptr& env, caf::local_actor* self, const deployment_name& name,
                   const controller_actor& controller, const std::shared_ptr<router>& calls,
                   std::vector<replica_entry> replicas) {
  if (replicas.empty())
    return;
  auto room = std::make_shared<room_of_orphans>();
  room->env = env;
  room->controller = controller;
  room->name = {name.application, name.name + mark + std::to_string(self->id())};
  for (const auto& r : replicas)
    room->all += r.actor && !r.given_up ? 1U : 0U;
  room->left = room->all;
  if (controller && room->all > 0)
    control::post(*env, self, controller, room->claim(room->all));
  for (auto& r : replicas) {
    if (!r.actor)
      continue;
    const bool holds_room = controller && !r.given_up;
    caf::actor_cast<caf::abstract_actor*>(r.actor)->attach_functor([calls, place = r.place, room, holds_room] {
      calls->release(*place);
      if (holds_room)
        room->one_less();
    });
    caf::anon_send_exit(r.actor, caf::exit_reason::kill);
  }
}

std::optional<deployment_name> deployment_of_orphans(const deployment_name& claimer) {
  const auto at = claimer.name.find(mark);
  if (at == std::string::npos)
    return std::nullopt;
  return deployment_name{claimer.application, claimer.name.substr(0, at)};
}

} // namespace troupe::deployment_state
