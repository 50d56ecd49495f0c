// An intrusive doubly linked list that is kept sorted by arrival.
#include <troupe/actors/router/waiting_queue.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

waiting_queue::~waiting_queue() { take_all(); }

void waiting_queue::insert_after(call_base* before, call_base* call) noexcept {
  auto* after = before ? before->next_ : head_;
  call->prev_ = before;
  call->next_ = after;
  (before ? before->next_ : head_) = call;
  (after ? after->prev_ : tail_) = call;
  call->in_queue_ = true;
  ++size_;
}

void waiting_queue::push(call_ptr call) noexcept {
  auto* before = tail_;
  while (before && before->arrival > call->arrival)
    before = before->prev_;
  insert_after(before, call.release());
}

void waiting_queue::merge(std::vector<call_ptr> calls) {
  std::sort(calls.begin(), calls.end(), [](auto& a, auto& b) { return a->arrival < b->arrival; });
  call_base* before = nullptr; // those that came back are mostly older than all that wait
  for (auto& call : calls) {
    while (auto* next = before ? before->next_ : head_) {
      if (next->arrival >= call->arrival)
        break;
      before = next;
    }
    auto* raw = call.release();
    insert_after(before, raw);
    before = raw;
  }
}

call_ptr waiting_queue::pop() noexcept {
  auto* call = head_;
  if (!call || !remove(*call))
    return nullptr;
  return call_ptr{call, false};
}

bool waiting_queue::remove(call_base& call) noexcept {
  if (!call.in_queue_)
    return false;
  (call.prev_ ? call.prev_->next_ : head_) = call.next_;
  (call.next_ ? call.next_->prev_ : tail_) = call.prev_;
  call.next_ = call.prev_ = nullptr;
  call.in_queue_ = false;
  --size_;
  return true;
}

std::vector<call_ptr> waiting_queue::take_all() {
  std::vector<call_ptr> result;
  result.reserve(size_);
  while (auto call = pop())
    result.push_back(std::move(call));
  return result;
}

} // namespace troupe
