// A policy for CAF's scheduler: what a worker wakes it runs itself, next; workers without work sleep and poll nothing.
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

namespace troupe::control {

/// Jobs that come from a worker go to that worker's own queue, all others to the shared one. A worker takes from its
/// own queue, from time to time and when that is empty from the shared one, then from another's. While somebody works,
/// one of the sleeping workers looks every millisecond whether a job waits behind a long one; when all sleep, nobody
/// does. Member names and templates are CAF's policy concept.
class local_queues : public caf::policy::unprofiled {
public:
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    std::mutex lock;
    std::condition_variable wake;
    std::deque<caf::resumable*> queue;
    std::size_t sleeping = 0;
    std::size_t signalled = 0;        ///< Sleepers on their way to the lock.
    std::atomic<bool> watched{false}; ///< One of the sleepers looks again by itself.
    std::atomic<bool> anyone_asleep{false};
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    worker_data(const worker_data&) {} // CAF copies it once, when it is empty
    std::mutex lock;
    std::deque<caf::resumable*> own;
    unsigned streak = 0;      ///< Own jobs since the last look at the shared queue.
    unsigned since_sleep = 0; ///< Jobs.
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    auto& x = d(self);
    {
      const std::lock_guard guard{x.lock};
      x.queue.push_back(job);
      if (x.sleeping <= x.signalled)
        return;
      ++x.signalled;
    }
    x.wake.notify_one();
  }

  /// As `central_enqueue` of each, but workers are woken once, when all are in the queue, and no more of them than it
  /// takes: one for each `share` jobs.
  template <class Coordinator, class Jobs>
  static void enqueue_all(Coordinator& self, const Jobs& jobs) {
    constexpr std::size_t share = 64;
    auto& x = self.data();
    std::size_t to_wake = 0;
    {
      const std::lock_guard guard{x.lock};
      x.queue.insert(x.queue.end(), jobs.begin(), jobs.end());
      // Those awake are taken to get through their share; if not, the watching sleeper sees it.
      const auto wanted = (x.queue.size() + share - 1) / share;
      const auto awake = self.num_workers() - x.sleeping + x.signalled;
      if (wanted > awake)
        to_wake = std::min(wanted - awake, x.sleeping - std::min(x.sleeping, x.signalled));
      x.signalled += to_wake;
    }
    for (; to_wake > 0; --to_wake)
      x.wake.notify_one();
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
    // One job is for this worker itself; should it not get to it soon, the watching sleeper takes it.
    if (!x.anyone_asleep.load(std::memory_order_relaxed) || (waiting < 2 && x.watched.load(std::memory_order_relaxed)))
      return;
    {
      const std::lock_guard guard{x.lock};
      if (x.signalled > 0 || x.sleeping == 0)
        return;
      ++x.signalled;
    }
    x.wake.notify_one();
  }

  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    constexpr unsigned longest_streak = 64, many = 64, patience = 20;
    unsigned tries = 0;
    bool woken = false;
    auto& mine = d(self);
    auto& x = d(self->parent());
    ++mine.since_sleep;
    if (++mine.streak < longest_streak)
      if (auto* job = take(self))
        return job;
    mine.streak = 0;
    std::unique_lock guard{x.lock};
    for (;;) {
      if (!x.queue.empty()) {
        auto* job = x.queue.front();
        x.queue.pop_front();
        guard.unlock();
        if (woken)
          pass_on(self);
        return job;
      }
      guard.unlock();
      const auto n = self->parent()->num_workers();
      for (std::size_t i = 0; i < n; ++i)
        if (auto* job = take(self->parent()->worker_by_id((self->id() + i) % n))) {
          if (woken)
            pass_on(self);
          return job;
        }
      // After many jobs more are to be expected: to sleep and be woken would cost more than to let others get on.
      if (mine.since_sleep >= many && tries++ < patience) {
        std::this_thread::yield();
        guard.lock();
        continue;
      }
      guard.lock();
      if (!x.queue.empty())
        continue;
      mine.since_sleep = 0;
      tries = 0;
      ++x.sleeping;
      x.anyone_asleep.store(true, std::memory_order_relaxed);
      if (!x.watched.load(std::memory_order_relaxed) && x.sleeping < n) {
        x.watched.store(true, std::memory_order_relaxed);
        x.wake.wait_for(guard, std::chrono::milliseconds{1});
        x.watched.store(false, std::memory_order_relaxed);
      } else {
        x.wake.wait(guard);
      }
      if (x.signalled > 0)
        --x.signalled;
      if (--x.sleeping == 0)
        x.anyone_asleep.store(false, std::memory_order_relaxed);
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
  /// A worker that slept has found a job, which may block. What others have meanwhile put into their own queues,
  /// relying on it to look, is for the next sleeper.
  template <class Worker>
  void pass_on(Worker* self) {
    auto& x = d(self->parent());
    const auto n = self->parent()->num_workers();
    for (std::size_t i = 1; i < n && x.anyone_asleep.load(std::memory_order_relaxed); ++i) {
      auto& other = d(self->parent()->worker_by_id((self->id() + i) % n));
      {
        const std::lock_guard guard{other.lock};
        if (other.own.empty())
          continue;
      }
      {
        const std::lock_guard guard{x.lock};
        if (x.sleeping <= x.signalled)
          return;
        ++x.signalled;
      }
      return x.wake.notify_one();
    }
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
