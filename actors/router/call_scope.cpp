// The thread-local scope.
#include <troupe/actors/router/call_scope.hpp>

namespace troupe {

namespace {

// Defined here and not inline: user code in shared libraries must see the process's one.
thread_local constinit call_scope current;

} // namespace

const call_scope& current_scope() noexcept { return current; }

enter_scope::enter_scope(call_scope scope) noexcept : outer_(current) { current = scope; }

enter_scope::~enter_scope() { current = outer_; }

} // namespace troupe
