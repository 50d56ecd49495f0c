// Inbox, private queue and list of begun calls of one replica.
#include <troupe/actors/router/cell.hpp>
#include <troupe/actors/router/router.hpp>

#include <algorithm>
#include <mutex>
#include <thread>

namespace troupe {

void spin_flag::lock() noexcept {
  for (int tries = 0; taken_.exchange(true, std::memory_order_acquire); ++tries)
    if (tries > 20)
      std::this_thread::yield(); // the holder may have been preempted
}

call_base* cell::idle() noexcept { return reinterpret_cast<call_base*>(std::uintptr_t{1}); }

call_base* cell::shut() noexcept { return reinterpret_cast<call_base*>(std::uintptr_t{2}); }

void cell::reset(replica_ref who, bool near) noexcept {
  replica = who;
  near_.store(near, std::memory_order_relaxed);
  running.store(0, std::memory_order_relaxed);
  run_number.store(0, std::memory_order_relaxed);
  standing.store(0, std::memory_order_relaxed);
  dead_.store(0, std::memory_order_relaxed);
  begun_count_.store(0, std::memory_order_relaxed);
  inbox_.store(idle(), std::memory_order_relaxed);
  word_.store(closed_bit, std::memory_order_release);
}

bool cell::push(call_base& call, caf::strong_actor_ptr& wake) noexcept {
  auto* head = inbox_.load(std::memory_order_relaxed);
  for (;;) {
    if (head == shut()) {
      wake.reset();
      return false;
    }
    const bool asleep = head == idle();
    if (asleep && !wake)
      wake = actor; // once the call is in, the cell may go to another replica
    call.next_ = asleep ? nullptr : head;
    if (inbox_.compare_exchange_weak(head, &call, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      if (!asleep)
        wake.reset();
      return true;
    }
  }
}

void cell::append(call_base* newest_first) noexcept {
  call_base* oldest = nullptr;
  auto* const newest = newest_first;
  while (newest_first) {
    auto* next = newest_first->next_;
    newest_first->next_ = oldest;
    oldest = newest_first;
    newest_first = next;
  }
  if (!oldest)
    return;
  (fifo_head_ ? fifo_tail_->next_ : fifo_head_) = oldest;
  fifo_tail_ = newest;
}

bool cell::fetch() noexcept {
  auto* head = inbox_.load(std::memory_order_acquire);
  for (;;) {
    if (head == idle() || head == shut())
      return false;
    // Not an exchange: `shut` may come in between.
    if (!inbox_.compare_exchange_weak(head, head ? nullptr : idle(), std::memory_order_acq_rel))
      continue;
    append(head);
    return head != nullptr;
  }
}

call_ptr cell::next() {
  for (;;) {
    call_ptr call;
    auto refusal = errc::none;
    {
      const std::lock_guard guard{lock_};
      if (!fifo_head_ && !fetch())
        return nullptr;
      call = call_ptr{fifo_head_, false};
      fifo_head_ = fifo_head_->next_;
      if (call->ctx.has_deadline() && router_->now() >= call->ctx.deadline)
        refusal = errc::timed_out;
      else if (call->parent() && call->parent()->stop_requested())
        refusal = errc::cancelled; // the handler that made it works in vain
      else if (call->try_begin()) {
        link_begun(*call);
        return call;
      }
    }
    if (refusal != errc::none)
      call->fail(refusal);
    dead_.fetch_sub(1, std::memory_order_relaxed); // whoever gave it its outcome counted it
  }
}

void cell::link_begun(call_base& call) noexcept {
  call.prev_ = nullptr;
  call.next_ = begun_head_;
  if (begun_head_)
    begun_head_->prev_ = &call;
  begun_head_ = &call;
  call.in_begun_ = true;
  begun_count_.fetch_add(1, std::memory_order_relaxed);
}

void cell::unlink_begun(call_base& call) noexcept {
  (call.prev_ ? call.prev_->next_ : begun_head_) = call.next_;
  if (call.next_)
    call.next_->prev_ = call.prev_;
  call.next_ = call.prev_ = nullptr;
  call.in_begun_ = false;
  call.cell_.store(nullptr, std::memory_order_release);
  begun_count_.fetch_sub(1, std::memory_order_seq_cst);
  if (std::exchange(call.overdue_, false))
    router_->overdue_.fetch_sub(1, std::memory_order_relaxed);
}

bool cell::end(call_base& call, attempt_number which) noexcept {
  const std::lock_guard guard{lock_};
  // After `abandon` it may be elsewhere, or here again with a later attempt, placed or begun.
  if (call.cell_.load(std::memory_order_relaxed) != this || !call.in_begun_ || call.attempts() != which)
    return false;
  unlink_begun(call);
  return true;
}

void cell::mark_overdue(call_base& call) noexcept {
  const std::lock_guard guard{lock_};
  if (call.cell_.load(std::memory_order_relaxed) != this || !call.in_begun_)
    return; // its handler ended meanwhile
  call.overdue_ = true;
  router_->overdue_.fetch_add(1, std::memory_order_relaxed);
}

void cell::note_dead() noexcept {
  const auto dead = dead_.fetch_add(1, std::memory_order_relaxed) + 1;
  const auto limit = std::max(64U, router_->max_ongoing_.load(std::memory_order_relaxed));
  if (dead > static_cast<std::int32_t>(limit))
    sweep();
}

void cell::sweep() noexcept {
  std::vector<call_ptr> dead;
  const std::lock_guard guard{lock_};
  auto* head = inbox_.load(std::memory_order_acquire);
  while (head && head != idle() && head != shut()) {
    if (inbox_.compare_exchange_weak(head, nullptr, std::memory_order_acq_rel)) {
      append(head);
      break;
    }
  }
  call_base* last = nullptr;
  for (auto* call = fifo_head_; call;) {
    auto* next = call->next_;
    if (call->done()) {
      (last ? last->next_ : fifo_head_) = next;
      dead.emplace_back(call, false);
    } else {
      last = call;
    }
    call = next;
  }
  fifo_tail_ = last;
  dead_.fetch_sub(static_cast<std::int32_t>(dead.size()), std::memory_order_relaxed);
}

std::vector<call_ptr> cell::take_unbegun() {
  std::vector<call_ptr> all;
  {
    const std::lock_guard guard{lock_};
    auto* head = inbox_.exchange(shut(), std::memory_order_acq_rel);
    if (head != idle() && head != shut())
      append(head);
    for (auto* call = std::exchange(fifo_head_, nullptr); call;)
      all.emplace_back(std::exchange(call, call->next_), false);
  }
  std::erase_if(all, [](auto& call) { return !call->move(call_base::placed, call_base::waiting); });
  return all;
}

std::vector<call_ptr> cell::take_begun() {
  std::vector<call_ptr> all;
  const std::lock_guard guard{lock_};
  while (begun_head_) {
    all.emplace_back(begun_head_);
    unlink_begun(*begun_head_);
  }
  return all;
}

void cell::set_reconfiguring(bool on) {
  set_flag(reconfiguring_bit, on);
  if (!on && router_->on_room_)
    router_->on_room_();
}

void cell::set_flag(std::uint64_t which, bool on) {
  if (on) {
    word_.fetch_or(which);
    if (router_->note_full(*this))
      router_->serve();
    return;
  }
  word_.fetch_and(~which);
  if (router_->has_room(word_.load()))
    router_->note_room(*this);
  if (router_->gate_.load() != 0) // as in release_slot: all replicas may come here at once, and mostly nobody waits
    router_->serve();
}

} // namespace troupe
