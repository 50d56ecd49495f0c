// Whose user code runs on this thread, for whoever must know it when the process is about to die (crash recorder).
#pragma once

#include <cstdint>
#include <string>

namespace troupe::control {

/// On the stack of its thread; what it points to lives as long as its scope.
struct thread_note {
  const char* what = "";                   ///< "handler", "constructor", "load", ...; a literal.
  const std::string* deployment = nullptr; ///< `[application/]name`; of a load the application alone. May be null.
  std::uint64_t revision = 0;              ///< That brought the code; 0 = not known.
  std::uint64_t replica = 0;               ///< 0 = none.
};

/// The innermost note of this thread, or null. Async-signal-safe.
const thread_note* innermost_note() noexcept;

/// `f` runs on each thread before its first note that is made from now on; null: nothing does. The crash recorder's.
void set_thread_preparation(void (*f)()) noexcept;

/// Makes `note` the innermost one for its own lifetime.
class note_scope {
public:
  explicit note_scope(const thread_note& note) noexcept;
  note_scope(const note_scope&) = delete;
  note_scope& operator=(const note_scope&) = delete;
  ~note_scope();

private:
  const thread_note* outer_;
};

} // namespace troupe::control
