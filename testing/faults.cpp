// Copies and delays control messages; slows down and fails user code.
#include <troupe/messages/node.hpp>
#include <troupe/testing/faults.hpp>

#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace troupe::testing {

void message_faults::post(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest,
                          caf::message content) {
  if (!content.match_elements<check_replica>() && !content.match_elements<replica_checked>() &&
      !content.match_elements<node_word>())
    ++sent_;
  const auto now = system_.clock().now().time_since_epoch();
  trace_.mix(dest->id());
  if (loses && loses(content)) {
    trace_.line(now, [&] { return "lost: " + to_string(content); });
    return;
  }
  const bool spoils = !may_spoil || may_spoil(content);
  const bool copied = spoils && chance_.per_mille(plan_.copied_messages);
  const bool delayed = spoils && chance_.per_mille(plan_.delayed_messages);
  trace_.line(now, [&] {
    return "message to " + std::to_string(dest->id()) + ": " + to_string(content) + (copied ? ", twice" : "") +
           (delayed ? ", late" : "");
  });
  if (copied)
    deliver_late(sender, dest, content);
  if (delayed)
    deliver_late(sender, dest, content);
  else
    control::deliver(sender, dest, std::move(content), nullptr);
}

void message_faults::deliver_late(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest,
                                  const caf::message& content) {
  const auto when = system_.clock().now() + milliseconds{1} + chance_.up_to(plan_.longest_delay - milliseconds{1});
  system_.clock().schedule_message(
      when, dest, caf::make_mailbox_element(sender, caf::make_message_id(caf::message_priority::high), {}, content));
}

control::user_code_hook::answer code_faults::before(control::user_code_kind kind, const replica_ref& replica,
                                                    const std::string& deployment) {
  if (on_run)
    on_run(kind, replica, deployment);
  answer a;
  auto& asked = of(kind);
  a.takes = asked.takes;
  if (asked.failures > 0) {
    --asked.failures;
    a.throws = asked.message;
    return a;
  }
  const auto failing = kind == control::user_code_kind::constructor   ? plan_.failing_starts
                       : kind == control::user_code_kind::reconfigure ? plan_.failing_reconfigures
                       : kind == control::user_code_kind::check       ? plan_.failing_checks
                                                                      : 0U;
  if (chance_.per_mille(plan_.slow_user_code))
    a.takes += chance_.up_to(plan_.slowest);
  if (chance_.per_mille(failing))
    a.throws = "simulated failure of a " + to_string(kind);
  return a;
}

void code_faults::fail(control::user_code_kind kind, std::string message, std::uint32_t count) {
  of(kind).message = std::move(message);
  of(kind).failures = count;
}

void code_faults::slow(control::user_code_kind kind, milliseconds takes) { of(kind).takes = takes; }

} // namespace troupe::testing
