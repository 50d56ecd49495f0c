// Wakes a replica that waits for its promises.
#include <troupe/actors/replica/promise_gate.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_system.hpp>
#include <caf/message.hpp>

#include <utility>

namespace troupe::replica {

promise_gate::promise_gate(std::shared_ptr<router> calls, cell& where, caf::actor_control_block* self)
    : calls_(std::move(calls)), where_(where), self_(self) {}

promise_gate::~promise_gate() = default;

// The replica sets the flag, then reads the count; a promise lowers the count, then reads the flag. All four are
// sequentially consistent, so at least one of the two sees the other's write, and the end of the last attempt is never
// missed. (No fences: ThreadSanitizer does not know them.)
void promise_gate::await() noexcept { awaited_.store(true, std::memory_order_seq_cst); }

void promise_gate::await_no_more() noexcept { awaited_.store(false, std::memory_order_relaxed); }

void promise_gate::attempt_ended() noexcept {
  if (!awaited_.load(std::memory_order_seq_cst) || where_.begun() != 0)
    return;
  if (auto self = self_.lock())
    self->enqueue(nullptr, caf::make_message_id(caf::message_priority::high), caf::make_message(wake_replica{}),
                  nullptr);
}

} // namespace troupe::replica
