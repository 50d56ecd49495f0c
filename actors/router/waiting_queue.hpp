// Calls that wait for a replica, in order of arrival.
#pragma once

#include <troupe/actors/router/call.hpp>

#include <cstdint>
#include <vector>

namespace troupe {

/// Guarded by the router's mutex. Holds one reference per member.
class waiting_queue {
public:
  waiting_queue() = default;
  waiting_queue(const waiting_queue&) = delete;
  waiting_queue& operator=(const waiting_queue&) = delete;
  ~waiting_queue();

  bool empty() const noexcept { return head_ == nullptr; }
  std::uint64_t size() const noexcept { return size_; }
  call_base* front() const noexcept { return head_; }
  /// Behind those that arrived before it. O(1) for the newest.
  void push(call_ptr call) noexcept;
  /// Several that came back, sorted by arrival here. O(their number + those that they pass).
  void merge(std::vector<call_ptr> calls);
  call_ptr pop() noexcept;
  /// False when it is not (no longer) a member.
  bool remove(call_base& call) noexcept;
  std::vector<call_ptr> take_all();

private:
  void insert_after(call_base* before, call_base* call) noexcept;

  call_base* head_ = nullptr;
  call_base* tail_ = nullptr;
  std::uint64_t size_ = 0;
};

} // namespace troupe
