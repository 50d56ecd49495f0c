// One pointer per thread.
#include <troupe/actors/control/thread_note.hpp>

namespace troupe::control {

namespace {

thread_local constinit const thread_note* innermost = nullptr;

} // namespace

const thread_note* innermost_note() noexcept { return innermost; }

note_scope::note_scope(const thread_note& note) noexcept : outer_(innermost) { innermost = &note; }

note_scope::~note_scope() { innermost = outer_; }

} // namespace troupe::control
