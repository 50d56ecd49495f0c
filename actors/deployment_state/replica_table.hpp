// The replicas of one deployment: records, counts and index lists, so that every question and change costs O(1).
#pragma once

#include <troupe/actors/deployment_state/release.hpp>
#include <troupe/messages/replica.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

namespace troupe::deployment_state {

/// A point on the runtime's steady clock (virtual in tests).
using instant = std::chrono::nanoseconds;

constexpr std::uint32_t nil = std::numeric_limits<std::uint32_t>::max();

/// Where a replica stands in its life.
enum class life : std::uint8_t {
  starting, ///< Under construction or first configuration.
  settling, ///< Started; not yet healthy for `min_ready`.
  available,
  reconfiguring, ///< Counts as available.
  stopping,      ///< Takes no requests; ends what it has begun.
  given_up,      ///< Its code still runs past all deadlines; replaced, no longer counted.
};
constexpr std::size_t life_count = 6;

/// On whose account a replica stops.
enum class stop_cause : std::uint8_t {
  wave,    ///< Replaced by the running wave.
  surplus, ///< Superseded, scaled down, or beyond N after a failure.
  fault,   ///< Failed checks, stuck, or a thrown reconfigure.
  removed, ///< The deployment is deleted.
};

/// One replica. Links are slots in the table, `nil` at the ends.
struct record {
  std::uint64_t id = 0; ///< 0 = free.
  instant since{0};
  instant available_since{0}; ///< Of an available one; a reconfigure does not change it.
  instant deadline{0}; ///< Of its life (start, min_ready, reconfigure, drain); meaningful while in a timer queue.
  instant check_at{0}; ///< Next check, or the open check's deadline.
  std::uint32_t prev = nil, next = nil;
  std::uint32_t timer_prev = nil, timer_next = nil;
  std::uint32_t check_prev = nil, check_next = nil;
  std::uint32_t wave = 0; ///< Wave that it was started for; 0 = none.
  std::uint32_t config_seq = 0;
  std::uint32_t check_seq = 0;
  std::uint32_t attempts_epoch = 0;
  std::uint16_t attempts = 0; ///< Failed starts of its slot before it.
  std::uint32_t node = 0;     ///< `machine::nodes_`; 0 = this machine.
  std::uint16_t cohort = 0;
  life phase = life::starting;
  stop_cause cause = stop_cause::wave;
  std::uint8_t failed_checks = 0;
  bool timed : 1 = false; ///< In a timer queue.
  bool check_open : 1 = false;
  bool check_queued : 1 = false;
  bool failing : 1 = false;     ///< Failed its checks and waits to be taken out.
  bool queued : 1 = false;      ///< In the queue of those to be taken out.
  bool for_check : 1 = false;   ///< Replaces one that checks took out.
  bool replacement : 1 = false; ///< Replaces one that had been available.
};

/// Intrusive list of slots in the order of entry.
struct slot_list {
  std::uint32_t head = nil, tail = nil, count = 0;
};

/// All replicas with the same code and the same config.
struct cohort {
  release_ptr origin; ///< A release with these ids: label, revisions, config.
  std::uint32_t code_id = 0;
  std::uint32_t config_id = 0;
  std::uint32_t vacant = 0; ///< Slots of these that wait for their backoff or for room.
  std::array<slot_list, life_count> lists;
  std::uint32_t of(life l) const { return lists[static_cast<std::size_t>(l)].count; }
  std::uint32_t unavailable() const { return of(life::starting) + of(life::settling); }
  std::uint32_t available() const { return of(life::available) + of(life::reconfiguring); }
  std::uint32_t live() const { return unavailable() + available(); }
};

/// Confined to its machine. Slots are reused, ids never.
class replica_table {
public:
  /// A new record in `life::starting`.
  replica_ref add(const release_ptr& r, instant now);
  void erase(std::uint32_t slot);

  /// The record, or null when `ref` is of a replica that is gone.
  record* find(const replica_ref& ref);
  record& at(std::uint32_t slot) { return records_[slot]; }
  const record& at(std::uint32_t slot) const { return records_[slot]; }
  replica_ref ref(std::uint32_t slot) const { return {records_[slot].id, slot}; }

  /// Moves to another life; leaves its timer queue and, when it stops, its check queue.
  void move(std::uint32_t slot, life to, instant now);
  /// Moves to the cohort of `r`, keeping its life.
  void regroup(std::uint32_t slot, const release_ptr& r);

  /// Puts `slot` in the timer queue of its life.
  void set_deadline(std::uint32_t slot, instant at);
  void clear_deadline(std::uint32_t slot);
  /// First of the timer queue of `l`, or nil.
  std::uint32_t first_timer(life l) const { return timers_[static_cast<std::size_t>(l)].head; }

  /// Puts `slot` in the queue of the next checks, or of the open ones.
  void set_check(std::uint32_t slot, instant at, bool open);
  void clear_check(std::uint32_t slot);
  std::uint32_t first_check(bool open) const { return checks_[open ? 1 : 0].head; }

  const std::vector<cohort>& cohorts() const { return cohorts_; }
  std::vector<cohort>& cohorts() { return cohorts_; }
  cohort& cohort_of(std::uint32_t slot) { return cohorts_[records_[slot].cohort]; }

  void place(std::uint32_t slot, std::uint32_t node);

  /// Counts what came, went, or moved to another life, cohort or node.
  std::uint64_t changes() const { return changes_; }
  std::uint32_t of(life l) const { return totals_[static_cast<std::size_t>(l)]; }
  std::uint32_t live() const { return of(life::starting) + of(life::settling) + available(); }
  std::uint32_t available() const { return of(life::available) + of(life::reconfiguring); }
  /// Replicas that hold room: all but those given up.
  std::uint32_t existing() const { return live() + of(life::stopping); }

  /// Calls `f(slot)` for every record; for status only.
  template <class F>
  void each(F f) const {
    for (std::uint32_t i = 0; i < records_.size(); ++i)
      if (records_[i].id != 0)
        f(i);
  }

  /// Where those of `r` are, or will be: an unused cohort goes to another release at the next call, unless something is
  /// put there.
  std::uint16_t cohort_for(const release_ptr& r);

private:
  slot_list& list_of(record& r) { return cohorts_[r.cohort].lists[static_cast<std::size_t>(r.phase)]; }
  void link(std::uint32_t slot);
  void unlink(std::uint32_t slot);

  std::vector<record> records_;
  std::vector<std::uint32_t> free_;
  std::vector<cohort> cohorts_;
  std::array<std::uint32_t, life_count> totals_{};
  std::array<slot_list, life_count> timers_;
  std::array<slot_list, 2> checks_;
  std::uint64_t next_id_ = 1;
  std::uint64_t changes_ = 0;
};

} // namespace troupe::deployment_state
