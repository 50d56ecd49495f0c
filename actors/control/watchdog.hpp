// Knows which user code runs on which thread, for how long, and tells the owner of a replica whose handler is stuck.
#pragma once

#include <troupe/actors/control/user_code.hpp>

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::control {

class environment;

/// What the watchdog must know of one deployment. Shared by its replicas; `stuck_after` may change while they run.
struct watched_deployment {
  std::string name;                                  ///< `[application/]name`. Not changed once shared.
  std::atomic<std::int64_t> stuck_after_ms{300'000}; ///< A handler that runs longer is stuck. > 0.
};

/// One run of user code, on the stack of the thread that runs it; made by `replica::user_code_scope`.
struct running_code {
  user_code_kind kind = user_code_kind::none;
  replica_ref replica;
  const watched_deployment* deployment = nullptr;
  caf::actor_control_block* owner = nullptr; ///< Gets `replica_stuck`; alive while the code runs. May be null.
  std::uint64_t run = 0;                     ///< Number of this run on its thread.
  running_code* outer = nullptr; ///< What the thread ran when this began (an inlined replica that calls one).
};

/// One per environment. `begin` and `end` cost a few nanoseconds and take no lock once the thread is known.
class watchdog {
public:
  watchdog();
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  void begin(running_code& code);
  void end(running_code& code); ///< On the same thread, in reverse order of `begin`.

  /// Looks at all threads once, O(threads). Runs seen before for longer than `stuck_after` are reported to their owner
  /// (once per run); those longer than 1 s are logged (once per run). `now` is any steady time. One caller at a time.
  void look(const environment& env, std::chrono::steady_clock::time_point now);

  /// Threads that are known, for tests.
  std::size_t threads() const;

private:
  struct thread_slot;
  struct thread_cache;
  thread_slot& slot_of_this_thread();

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<thread_slot>> slots_;
};

} // namespace troupe::control
