// Schedules its own ticks straight with the system's clock: arming takes no message.
#include <troupe/actors/router/maintenance.hpp>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace troupe {

namespace {

struct wheel_tick {};

} // namespace

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wheel_tick)

namespace troupe {

namespace {

class maintenance final : public caf::event_based_actor {
public:
  maintenance(caf::actor_config& cfg, std::weak_ptr<router> of, caf::execution_unit* unit)
      : event_based_actor(cfg), router_(std::move(of)), unit_(unit) {}

  using event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr ptr, caf::execution_unit* unit) override {
    event_based_actor::enqueue(std::move(ptr), unit_ ? unit_ : unit);
  }

  caf::behavior make_behavior() override {
    return {[this](wheel_tick) {
      if (auto of = router_.lock())
        of->expire();
    }};
  }

private:
  std::weak_ptr<router> router_;
  caf::execution_unit* unit_;
};

} // namespace

caf::actor spawn_maintenance(caf::actor_system& sys, const std::shared_ptr<router>& of, caf::execution_unit* unit) {
  caf::actor_config cfg{unit};
  auto self = sys.spawn_class<maintenance, caf::hidden>(cfg, std::weak_ptr<router>{of}, unit);
  of->set_timer([&sys, self = caf::actor_cast<caf::strong_actor_ptr>(self)](time_point when) {
    sys.clock().schedule_message(when, self,
                                 caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wheel_tick{}));
  });
  return self;
}

} // namespace troupe
