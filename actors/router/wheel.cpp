// The timing wheel.
#include <troupe/actors/router/wheel.hpp>

#include <algorithm>
#include <mutex>

namespace troupe {

wheel::~wheel() { delete slots_.load(); }

std::int64_t wheel::tick_of(time_point t) noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()) / tick;
}

time_point wheel::end_of(std::int64_t k) noexcept { return time_point{(k + 1) * tick}; }

time_point wheel::due_of(const call_base& call) noexcept { return end_of(tick_of(call.ctx.deadline)); }

wheel::slot& wheel::slot_of(slot_array& all, std::int64_t k) noexcept {
  return all[static_cast<std::uint64_t>(k) % slots];
}

wheel::slot_array& wheel::make() {
  auto* all = slots_.load(std::memory_order_acquire);
  if (!all) {
    auto fresh = std::make_unique<slot_array>();
    if (slots_.compare_exchange_strong(all, fresh.get()))
      all = fresh.release();
  }
  return *all;
}

bool wheel::arm(std::int64_t k) noexcept {
  for (auto armed = next_.load(); k < armed;)
    if (next_.compare_exchange_weak(armed, k))
      return true;
  return false;
}

wheel::added wheel::add(call_base& call) {
  const auto k = tick_of(call.ctx.deadline);
  auto& at = slot_of(make(), k);
  {
    const std::lock_guard guard{at.lock};
    if (call.done()) // who gave it its outcome has been here, or comes and finds it not in the wheel
      return added::yes;
    if (k <= seen_.load())
      return added::too_late;
    call.wheel_prev_ = nullptr;
    call.wheel_next_ = at.head;
    if (at.head)
      at.head->wheel_prev_ = &call;
    at.head = &call;
    call.in_wheel_ = true;
  }
  return arm(k) ? added::first : added::yes;
}

void wheel::unlink(slot& at, call_base& call) noexcept {
  (call.wheel_prev_ ? call.wheel_prev_->wheel_next_ : at.head) = call.wheel_next_;
  if (call.wheel_next_)
    call.wheel_next_->wheel_prev_ = call.wheel_prev_;
  call.in_wheel_ = false;
}

void wheel::remove(call_base& call) noexcept {
  auto* all = slots_.load(std::memory_order_acquire);
  if (!all)
    return;
  auto& at = slot_of(*all, tick_of(call.ctx.deadline));
  const std::lock_guard guard{at.lock};
  if (call.in_wheel_)
    unlink(at, call);
}

std::vector<call_ptr> wheel::take_due(time_point now) {
  std::vector<call_ptr> due;
  const auto last = tick_of(now) - 1; // the newest tick that has ended
  const auto seen = seen_.load();
  if (last <= seen)
    return due;
  seen_.store(last); // from now on nothing is added up to there
  auto* all = slots_.load(std::memory_order_acquire);
  if (!all)
    return due;
  for (auto k = std::max(seen + 1, last + 1 - std::int64_t{slots}); k <= last; ++k) {
    auto& at = slot_of(*all, k);
    const std::lock_guard guard{at.lock};
    for (auto* call = at.head; call;) {
      auto* next = call->wheel_next_;
      if (tick_of(call->ctx.deadline) <= last) { // others are due in a later round
        unlink(at, *call);
        due.emplace_back(call);
      }
      call = next;
    }
  }
  return due;
}

std::optional<time_point> wheel::next_due() {
  next_.store(INT64_MAX); // who adds from now on arms by itself
  auto* all = slots_.load(std::memory_order_acquire);
  if (!all)
    return std::nullopt;
  const auto from = seen_.load() + 1;
  for (auto k = from; k < from + std::int64_t{slots}; ++k) {
    auto& at = slot_of(*all, k);
    const std::lock_guard guard{at.lock};
    if (!at.head)
      continue;
    // Its members may be due in a later round only; then the look at `k` finds none and goes on.
    return arm(k) ? std::optional{end_of(k)} : std::nullopt;
  }
  return std::nullopt;
}

} // namespace troupe
