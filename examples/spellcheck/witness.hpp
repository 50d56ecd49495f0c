// Sees every event of the runtime and keeps what the verdict needs: how many replicas were available at worst, how long
// each wave took, how each update ended.
#pragma once

#include <troupe/troupe.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace spellcheck {

using seconds = std::chrono::duration<double>;

/// One thing that the operator did, as it went.
struct update {
  std::string name;
  std::uint32_t floor = 0;      ///< Replicas that must be available at any moment.
  std::uint32_t fewest = 0;     ///< That were.
  std::vector<seconds> waves{}; ///< That ended.
  bool cut_short = false;       ///< Another wave began, and did not end.
  seconds took{0};
  bool whole = false;   ///< It has ended.
  std::string broken{}; ///< The promise that it broke; empty = none.
};

struct noted_event {
  seconds at{0}; ///< Since the program began.
  std::string text;
};

/// Thread-safe. The count of available replicas is exact: the runtime reports each replica that begins or ends to take
/// requests, one after the other, and nothing is sampled.
class witness {
public:
  /// The hook; returns at once.
  void saw(const troupe::runtime_event& event);

  void begin(std::string name, std::uint32_t floor);
  /// Ends the update that began last; `broken` as in `update`.
  void end(std::string broken);
  /// A line of the operator's own among the events.
  void note(std::string text);
  void stop(); ///< Ends all waiting, for ever.
  bool stopped() const;

  /// Number of events so far. With `await_more` nothing that happens in between is missed.
  std::uint64_t count() const;
  /// Until there are more events than `seen`, `stop`, or `until`; whether there are more.
  bool await_more(std::uint64_t seen, std::chrono::steady_clock::time_point until);
  /// A pause for people; false when stopped.
  bool pause(seconds time);

  std::vector<update> updates() const;
  /// Events from number `from` on, and the number after the last.
  std::vector<noted_event> events(std::uint64_t& from) const;
  seconds elapsed() const { return std::chrono::steady_clock::now() - began_; }

private:
  void note_locked(std::string text);

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_; // from here on
  std::condition_variable changed_;
  std::unordered_set<std::uint64_t> available_;
  std::vector<update> updates_;
  bool in_update_ = false;
  seconds update_began_{0};
  bool in_wave_ = false;
  seconds wave_began_{0};
  std::vector<noted_event> events_; ///< For people; those of single replicas are not among them.
  std::uint64_t count_ = 0;
  bool stopped_ = false;
};

} // namespace spellcheck
