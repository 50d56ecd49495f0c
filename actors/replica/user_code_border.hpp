// The border to user code: every call into it passes here.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/control/thread_note.hpp>
#include <troupe/actors/control/watchdog.hpp>
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/cell.hpp>
#include <troupe/messages/replica.hpp>

#include <memory>
#include <optional>
#include <string>

namespace troupe::replica {

/// Whose user code runs, and who hears of it.
struct identity {
  control::environment_ptr env;
  std::shared_ptr<const control::watched_deployment> deployment;
  replica_owner_actor owner;
  replica_ref ref;
  std::uint64_t revision = 0; ///< That it was started as.

  const std::string& name() const noexcept { return deployment->name; }
};

/// For the thread that runs `what` of it, which must not outlive `who`.
control::thread_note note_of(const identity& who, const char* what) noexcept;

/// What the exception that is being handled says. Never throws but for want of memory.
std::string text_of_current_exception();

/// Makes one run of user code known to the watchdog, the router, the calls that it makes and the thread's note, for its
/// own lifetime.
class user_code_scope {
public:
  user_code_scope(const identity& who, cell* where, control::user_code_kind kind, call_scope calls);
  user_code_scope(const user_code_scope&) = delete;
  user_code_scope& operator=(const user_code_scope&) = delete;
  ~user_code_scope();

private:
  control::watchdog& watchdog_;
  cell* where_;
  std::uint8_t ran_before_; // an inlined replica's handler may call itself
  control::running_code code_;
  enter_scope calls_;
  control::thread_note note_;
  control::note_scope noted_;
};

/// Runs `f`, catches what it throws; returns its text, or nothing when it returned. `where` may be null.
template <class F>
std::optional<std::string> run_user_code(const identity& who, cell* where, control::user_code_kind kind,
                                         call_scope calls, F&& f) {
  user_code_scope scope{who, where, kind, calls};
  try {
    f();
    return std::nullopt;
  } catch (...) {
    return text_of_current_exception();
  }
}

} // namespace troupe::replica
