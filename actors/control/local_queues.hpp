// A policy for CAF's scheduler: what a worker wakes it runs itself, soon; nothing polls when nothing happens.
//
// A burst of calls between an actor and a replica then stays on one core, where `work_sharing` sends every wake-up
// through one queue to another thread, and `work_stealing` burns time looking for work (docs/decisions/0005, with
// figures).
#pragma once

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::control {

/// Jobs that come from a worker go to that worker's own queue, all others to the shared one. A worker takes from its
/// own queue, from time to time and when that is empty from the shared one, then from another's. While somebody works
/// or has just worked, one of the sleeping workers, the watcher, looks every millisecond whether a job waits behind a
/// long one; else nobody does. Who fell asleep last is woken first, who had found nothing later, the watcher last.
/// While a job waits and not everybody works, there is a watcher or somebody has been woken. Member names and templates
/// are CAF's policy concept.
class local_queues : public caf::policy::unprofiled {
public:
  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    worker_data(const worker_data&) {} // CAF copies it once, when it is empty
    std::mutex lock;
    std::deque<caf::resumable*> own;
    unsigned streak = 0;      ///< Own jobs since the last look at the shared queue.
    unsigned since_sleep = 0; ///< Jobs.
    unsigned hopes = 0;       ///< Above 0: one of the last looks before a sleep found a job.
    unsigned looks = 0;
    std::condition_variable wake;
    bool woken = false; ///< Under the coordinator's lock.

    /// How often to look again before going to sleep: where that finds nothing, only now and then.
    unsigned patience() noexcept { return hopes > 0 || ++looks % 16 == 0 ? 1 : 0; }
    void hope() noexcept { hopes = 8; }
    void despair() noexcept { hopes -= hopes > 0 ? 1 : 0; }
  };

  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    std::mutex lock;
    std::deque<caf::resumable*> queue;
    std::vector<worker_data*> asleep; ///< The last one is woken next.
    worker_data* watcher = nullptr;   ///< Asleep too, for a millisecond.
    std::size_t coming = 0;           ///< Woken and on their way to the lock.
    bool worked = false;              ///< Somebody who had went to sleep since a watcher last did.
    std::atomic<bool> watched{false}; ///< There is a watcher.
    std::atomic<bool> anyone_asleep{false};
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    auto& x = d(self);
    worker_data* sleeper = nullptr;
    {
      const std::lock_guard guard{x.lock};
      x.queue.push_back(job);
      sleeper = next_sleeper(x);
    }
    notify(sleeper);
  }

  /// As `central_enqueue` of each, but workers are woken once, when all are in the queue, and no more of them than it
  /// takes: one for each `share` jobs.
  template <class Coordinator, class Jobs>
  static void enqueue_all(Coordinator& self, const Jobs& jobs) {
    constexpr std::size_t share = 64;
    auto& x = self.data();
    std::vector<worker_data*> sleepers;
    {
      const std::lock_guard guard{x.lock};
      x.queue.insert(x.queue.end(), jobs.begin(), jobs.end());
      // Those awake are taken to get through their share; if not, the watcher sees it.
      const auto wanted = (x.queue.size() + share - 1) / share;
      for (auto awake = self.num_workers() - count_asleep(x); awake < wanted; ++awake) {
        auto* sleeper = next_sleeper(x);
        if (!sleeper)
          break;
        sleepers.push_back(sleeper);
      }
      if (sleepers.empty() && !x.watcher)
        if (auto* sleeper = next_sleeper(x))
          sleepers.push_back(sleeper);
    }
    for (auto* sleeper : sleepers)
      notify(sleeper);
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    auto& mine = d(self);
    std::size_t waiting = 0;
    {
      const std::lock_guard guard{mine.lock};
      mine.own.push_back(job);
      waiting = mine.own.size();
    }
    auto& x = d(self->parent());
    // One job is for this worker itself; should it not get to it soon, the watcher takes it.
    if (!x.anyone_asleep.load(std::memory_order_relaxed) || (waiting < 2 && x.watched.load(std::memory_order_relaxed)))
      return;
    worker_data* sleeper = nullptr;
    {
      const std::lock_guard guard{x.lock};
      if (x.coming == 0)
        sleeper = next_sleeper(x);
    }
    notify(sleeper);
  }

  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    constexpr unsigned longest_streak = 64, many = 64;
    auto& mine = d(self);
    auto& x = d(self->parent());
    ++mine.since_sleep;
    if (++mine.streak < longest_streak)
      if (auto* job = take(self))
        return job;
    mine.streak = 0;
    auto patience = mine.since_sleep >= many ? 20U : mine.patience();
    unsigned tries = 0;
    bool woken = false;
    std::unique_lock guard{x.lock};
    for (;;) {
      if (auto* job = look_around(self, guard)) {
        if (tries > 0)
          mine.hope();
        if (woken)
          pass_on(self);
        return job;
      }
      // More jobs may be about to come: to sleep and be woken costs more than to let others get on.
      if (tries < patience) {
        ++tries;
        std::this_thread::yield();
        guard.lock();
        continue;
      }
      guard.lock();
      if (!x.queue.empty())
        continue;
      if (tries > 0)
        mine.despair();
      sleep(x, mine, self->parent()->num_workers(), guard);
      patience = tries = 0;
      woken = true;
    }
  }

  template <class Worker, class F>
  void foreach_resumable(Worker* self, F f) {
    while (auto* job = take(self))
      f(job);
  }

  template <class Coordinator, class F>
  void foreach_central_resumable(Coordinator* self, F f) {
    auto& x = d(self);
    const std::lock_guard guard{x.lock};
    for (auto* job : x.queue)
      f(job);
    x.queue.clear();
  }

private:
  /// In the shared queue, then in all workers' own, its own first. Leaves the lock open.
  template <class Worker>
  caf::resumable* look_around(Worker* self, std::unique_lock<std::mutex>& guard) {
    auto& x = d(self->parent());
    if (!x.queue.empty()) {
      auto* job = x.queue.front();
      x.queue.pop_front();
      guard.unlock();
      return job;
    }
    guard.unlock();
    const auto n = self->parent()->num_workers();
    for (std::size_t i = 0; i < n; ++i)
      if (auto* job = take(self->parent()->worker_by_id((self->id() + i) % n)))
        return job;
    return nullptr;
  }

  /// A worker that slept has found a job, which may block. What is left, of jobs that others have put into their own
  /// queues relying on it to look, or of many that it was woken for, is for the next sleeper.
  template <class Worker>
  void pass_on(Worker* self) {
    auto& x = d(self->parent());
    if (!x.anyone_asleep.load(std::memory_order_relaxed))
      return;
    const auto n = self->parent()->num_workers();
    bool left = false;
    for (std::size_t i = 1; i < n && !left; ++i) {
      auto& other = d(self->parent()->worker_by_id((self->id() + i) % n));
      const std::lock_guard guard{other.lock};
      left = !other.own.empty();
    }
    worker_data* sleeper = nullptr;
    {
      const std::lock_guard guard{x.lock};
      if (left || (!x.watcher && !x.queue.empty()))
        sleeper = next_sleeper(x);
    }
    notify(sleeper);
  }

  static std::size_t count_asleep(const coordinator_data& x) { return x.asleep.size() + (x.watcher ? 1 : 0); }

  static void set_watcher(coordinator_data& x, worker_data* to) {
    x.watcher = to;
    x.watched.store(to != nullptr, std::memory_order_relaxed);
    x.anyone_asleep.store(count_asleep(x) != 0, std::memory_order_relaxed);
  }

  static void notify(worker_data* sleeper) {
    if (sleeper)
      sleeper->wake.notify_one();
  }

  /// Under the lock: whom to notify once that is free, if anybody sleeps.
  static worker_data* next_sleeper(coordinator_data& x) {
    worker_data* out = x.watcher;
    if (!x.asleep.empty()) {
      out = x.asleep.back();
      x.asleep.pop_back();
      x.anyone_asleep.store(count_asleep(x) != 0, std::memory_order_relaxed);
    } else if (out) {
      set_watcher(x, nullptr);
    }
    if (out) {
      out->woken = true;
      ++x.coming;
    }
    return out;
  }

  /// Under the lock, which `guard` holds, until somebody has work or the watcher's time is over.
  static void sleep(coordinator_data& x, worker_data& mine, std::size_t workers, std::unique_lock<std::mutex>& guard) {
    const auto has_worked = mine.since_sleep > 0;
    mine.since_sleep = 0;
    mine.woken = false;
    x.worked = x.worked || has_worked;
    if (!x.watcher && (x.worked || count_asleep(x) + 1 < workers)) {
      x.worked = false;
      set_watcher(x, &mine);
      if (!mine.wake.wait_for(guard, std::chrono::milliseconds{1}, [&] { return mine.woken; }))
        return set_watcher(x, nullptr);
    } else {
      // Who has found nothing is the coldest of them.
      x.asleep.insert(has_worked ? x.asleep.end() : x.asleep.begin(), &mine);
      x.anyone_asleep.store(true, std::memory_order_relaxed);
      mine.wake.wait(guard, [&] { return mine.woken; });
    }
    --x.coming;
  }

  template <class Worker>
  caf::resumable* take(Worker* from) {
    auto& w = d(from);
    const std::lock_guard guard{w.lock};
    if (w.own.empty())
      return nullptr;
    auto* job = w.own.front();
    w.own.pop_front();
    return job;
  }
};

} // namespace troupe::control
