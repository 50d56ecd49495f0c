// One pointer and one flag per thread.
#include <troupe/actors/control/thread_note.hpp>

#include <atomic>

namespace troupe::control {

namespace {

thread_local constinit const thread_note* innermost = nullptr;
thread_local constinit bool prepared = false;
std::atomic<void (*)()> preparation{nullptr};

void prepare() noexcept {
  if (auto* f = preparation.load(std::memory_order_acquire)) {
    prepared = true;
    f();
  }
}

} // namespace

const thread_note* innermost_note() noexcept { return innermost; }

void set_thread_preparation(void (*f)()) noexcept { preparation.store(f, std::memory_order_release); }

note_scope::note_scope(const thread_note& note) noexcept : outer_(innermost) {
  if (!prepared) [[unlikely]]
    prepare();
  innermost = &note;
}

note_scope::~note_scope() { innermost = outer_; }

} // namespace troupe::control
