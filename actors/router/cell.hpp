// What the routers of a deployment and one of its replicas share: slots, inbox, and what the replica works on.
#pragma once

#include <troupe/actors/router/call.hpp>
#include <troupe/messages/replica.hpp>

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

/// Guards a few instructions. Waiting threads yield.
class spin_flag {
public:
  void lock() noexcept;
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

private:
  std::atomic<bool> taken_{false};
};

/// Lives in its router's pool and is reused for later replicas, never freed before the router: a reader may touch one
/// that was just closed. Callers push without a lock; `next` belongs to the replica's own context. Life: router.acquire
/// -> (replica constructed, `actor` set) -> router.open -> ... -> router.close -> router.release.
class alignas(64) cell {
public:
  cell() = default;
  cell(const cell&) = delete;
  cell& operator=(const cell&) = delete;

  // -- set by the owner between router.acquire and router.open
  replica_ref replica;
  caf::strong_actor_ptr actor; ///< Gets `wake_replica`. Cleared when the cell returns to the pool.

  // -- for the watchdog: how long the same user code runs, without a clock on the request path
  std::atomic<std::uint8_t> running{0};     ///< A `control::user_code_kind`; 0 = none.
  std::atomic<std::uint32_t> run_number{0}; ///< + 1 whenever user code begins.

  // -- for who looks whether another owner may adopt it: written by the replica
  static constexpr std::uint8_t up = 1;         ///< Started, and not told to stop.
  static constexpr std::uint8_t configured = 2; ///< Its `reconfigure` was called at some time.
  std::atomic<std::uint8_t> standing{0};

  // -- the replica's own context

  /// The next call, now begun; null when there is none: from then on the next call that arrives sends `wake_replica`.
  /// While calls are left it must be called again without a wake-up (a replica that yields or reconfigures sends one to
  /// itself). Skips calls that have their outcome; never begins one after its deadline, or whose own caller was
  /// cancelled or has timed out. Null for ever once closed.
  call_ptr next();
  /// Begun and not ended: neither answered nor refused yet, whether the caller has its outcome or not. Thread-safe.
  std::uint32_t begun() const noexcept { return begun_count_.load(std::memory_order_seq_cst); }
  /// While true the router sends nothing here; what is here stays. With false, waiting calls may come at once.
  void set_reconfiguring(bool on);
  /// Likewise, and beside it: the replica, in another process, is full of what other routers have sent there.
  void set_held(bool on) { set_flag(held_bit, on); }

  // -- any thread
  std::uint32_t in_flight() const noexcept { return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed)); }
  std::uint32_t index() const noexcept { return index_; }
  bool closed() const noexcept { return (word_.load(std::memory_order_acquire) & closed_bit) != 0; }
  bool reconfiguring() const noexcept { return (word_.load(std::memory_order_acquire) & reconfiguring_bit) != 0; }
  router& owner() const noexcept { return *router_; }

private:
  friend class router;
  friend class call_base;
  friend class cell_pool;

  static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;
  static constexpr std::uint64_t released_bit = std::uint64_t{1} << 62;
  static constexpr std::uint64_t reconfiguring_bit = std::uint64_t{1} << 61;
  static constexpr std::uint64_t held_bit = std::uint64_t{1} << 60;
  static constexpr std::uint64_t flag_mask = closed_bit | released_bit | reconfiguring_bit | held_bit;

  static call_base* idle() noexcept; // inbox: the reader has seen it empty and waits for a wake-up
  static call_base* shut() noexcept; // inbox: nothing may come in

  /// Precondition: the pusher holds a slot here. False when closed. `wake` is set when the replica must be woken.
  bool push(call_base& call, caf::strong_actor_ptr& wake) noexcept;
  bool fetch() noexcept; // inbox -> fifo_, empty before; under lock_; false: went idle or closed
  void append(call_base* newest_first) noexcept;
  void sweep() noexcept;
  bool end(call_base& call, attempt_number which) noexcept; // takes it off the begun list; false: not there (abandoned)
  void mark_overdue(call_base& call) noexcept;
  void note_dead() noexcept;            // a call in the inbox got its outcome; sweeps when there are many
  std::vector<call_ptr> take_unbegun(); // closes the inbox; live ones only, now `waiting`; slots still taken
  std::vector<call_ptr> take_begun();   // overdue ones too; slots still taken
  void link_begun(call_base& call) noexcept;
  void unlink_begun(call_base& call) noexcept;
  void reset(replica_ref who, bool near) noexcept;
  void set_flag(std::uint64_t which, bool on);

  std::atomic<std::uint64_t> word_{closed_bit}; // flags and number of slots taken
  std::atomic<call_base*> inbox_{nullptr};      // newest first; null: empty and the reader is awake
  call_base* fifo_head_ = nullptr;              // oldest first; from here on under lock_
  call_base* fifo_tail_ = nullptr;
  call_base* begun_head_ = nullptr;
  std::atomic<std::uint32_t> begun_count_{0}; // lowered and read in sequence with promise_gate's flag
  std::atomic<std::int32_t> dead_{0}; // in inbox_ and fifo_, with their outcome; may be off by those on their way
  spin_flag lock_;
  std::uint32_t index_ = 0;
  std::atomic<bool> near_{false}; ///< In this process, where others are not. Readers may be late, as with `word_`.
  router* router_ = nullptr;
};

} // namespace troupe
