// Replicas that outlive their state actor give back what they hold one by one.
#include <troupe/actors/deployment_state/orphans.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <mutex>
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
  std::mutex guard; // over what follows
  std::uint64_t seq = 1;
  std::vector<shape_claim> left;

  // What arrives out of order is ignored: of two claims the later one has the higher number.
  claim_room claim() { return {name, seq++, left, 0}; }
  auto find(const shape_claim& what) {
    return std::find_if(left.begin(), left.end(),
                        [&](const shape_claim& s) { return s.each == what.each && s.where == what.where; });
  }
  void one_more(const shape_claim& what) {
    const auto it = find(what);
    ++(it != left.end() ? *it : left.emplace_back(what)).want;
  }
  void one_less(const shape_claim& what) {
    claim_room now;
    {
      const std::lock_guard one{guard};
      const auto it = find(what);
      --it->want;
      if (it->want == 0)
        left.erase(it);
      now = claim();
    }
    control::post(*env, nullptr, controller, std::move(now));
  }
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
    if (r.actor && !r.given_up)
      room->one_more({r.holds, 0, r.where});
  if (controller && !room->left.empty())
    control::post(*env, self, controller, room->claim());
  for (auto& r : replicas) {
    if (!r.actor)
      continue;
    const bool holds_room = controller && !r.given_up;
    caf::actor_cast<caf::abstract_actor*>(r.actor)->attach_functor(
        [calls, place = r.place, room, holds_room, what = shape_claim{r.holds, 0, r.where}] {
          calls->release(*place);
          if (holds_room)
            room->one_less(what);
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
