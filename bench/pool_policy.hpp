// A trial (--policy pool): what a worker wakes it runs itself, next; sleeping workers poll nothing.
//
// Jobs that come from a worker go to the front of its own queue, all others to the shared one. A worker takes from its
// own queue, then from the shared one, then from another's back. Workers without work sleep; while somebody works, one
// of them looks every millisecond whether a job waits behind a long one.
#pragma once

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace troupe::bench {

class pool_policy : public caf::policy::unprofiled {
public:
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    std::mutex lock;
    std::condition_variable wake;
    std::deque<caf::resumable*> queue;
    std::size_t sleeping = 0;
    std::size_t signalled = 0; // sleepers on their way to the lock
    bool watched = false;      // one of the sleepers looks again by itself
    std::atomic<bool> anyone_asleep{false};
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    worker_data(const worker_data&) {}
    std::mutex lock;
    std::deque<caf::resumable*> own;
    unsigned streak = 0; // own jobs since the last look at the shared queue
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
    if (waiting < 2 || !x.anyone_asleep.load(std::memory_order_relaxed))
      return; // the next one is for this worker
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
  caf::resumable* take(Worker* from) {
    auto& w = d(from);
    const std::lock_guard guard{w.lock};
    if (w.own.empty())
      return nullptr;
    auto* job = w.own.front();
    w.own.pop_front();
    return job;
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    auto& mine = d(self);
    auto& x = d(self->parent());
    if (++mine.streak < 64)
      if (auto* job = take(self))
        return job;
    mine.streak = 0;
    std::unique_lock guard{x.lock};
    for (;;) {
      if (!x.queue.empty()) {
        auto* job = x.queue.front();
        x.queue.pop_front();
        return job;
      }
      guard.unlock();
      const auto n = self->parent()->num_workers();
      for (std::size_t i = 0; i < n; ++i)
        if (auto* job = take(self->parent()->worker_by_id((self->id() + i) % n)))
          return job;
      guard.lock();
      if (!x.queue.empty())
        continue;
      ++x.sleeping;
      x.anyone_asleep.store(true, std::memory_order_relaxed);
      if (!x.watched && x.sleeping < n) {
        x.watched = true;
        x.wake.wait_for(guard, std::chrono::milliseconds{1});
        x.watched = false;
      } else {
        x.wake.wait(guard);
      }
      if (x.signalled > 0)
        --x.signalled;
      if (--x.sleeping == 0)
        x.anyone_asleep.store(false, std::memory_order_relaxed);
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
};

} // namespace troupe::bench
