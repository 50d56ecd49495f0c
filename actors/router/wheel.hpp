// Timeouts of one router: a coarse hashed wheel (Varghese and Lauck 1987, scheme 6) with a lock per slot.
#pragma once

#include <troupe/actors/router/call.hpp>
#include <troupe/actors/router/cell.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace troupe {

/// Thread-safe. Holds no references: a call leaves before it is freed. Deadlines are met at the end of their tick, so
/// at most one tick late.
class wheel {
public:
  static constexpr std::chrono::milliseconds tick{5};

  wheel() = default;
  wheel(const wheel&) = delete;
  wheel& operator=(const wheel&) = delete;
  ~wheel();

  enum class added : std::uint8_t { yes, first, too_late };

  /// `first`: it is due before everything else here; the timer must be armed for `due_of(call)`. `too_late`: its
  /// deadline has passed, it was not added. Adds nothing when the call is done.
  added add(call_base& call);
  /// Precondition: the call is done and has a deadline.
  void remove(call_base& call) noexcept;
  /// Takes out all whose deadline's tick has ended at `now`. One caller at a time, as `next_due`.
  std::vector<call_ptr> take_due(time_point now);
  /// After `take_due`: when to look again; none when empty, or when another thread arms for an earlier time.
  std::optional<time_point> next_due();
  static time_point due_of(const call_base& call) noexcept;

private:
  static constexpr std::uint32_t slots = 512;
  struct slot {
    spin_flag lock;
    call_base* head = nullptr;
  };
  using slot_array = std::array<slot, slots>;
  static std::int64_t tick_of(time_point t) noexcept;
  static time_point end_of(std::int64_t tick) noexcept;
  static slot& slot_of(slot_array& all, std::int64_t tick) noexcept;
  static void unlink(slot& at, call_base& call) noexcept;
  slot_array& make();
  bool arm(std::int64_t tick) noexcept; // true when `tick` is the earliest now

  std::atomic<slot_array*> slots_{nullptr};   // made with the first deadline
  std::atomic<std::int64_t> seen_{-1};        // all ticks up to here are taken out
  std::atomic<std::int64_t> next_{INT64_MAX}; // the tick the timer is armed for
};

} // namespace troupe
