// The border to user code: every call into it passes here.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
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

  const std::string& name() const noexcept { return deployment->name; }
};

/// What the exception that is being handled says. Never throws but for want of memory.
std::string text_of_current_exception();

/// Makes one run of user code known to the watchdog, the router and the calls that it makes, for its own lifetime.
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
