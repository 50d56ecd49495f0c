// What the running thread is doing for whom: the actor whose turn it is, the request its handler works on, its unit.
#pragma once

#include <caf/fwd.hpp>

namespace troupe {

class call_base;

/// Calls made meanwhile inherit from `call`, `h.request(x)` without an actor answers to `self`, and actors that are
/// woken go to `unit`. Each may be null. Confined to its thread.
struct call_scope {
  caf::scheduled_actor* self = nullptr;
  call_base* call = nullptr;
  caf::execution_unit* unit = nullptr;
};

/// The innermost scope of this thread; all null outside of one.
const call_scope& current_scope() noexcept;

/// The replica shell enters one (with its context() as unit) while it drains its cell, and one per handler.
class enter_scope {
public:
  explicit enter_scope(call_scope scope) noexcept;
  ~enter_scope();
  enter_scope(const enter_scope&) = delete;
  enter_scope& operator=(const enter_scope&) = delete;

private:
  call_scope outer_;
};

} // namespace troupe
