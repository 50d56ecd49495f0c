// Sends each request of a deployment to one of its replicas: power of two choices, waiting in arrival order.
#pragma once

#include <troupe/actors/router/call.hpp>
#include <troupe/actors/router/cell.hpp>
#include <troupe/actors/router/cell_pool.hpp>
#include <troupe/actors/router/room_index.hpp>
#include <troupe/actors/router/session_table.hpp>
#include <troupe/actors/router/waiting_queue.hpp>
#include <troupe/actors/router/wheel.hpp>

#include <caf/fwd.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct router_limits {
  std::uint32_t max_ongoing = 5; ///< Slots per replica. >= 1.
  std::int64_t max_queued = -1;  ///< Waiting requests; -1 = no bound.
  bool idempotent = false;       ///< Begun requests of a dead replica are tried again, at most twice.
};

struct router_options {
  std::string name = {}; ///< `[application/]name`, for error texts.
  router_limits limits = {};
  std::uint64_t seed = 0;   ///< Of the choices among replicas.
  std::uint64_t number = 0; ///< Of this router in its runtime, below 2^24: makes request numbers unique.
  bool single = false;      ///< It never has another replica: what waits when that closes is refused.
};

/// A call that a replica in another process has refused or lost, and its attempt there.
struct sent_call {
  call_ptr call;
  attempt_number attempt = 0;
};

struct replica_change {
  enum class kind : std::uint8_t { open, close };
  kind what = kind::open;
  cell* where = nullptr;
};

/// One per deployment and process. Thread-safe. Accepted calls and handles keep it alive; who owns it ends it with
/// `shut`, or calls that wait and the router keep each other for ever.
class router {
public:
  static std::shared_ptr<router> make(caf::actor_system& sys, router_options options);
  ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  // -- callers

  /// Gives `call` to `to`: exactly one outcome. Errors: `backpressure`, `unavailable` (or what `refuse` said),
  /// `timed_out` when its deadline has passed. A replica that must be woken goes to `unit`; null: the scheduler.
  static void submit(const std::shared_ptr<router>& to, call_ptr call, caf::execution_unit* unit);

  // -- the owner of the replicas (control thread)

  /// A free cell, closed, for a replica that is about to be made; the lowest free index. One that is `near` is
  /// preferred while it has room.
  cell& acquire(replica_ref who, bool near = false);
  /// The replica is available: requests may go to it. Precondition: `actor` is set. Idempotent.
  void open(cell& where);
  /// No new requests; unbegun ones go elsewhere, by arrival, ahead of those that came later. Idempotent.
  void close(cell& where);
  /// The replica died or was given up: closes, and each begun request gets `replica_died` or, where it may, is tried
  /// again (with `may_repeat`). Late answers are dropped. Idempotent.
  void abandon(cell& where, bool may_repeat = true);
  /// These were begun at a replica elsewhere, which has not begun them: they regain their places.
  void give_back(cell& where, std::vector<sent_call> calls);
  /// That one died there, alone: as with `abandon`.
  void lose(cell& where, sent_call which);
  /// The replica's actor has ended: abandons what is left, and the cell is free once nobody is about to use it.
  /// The owner must not touch it any more. Once per `acquire`.
  void release(cell& where);
  /// A set of changes as pushed with its epoch; false and nothing done unless newer than all before.
  bool apply(std::uint64_t epoch, const std::vector<replica_change>& changes);
  std::uint64_t epoch() const;

  void set_limits(router_limits limits);
  router_limits limits() const;
  std::uint32_t max_ongoing() const noexcept { return max_ongoing_.load(std::memory_order_relaxed); }
  /// From now on requests without a slot get `why` at once, those that wait too, until `accept`. For a deployment that
  /// failed with no replica available (`unavailable`).
  void refuse(error why);
  void accept();
  /// For a deleted deployment or the runtime's end: refuses for ever. Begun requests go on; what is placed goes with
  /// its cell.
  void shut(error why);

  // -- figures; exact when nothing moves
  std::uint64_t queued() const noexcept;
  std::uint64_t ongoing() const; ///< Slots taken; time in proportion to the number of replicas.
  std::uint64_t overdue() const noexcept { return overdue_.load(std::memory_order_relaxed); }
  struct reach {
    std::uint32_t open = 0;
    std::uint32_t closed = 0; ///< Not open yet, or not released yet.
    friend bool operator==(const reach&, const reach&) = default;
  };
  reach replicas() const; ///< Time in proportion to their number.

  /// Called when a replica takes requests again after a reconfigure. Set before the first call; any thread.
  void set_room_listener(std::function<void()> f);

  // -- timeouts: see maintenance.hpp

  /// `arm(t)` must lead to `expire` at or after `t`, from another task; it is called from any thread.
  void set_timer(std::function<void(time_point)> arm);
  /// Gives `timed_out` to calls whose deadline has passed, and arms for the next.
  void expire();

  time_point now() const noexcept;
  const std::string& name() const noexcept { return options_.name; }
  caf::actor_system& system() const noexcept { return system_; }
  /// Of requests that had gone to a replica and are queued again: refused or lost there, or the replica has closed. How
  /// often that was, in all.
  std::uint64_t given_back() const noexcept { return given_back_.load(std::memory_order_relaxed); }
  error failure(errc code) const; ///< With its text.

private:
  friend class cell;
  friend class call_base;

  /// What is done after the mutex is free: an enqueue or a destructor may run anything.
  struct afterwards {
    std::vector<caf::strong_actor_ptr> wake;
    std::vector<caf::strong_actor_ptr> drop;
    void run(caf::execution_unit* unit);
  };
  static constexpr std::uint64_t refusing_bit = std::uint64_t{1} << 63;
  static constexpr attempt_number max_attempts = 3;

  router(caf::actor_system& sys, router_options options);
  // `again`: a bit of room_ was away for a moment while there was room; look at gate_ after.
  cell* reserve(const call_base& call, bool& again) noexcept;
  cell* reserve_among(const room_index& these, std::uint64_t chance, std::uint32_t limit, bool& again) noexcept;
  bool reserve_at(cell& where, bool& again) noexcept;
  bool note_full(cell& where) noexcept;
  void note_room(cell& where) noexcept;
  bool may_try_again(const call_base& call) const noexcept;
  bool has_room(std::uint64_t word) const noexcept;
  void release_slot(cell& where) noexcept;
  void drop_slot_locked(cell& where, afterwards& after) noexcept; // wakes no waiting call
  void free_locked(cell& where, afterwards& after) noexcept;
  void place_new(call_ptr call, cell& at, caf::execution_unit* unit);
  void enqueue_new(call_ptr call, caf::execution_unit* unit);
  void enqueue_again(std::vector<call_ptr> calls);
  void serve() noexcept;
  void serve_locked(afterwards& after);
  void unlink_waiting(call_base& call) noexcept;
  void watch_deadline(call_base& call);

  // What every call touches.
  alignas(64) std::atomic<std::uint64_t> arrivals_{0};
  std::atomic<std::uint64_t> gate_{0}; // number of waiting calls, and refusing_bit
  // What every call reads.
  alignas(64) std::atomic<std::uint32_t> max_ongoing_{1};
  std::atomic<std::uint32_t> limit_{0}; // all cells in use lie below
  std::atomic<bool> idempotent_{false};
  std::atomic<bool> has_near_{false}; // there was one
  std::uint64_t seed_ = 0;
  room_index room_;
  room_index near_room_; // of the near ones, besides
  cell_pool pool_;
  caf::actor_system& system_;

  mutable std::mutex mutex_; // from here on
  router_options options_;
  session_table sessions_; // of the open cells; written under mutex_, read without
  waiting_queue queue_;
  std::optional<error> refusing_;
  bool shut_ = false;
  std::uint64_t epoch_ = 0;

  std::atomic<std::uint64_t> overdue_{0};
  std::atomic<std::uint64_t> given_back_{0};
  wheel wheel_;
  std::function<void(time_point)> arm_; // set before the first call
  std::function<void()> on_room_;       // likewise
};

} // namespace troupe
