// A job of the scheduler that destroys one user object.
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/replica/reaper.hpp>

#include <caf/actor_system.hpp>
#include <caf/ref_counted.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace troupe::replica {

namespace {

class reaper final : public caf::ref_counted, public caf::resumable {
public:
  reaper(identity who, std::shared_ptr<const code> made_by, std::unique_ptr<instance> object, stop_reason reason,
         std::string message)
      : who_(std::move(who)), code_(std::move(made_by)), object_(std::move(object)), reason_(reason),
        message_(std::move(message)) {}
  ~reaper() override { finish(nullptr); } // a scheduler that stops drops its jobs

  resume_result resume(caf::execution_unit* unit, std::size_t) override {
    finish(unit);
    return done;
  }
  void intrusive_ptr_add_ref_impl() override { caf::intrusive_ptr_add_ref(static_cast<caf::ref_counted*>(this)); }
  void intrusive_ptr_release_impl() override { caf::intrusive_ptr_release(static_cast<caf::ref_counted*>(this)); }

private:
  void finish(caf::execution_unit* unit) {
    if (!object_)
      return;
    const auto failed = run_user_code(who_, nullptr, control::user_code_kind::destructor, {nullptr, nullptr, unit},
                                      [&] { delete object_.release(); });
    if (failed)
      message_ += (message_.empty() ? "the destructor threw: " : "; the destructor threw: ") + *failed;
    control::post(*who_.env, nullptr, who_.owner, replica_stopped{who_.ref, reason_, std::move(message_)});
  }

  identity who_;
  std::shared_ptr<const code> code_;
  std::unique_ptr<instance> object_;
  stop_reason reason_;
  std::string message_;
};

} // namespace

void reap(identity who, std::shared_ptr<const code> made_by, std::unique_ptr<instance> object, stop_reason reason,
          std::string message) {
  auto& scheduler = who.env->system.scheduler();
  // The one reference it is born with is the scheduler's.
  scheduler.enqueue(new reaper(std::move(who), std::move(made_by), std::move(object), reason, std::move(message)));
}

} // namespace troupe::replica
