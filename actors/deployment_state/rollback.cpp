// What happens when a rollout fails, is aborted, or is taken back.
#include <troupe/actors/deployment_state/machine.hpp>

namespace troupe::deployment_state {

void machine::fail(rollout_reason reason, const std::string& message) {
  const auto what = to_string(reason) + (message.empty() ? "" : ": " + message);
  if (base_ && target_->spec.rollout.auto_rollback && !rolling_back_) {
    const auto from = target_->label();
    set_target(base_, true);
    reason_ = reason;
    failure_ = "rolled back to R" + std::to_string(base_->revision) + ": " + from + ": " + what;
  } else {
    failure_ = target_->label() + ": " + what;
    end_wave();
    enter(rollout_phase::failed, reason);
  }
  note("rollout_failed", failure_);
}

void machine::abort() {
  if (phase_ == rollout_phase::complete)
    return refuse(errc::rejected, "no rollout is running");
  if (!base_)
    return refuse(errc::rejected, "there is no base to go back to: no rollout of " + name_.full() + " has ended whole");
  if (same_release(base_, target_))
    return refuse(errc::rejected, "the base is the target already");
  set_target(base_, true);
  reason_ = rollout_reason::operator_abort;
  out_.result = {change_kind::replaced, base_->revision, "going back to R" + std::to_string(base_->revision)};
}

void machine::roll_back_to(std::uint64_t revision, const code_ref& loaded) {
  const auto old = history_.find(revision, target_);
  if (!old)
    return refuse(errc::rejected, revision == 0 ? "there is no earlier revision"
                                                : "R" + std::to_string(revision) + " is not in the history");
  if (same_release(old, target_) && same_but_count(*old, *target_))
    return refuse(errc::rejected, "R" + std::to_string(old->revision) + " is what the target is already");
  auto draft = *old;
  if (loaded.local)
    draft.user_code = loaded;
  else if (!draft.user_code.local && !draft.user_code.name.empty())
    return refuse(errc::rejected, "the code of R" + std::to_string(old->revision) + " is not loaded");
  draft.spec.num_replicas = n_;
  draft.cause = "rollback to R" + std::to_string(old->revision);
  const auto r = history_.make(std::move(draft), target_, base_, false);
  history_.keep(r, r, base_);
  set_target(r, true);
  out_.result = {change_kind::replaced, r->revision, r->cause};
}

} // namespace troupe::deployment_state
