// The one function through which shells send control messages; the simulation copies, delays and swaps them here.
#pragma once

#include <troupe/actors/control/environment.hpp>

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/response_type.hpp>

#include <chrono>
#include <type_traits>
#include <utility>

namespace troupe::control {

/// The simulation's seam on control messages. Confined to the simulation's thread.
class interceptor {
public:
  virtual ~interceptor();
  /// Takes the place of the send: delivers `content` now or later, once or more. `sender` may be null. To deliver:
  /// `deliver(sender, dest, content, nullptr)`.
  virtual void post(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest, caf::message content) = 0;
};

/// Puts `content` in the mailbox of `dest` with high priority: control messages overtake requests.
void deliver(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest, caf::message content,
             caf::execution_unit* unit);

/// Untyped form of `post`; a null `dest` is ignored. `unit` is that of the running actor, null on a plain thread.
void post_message(const environment& env, const caf::strong_actor_ptr& sender, caf::execution_unit* unit,
                  const caf::strong_actor_ptr& dest, caf::message content);

/// Sends one command or fact to `dest`, whose interface must have it. One way; overtakes requests in the mailbox.
/// `self` is the sending actor, called from its own context; null from a plain thread.
template <class Handle, class Message>
void post(const environment& env, caf::local_actor* self, const Handle& dest, Message msg) {
  using accepted = caf::response_type_unbox<caf::signatures_of_t<Handle>, caf::detail::type_list<Message>>;
  static_assert(accepted::valid, "the receiver's interface does not have this message");
  auto sender = self ? caf::strong_actor_ptr{self->ctrl()} : nullptr;
  auto* unit = self ? self->context() : nullptr;
  if (env.interceptor) {
    post_message(env, sender, unit, caf::actor_cast<caf::strong_actor_ptr>(dest), caf::make_message(std::move(msg)));
  } else if (auto* to = caf::actor_cast<caf::abstract_actor*>(dest)) { // message and element in one allocation
    to->enqueue(caf::make_mailbox_element(std::move(sender), caf::make_message_id(caf::message_priority::high), {},
                                          std::move(msg)),
                unit);
  }
}

/// `msg` to `self` itself after `delay` of the system's clock (0: at once, after what its mailbox holds). It cannot be
/// cancelled and keeps the actor from being collected until it is due: give it an epoch, and end actors explicitly.
template <class Message>
void post_to_self_after(caf::local_actor* self, std::chrono::nanoseconds delay, Message msg) {
  auto element = caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(msg));
  if (delay <= std::chrono::nanoseconds{0})
    self->enqueue(std::move(element), self->context());
  else
    self->clock().schedule_message(self->clock().now() + delay, self->ctrl(), std::move(element));
}

/// The epochs of one kind of tick: only the tick that was armed last is current (CAF 0.17 cannot cancel a delayed
/// message). A value; confined to its actor.
class tick_epoch {
public:
  std::uint64_t arm() noexcept {
    armed_ = true;
    return ++epoch_;
  } ///< For the next tick; former ones become stale.
  void disarm() noexcept { armed_ = false; }
  bool armed() const noexcept { return armed_; }
  /// Whether the tick with this epoch is the current one; then it is disarmed.
  bool take(std::uint64_t epoch) noexcept {
    if (!armed_ || epoch != epoch_)
      return false;
    armed_ = false;
    return true;
  }

private:
  std::uint64_t epoch_ = 0;
  bool armed_ = false;
};

} // namespace troupe::control
