// How control messages are sent: by way of the interceptor where there is one.
#include <troupe/actors/control/post.hpp>

#include <caf/mailbox_element.hpp>

namespace troupe::control {

interceptor::~interceptor() = default;

void deliver(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest, caf::message content,
             caf::execution_unit* unit) {
  if (dest)
    dest->enqueue(sender, caf::make_message_id(caf::message_priority::high), std::move(content), unit);
}

void post_message(const environment& env, const caf::strong_actor_ptr& sender, caf::execution_unit* unit,
                  const caf::strong_actor_ptr& dest, caf::message content) {
  if (!dest)
    return;
  if (env.interceptor)
    env.interceptor->post(sender, dest, std::move(content));
  else
    deliver(sender, dest, std::move(content), unit);
}

} // namespace troupe::control
