// An actor that drains a cell and answers n with 10 n, or keeps what it begins until told.
#pragma once

#include "router_fixture.hpp"
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>

#include <functional>

namespace troupe::router_test {

class fake_replica final : public caf::event_based_actor {
public:
  using handler = std::function<void(caf::event_based_actor*, const call_ptr&)>;

  fake_replica(caf::actor_config& cfg, cell* c, handler on_call)
      : event_based_actor(cfg), cell_(c), on_call_(std::move(on_call)) {}

  caf::behavior make_behavior() override {
    return {[this](wake_replica) {
      auto call = std::move(held_); // a call keeps its router alive, and with that the cell that is asked for the next
      for (int i = 0; i < 32; ++i) {
        call = cell_->next();
        if (!call)
          return;
        const enter_scope scope{{this, call.get(), context()}};
        on_call_(this, call);
      }
      held_ = std::move(call);
      send(this, wake_replica{});
    }};
  }

  /// Spawns one and opens its cell.
  static cell& start(caf::actor_system& sys, router& calls, handler on_call) {
    auto& c = calls.acquire({});
    c.actor = caf::actor_cast<caf::strong_actor_ptr>(sys.spawn<fake_replica>(&c, std::move(on_call)));
    calls.open(c);
    return c;
  }

private:
  cell* cell_;
  handler on_call_;
  call_ptr held_;
};

inline void answer_at_once(caf::event_based_actor*, const call_ptr& call) { answer(call); }

} // namespace troupe::router_test
