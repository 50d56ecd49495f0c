#include <troupe/actors/replica/far_replica.hpp>
#include <troupe/actors/replica/port_calls.hpp>
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>
#include <utility>

namespace troupe::replica {

/// Behind the answers that came before the port's end. Local.
struct far_port_gone {};

} // namespace troupe::replica

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::replica::far_port_gone)

namespace troupe::replica {

namespace {

using far_api = far_replica_actor::extend<takes<wake_replica>, takes<far_port_gone>>;

class far_shell final : public far_api::base {
public:
  using super = far_api::base;

  far_shell(caf::actor_config& cfg, far_boot&& b)
      : super(cfg), calls_(std::move(b.calls)), cell_(b.where), port_(std::move(b.port)), on_end_(std::move(b.on_end)),
        sent_(calls_, *cell_) {
    set_default_handler(caf::drop);
    set_down_handler([this](const caf::down_msg&) { caf::anon_send(caf::actor_cast<far_api>(this), far_port_gone{}); });
  }

  const char* name() const override { return "troupe.far_replica"; }

  void on_exit() override {
    sent_.abandon(true);
    calls_->release(*cell_);
    sent_.forget();
    calls_.reset();
    cell_ = nullptr;
    on_end_(is_closed_);
    on_end_ = nullptr;
  }

protected:
  behavior_type make_behavior() override {
    const enter_scope scope{{nullptr, nullptr, context()}};
    monitor(port_);
    sent_.open(std::exchange(port_, nullptr), caf::actor_cast<port_caller_actor>(this));
    cell_->actor = caf::actor_cast<caf::strong_actor_ptr>(this);
    calls_->open(*cell_);
    return {
        [this](worker_answers& x) {
          const enter_scope own{{nullptr, nullptr, context()}};
          sent_.answered(x, [](std::string text) { return text; });
          look_whether_done();
        },
        [this](const calls_refused& x) {
          const enter_scope own{{nullptr, nullptr, context()}};
          sent_.refused(x);
          look_whether_done();
        },
        [this](port_has_room) {
          const enter_scope own{{nullptr, nullptr, context()}};
          sent_.on_room(context());
        },
        [this](close_far_replica) {
          is_closed_ = true;
          calls_->close(*cell_);
          look_whether_done();
        },
        [this](wake_replica) {
          const enter_scope own{{nullptr, nullptr, context()}};
          if (sent_.send(context()))
            enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wake_replica{}), context());
        },
        [this](far_port_gone) { quit(); },
    };
  }

private:
  void look_whether_done() {
    if (is_closed_ && cell_->begun() == 0)
      quit();
  }

  std::shared_ptr<router> calls_;
  cell* cell_;
  replica_port_actor port_; ///< Until it is open.
  std::function<void(bool)> on_end_;
  port_calls sent_;
  bool is_closed_ = false;
};

} // namespace

far_replica_actor spawn_far_replica(const std::shared_ptr<const control::environment>& env, far_boot b) {
  caf::actor_config cfg;
  return env->system.spawn_class<far_shell, caf::no_spawn_options>(cfg, std::move(b));
}

} // namespace troupe::replica
