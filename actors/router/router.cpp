// The request path: choosing a replica, waiting, giving slots back.
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>

#include <functional>
#include <utility>

namespace troupe {

namespace {

/// splitmix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// A uniform 32-bit number to [0, limit) without a division (Lemire 2019).
constexpr std::uint32_t scaled(std::uint64_t bits, std::uint32_t limit) noexcept {
  return static_cast<std::uint32_t>(((bits & 0xffffffffU) * limit) >> 32);
}

void wake_up(const caf::strong_actor_ptr& who, caf::execution_unit* unit) {
  who->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wake_replica{}), unit);
}

} // namespace

void router::afterwards::run(caf::execution_unit* unit) {
  for (auto& who : wake)
    wake_up(who, unit);
  drop.clear();
}

// -- slots ---------------------------------------------------------------------------------------------------------

bool router::has_room(std::uint64_t word) const noexcept {
  return (word & cell::flag_mask) == 0 &&
         static_cast<std::uint32_t>(word) < max_ongoing_.load(std::memory_order_relaxed);
}

bool router::note_full(cell& where) noexcept {
  if (where.near_.load(std::memory_order_relaxed))
    near_room_.clear(where.index_);
  const bool again = room_.clear(where.index_);
  if (!has_room(where.word_.load()))
    return again;
  note_room(where); // a slot was given back before the bit was cleared
  return true;
}

void router::note_room(cell& where) noexcept {
  room_.set(where.index_);
  if (where.near_.load(std::memory_order_relaxed))
    near_room_.set(where.index_);
}

bool router::reserve_at(cell& where, bool& again) noexcept {
  auto word = where.word_.load(std::memory_order_relaxed);
  while (has_room(word)) {
    if (!where.word_.compare_exchange_weak(word, word + 1))
      continue;
    if (!has_room(word + 1))
      again |= note_full(where);
    return true;
  }
  again |= note_full(where);
  return false;
}

cell* router::reserve(const call_base& call, bool& again) noexcept {
  const auto limit = limit_.load(std::memory_order_acquire);
  if (limit == 0)
    return nullptr;
  if (const auto session = call.ctx.session_id(); !session.empty()) {
    const auto index = sessions_.choose(mixed(std::hash<std::string_view>{}(session)));
    if (index != session_table::none && reserve_at(pool_.at(index), again))
      return &pool_.at(index);
  }
  const auto chance = mixed(call.arrival ^ seed_);
  if (has_near_.load(std::memory_order_relaxed))
    if (auto* near = reserve_among(near_room_, chance, limit, again))
      return near;
  return reserve_among(room_, chance, limit, again);
}

cell* router::reserve_among(const room_index& these, std::uint64_t chance, std::uint32_t limit, bool& again) noexcept {
  for (;;) {
    const auto first = these.next(scaled(chance, limit));
    if (first == room_index::none)
      return nullptr;
    auto* best = &pool_.at(first);
    if (limit > 1) {
      const auto second = these.next(scaled(chance >> 32, limit));
      if (second != room_index::none && pool_.at(second).in_flight() < best->in_flight())
        best = &pool_.at(second);
    }
    if (reserve_at(*best, again))
      return best;
  }
}

void router::release_slot(cell& where) noexcept {
  const auto before = where.word_.fetch_sub(1);
  if ((before & cell::closed_bit) != 0) {
    if ((before & cell::released_bit) != 0 && static_cast<std::uint32_t>(before) == 1) {
      afterwards after;
      {
        const std::lock_guard guard{mutex_};
        free_locked(where, after);
      }
      after.run(nullptr);
    }
    return;
  }
  if (!has_room(before) && has_room(before - 1))
    note_room(where);
  if (gate_.load() != 0)
    serve();
}

void router::drop_slot_locked(cell& where, afterwards& after) noexcept {
  const auto before = where.word_.fetch_sub(1);
  if ((before & cell::released_bit) != 0 && static_cast<std::uint32_t>(before) == 1)
    free_locked(where, after);
  else if (!has_room(before) && has_room(before - 1))
    note_room(where);
}

void router::free_locked(cell& where, afterwards& after) noexcept {
  after.drop.push_back(std::exchange(where.actor, nullptr));
  pool_.give(where);
}

// -- requests ------------------------------------------------------------------------------------------------------

void router::submit(const std::shared_ptr<router>& to, call_ptr call, caf::execution_unit* unit) {
  auto& self = *to;
  call->router_ = to;
  call->arrival = self.arrivals_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (call->ctx.request_number == 0)
    call->ctx.request_number = (self.options_.number << 40) + call->arrival;
  call->may_begin_again_ = call->repeatable_ && self.idempotent_.load(std::memory_order_relaxed);
  const auto watched = call->ctx.has_deadline() ? call : nullptr;
  bool again = false;
  auto* at = self.gate_.load() == 0 ? self.reserve(*call, again) : nullptr;
  if (at)
    self.place_new(std::move(call), *at, unit);
  else
    self.enqueue_new(std::move(call), unit);
  if (again && self.gate_.load() != 0)
    self.serve();
  // Last: a call that has its outcome before it is in an inbox would give back the slot that the push relies on.
  if (watched)
    self.watch_deadline(*watched);
}

void router::place_new(call_ptr call, cell& at, caf::execution_unit* unit) {
  call->cell_.store(&at, std::memory_order_relaxed);
  call->state_.store(call_base::placed, std::memory_order_relaxed); // nobody else knows it yet
  caf::strong_actor_ptr wake;
  if (at.push(*call, wake)) {
    call.release();
    if (wake)
      wake_up(wake, unit);
    return;
  }
  call->move(call_base::placed, call_base::waiting);
  call->cell_.store(nullptr, std::memory_order_relaxed);
  release_slot(at);
  std::vector<call_ptr> back;
  back.push_back(std::move(call));
  enqueue_again(std::move(back));
}

void router::enqueue_new(call_ptr call, caf::execution_unit* unit) {
  afterwards after;
  std::optional<error> refused;
  {
    const std::lock_guard guard{mutex_};
    if (refusing_) {
      refused = refusing_;
    } else {
      const auto bound = options_.limits.max_queued;
      if (bound >= 0 && queue_.size() >= static_cast<std::uint64_t>(bound))
        serve_locked(after);
      if (bound >= 0 && queue_.size() >= static_cast<std::uint64_t>(bound)) {
        refused = failure(errc::backpressure);
      } else {
        queue_.push(std::move(call));
        gate_.fetch_add(1); // before looking for room: who gives a slot back looks at the gate after
        serve_locked(after);
      }
    }
  }
  after.run(unit);
  if (refused)
    call->fail(std::move(*refused)); // NOLINT(bugprone-use-after-move): moved only where it was not refused
}

void router::enqueue_again(std::vector<call_ptr> calls) {
  given_back_.fetch_add(calls.size(), std::memory_order_relaxed);
  afterwards after;
  std::optional<error> refused;
  std::vector<call_ptr> done;
  {
    const std::lock_guard guard{mutex_};
    // From here on one that is done finds itself in the queue (unlink_waiting).
    std::vector<call_ptr> open;
    for (auto& call : calls)
      (call->done() ? done : open).push_back(std::move(call));
    if (refusing_) {
      refused = refusing_;
      calls = std::move(open);
    } else {
      calls.clear();
      gate_.fetch_add(open.size());
      queue_.merge(std::move(open));
      serve_locked(after);
    }
  }
  after.run(current_scope().unit);
  for (auto& call : calls)
    if (call)
      call->fail(*refused);
}

void router::serve() noexcept {
  afterwards after;
  {
    const std::lock_guard guard{mutex_};
    serve_locked(after);
  }
  after.run(current_scope().unit);
}

void router::serve_locked(afterwards& after) {
  while (auto* front = queue_.front()) {
    bool again = false;
    auto* at = reserve(*front, again);
    if (!at) {
      if (again)
        continue;
      return;
    }
    // A second slot keeps the cell from being reused while the push goes on, should the call time out meanwhile.
    at->word_.fetch_add(1);
    auto call = queue_.pop();
    gate_.fetch_sub(1);
    call->cell_.store(at, std::memory_order_relaxed);
    if (!call->move(call_base::waiting, call_base::placed)) {
      drop_slot_locked(*at, after); // it has its outcome; who gave it is about to unlink it
    } else if (caf::strong_actor_ptr wake; at->push(*call, wake)) {
      call.release();
      if (wake)
        after.wake.push_back(std::move(wake));
    } else if (call->move(call_base::placed, call_base::waiting)) { // closed meanwhile
      call->cell_.store(nullptr, std::memory_order_relaxed);
      drop_slot_locked(*at, after);
      std::vector<call_ptr> back;
      back.push_back(std::move(call));
      gate_.fetch_add(1);
      queue_.merge(std::move(back));
    }
    drop_slot_locked(*at, after);
  }
}

void router::unlink_waiting(call_base& call) noexcept {
  call_ptr member; // goes after the mutex
  const std::lock_guard guard{mutex_};
  if (queue_.remove(call)) {
    gate_.fetch_sub(1);
    member = call_ptr{&call, false};
  }
}

void router::watch_deadline(call_base& call) {
  switch (wheel_.add(call)) {
  case wheel::added::first:
    if (arm_)
      arm_(wheel::due_of(call));
    break;
  case wheel::added::too_late:
    call.fail(errc::timed_out);
    break;
  case wheel::added::yes:
    break;
  }
}

void router::expire() {
  for (auto& call : wheel_.take_due(now()))
    call->fail(errc::timed_out);
  if (const auto due = wheel_.next_due(); due && arm_)
    arm_(*due);
}

} // namespace troupe
