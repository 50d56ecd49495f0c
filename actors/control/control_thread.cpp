// The control thread: a queue of resumable actors, a thread that resumes them, and a look once per second.
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/local_queues.hpp>
#include <troupe/actors/control/units.hpp>

#include <caf/actor_system.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::control {

namespace {

using steady = std::chrono::steady_clock;

/// Messages that one actor handles before the next one has its turn.
constexpr std::size_t turn = 64;

/// Hands on what control actors woke after each of their turns, in bulk: a worker that is woken for every single job
/// takes the core away from who has the next one ready.
class outbound_unit final : public caf::execution_unit {
public:
  outbound_unit(caf::actor_system& sys, const std::thread::id& own)
      : caf::execution_unit(&sys), own_(own),
        local_(dynamic_cast<caf::scheduler::coordinator<local_queues>*>(&sys.scheduler())) {}

  void exec_later(caf::resumable* job) override {
    if (std::this_thread::get_id() != own_) { // handed on from elsewhere: no turn of ours will follow
      system().scheduler().enqueue(job);
      return;
    }
    woken_.push_back(job);
    if (woken_.size() >= most_woken)
      hand_on();
  }

  void hand_on() {
    if (woken_.empty())
      return;
    if (local_)
      local_queues::enqueue_all(*local_, woken_);
    else
      for (auto* job : woken_)
        system().scheduler().enqueue(job);
    woken_.clear();
  }

private:
  static constexpr std::size_t most_woken = 256;
  const std::thread::id& own_;
  caf::scheduler::coordinator<local_queues>* local_;
  std::vector<caf::resumable*> woken_;
};

} // namespace

// Shared with the thread, which may outlive the object by the little that `stop` on the thread itself leaves to do.
struct control_thread::state final : caf::execution_unit {
  explicit state(caf::actor_system& sys) : caf::execution_unit(&sys), outbound(sys, id) {}

  // The inbound unit. Called on any thread, with a reference to `job` that the queue takes over.
  void exec_later(caf::resumable* job) override {
    {
      std::unique_lock guard{mutex};
      if (!stopping) {
        jobs.push_back(job);
        if (!asleep)
          return;
        asleep = false; // one notification per sleep
        guard.unlock();
        wake.notify_one();
        return;
      }
    }
    system().scheduler().enqueue(job);
  }

  void run() {
    pthread_setname_np(pthread_self(), "troupe.control");
    auto next_look = steady::now() + std::chrono::seconds{1};
    std::deque<caf::resumable*> batch;
    constexpr std::size_t many = 16;
    constexpr int patience = 50; // yields
    std::size_t done = 0;        // jobs since the last sleep
    std::unique_lock guard{mutex};
    while (!stopping) {
      // After many jobs more are to be expected: to sleep and be woken would cost more than to let the others get on.
      for (int i = 0; jobs.empty() && !stopping && done >= many && i < patience; ++i) {
        guard.unlock();
        std::this_thread::yield();
        guard.lock();
      }
      if (jobs.empty() && !stopping) {
        asleep = true;
        wake.wait_until(guard, next_look, [&] { return stopping || !jobs.empty(); });
        asleep = false;
        done = 0;
      }
      batch.swap(jobs);
      guard.unlock();
      done += batch.size();
      while (!batch.empty()) {
        auto* job = batch.front();
        batch.pop_front();
        resume(job);
      }
      if (const auto now = steady::now(); now >= next_look) {
        next_look = now + std::chrono::seconds{1};
        look_now(now);
      }
      guard.lock();
    }
    auto rest = std::exchange(jobs, {});
    guard.unlock();
    for (auto* job : rest)
      system().scheduler().enqueue(job);
  }

  void resume(caf::resumable* job) {
    const bool more = resume_once(job, outbound, turn);
    outbound.hand_on();
    if (more)
      exec_later(job);
  }

  void look_now(steady::time_point now) {
    look f;
    {
      std::unique_lock guard{mutex};
      f = on_look;
    }
    if (f)
      f(now);
  }

  outbound_unit outbound;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<caf::resumable*> jobs;
  look on_look;
  bool asleep = false;
  bool stopping = false;
  std::thread thread; // touched by `stop` alone once started
  std::thread::id id;
};

control_thread::control_thread(caf::actor_system& sys) : state_(std::make_shared<state>(sys)) {
  std::unique_lock guard{state_->mutex}; // the thread begins after `id` is set
  state_->thread = std::thread{[s = state_] {
    { std::unique_lock wait{s->mutex}; }
    s->run();
  }};
  state_->id = state_->thread.get_id();
}

control_thread::~control_thread() { stop(); }

caf::execution_unit* control_thread::inbound() noexcept { return state_.get(); }

caf::execution_unit* control_thread::outbound() noexcept { return &state_->outbound; }

bool control_thread::is_current() const noexcept { return std::this_thread::get_id() == state_->id; }

void control_thread::every_second(look f) {
  std::unique_lock guard{state_->mutex};
  state_->on_look = std::move(f);
}

void control_thread::stop() {
  std::thread thread;
  {
    std::unique_lock guard{state_->mutex};
    state_->stopping = true;
    thread = std::move(state_->thread);
  }
  state_->wake.notify_one();
  if (!thread.joinable())
    return;
  if (is_current())
    thread.detach();
  else
    thread.join();
}

} // namespace troupe::control
