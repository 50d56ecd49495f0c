// The border to user code.
#include <troupe/actors/replica/user_code_border.hpp>

#include <exception>

namespace troupe::replica {

std::string text_of_current_exception() {
  try {
    throw;
  } catch (const std::exception& e) {
    const char* text = e.what();
    return text && *text ? text : "an exception without a text";
  } catch (const std::string& text) {
    return text;
  } catch (const char* text) {
    return text ? text : "an exception without a text";
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

control::thread_note note_of(const identity& who, const char* what) noexcept {
  return {what, who.deployment ? &who.deployment->name : nullptr, who.revision, who.ref.id};
}

user_code_scope::user_code_scope(const identity& who, cell* where, control::user_code_kind kind, call_scope calls)
    : watchdog_(*who.env->watchdog), where_(where), ran_before_(0), calls_(calls),
      note_(note_of(who, control::name_of(kind))), noted_(note_) {
  code_.kind = kind;
  code_.replica = who.ref;
  code_.deployment = who.deployment.get();
  code_.owner = caf::actor_cast<caf::actor_control_block*>(who.owner);
  watchdog_.begin(code_);
  if (where_) {
    // Only the replica's own context writes these.
    ran_before_ = where_->running.load(std::memory_order_relaxed);
    where_->run_number.store(where_->run_number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    where_->running.store(static_cast<std::uint8_t>(kind), std::memory_order_release);
  }
}

user_code_scope::~user_code_scope() {
  if (where_)
    where_->running.store(ran_before_, std::memory_order_release);
  watchdog_.end(code_);
}

} // namespace troupe::replica
