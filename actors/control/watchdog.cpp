// The watchdog: one slot per thread, written by that thread alone, read once per second.
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/control/watchdog.hpp>
#include <troupe/messages/control.hpp>

#include <algorithm>
#include <thread>

namespace troupe::control {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::seconds slow{1};

// Set in the low bit of `current` while the watchdog reads the run: its thread waits that long before it ends the run.
constexpr std::uintptr_t pinned = 1;

std::uintptr_t address(running_code* x) { return reinterpret_cast<std::uintptr_t>(x); }

} // namespace

struct watchdog::thread_slot {
  // Written by the thread (and pinned by the watchdog).
  std::atomic<std::uintptr_t> current{0};
  std::atomic<std::uint64_t> run{0}; ///< Of `current`; 0 = none.
  std::uint64_t runs = 0;            ///< The thread's own count.
  std::atomic<bool> closed{false};   ///< The watchdog is gone.

  // The watchdog's notes.
  std::uint64_t seen_run = 0;
  steady::time_point seen_at{};
  bool logged = false;
  bool reported = false;
};

// A thread may serve several environments, one after the other or nested; it has one slot in each.
struct watchdog::thread_cache {
  struct entry {
    const watchdog* owner;
    std::shared_ptr<thread_slot> slot;
  };
  std::vector<entry> entries;

  static thread_cache& of_this_thread() {
    static thread_local thread_cache cache;
    return cache;
  }
};

watchdog::watchdog() = default;

watchdog::~watchdog() {
  for (auto& slot : slots_)
    slot->closed = true; // another watchdog may come to lie at this address
}

watchdog::thread_slot& watchdog::slot_of_this_thread() {
  auto& entries = thread_cache::of_this_thread().entries;
  for (auto& e : entries)
    if (e.owner == this && !e.slot->closed.load(std::memory_order_relaxed))
      return *e.slot;
  std::erase_if(entries, [](const auto& e) { return e.slot->closed.load(std::memory_order_relaxed); });
  auto slot = std::make_shared<thread_slot>();
  entries.push_back({this, slot});
  std::unique_lock guard{mutex_};
  slots_.push_back(slot);
  return *slot;
}

void watchdog::begin(running_code& code) {
  auto& slot = slot_of_this_thread();
  code.outer = reinterpret_cast<running_code*>(slot.current.load(std::memory_order_relaxed) & ~pinned);
  code.run = ++slot.runs;
  auto expected = address(code.outer);
  while (!slot.current.compare_exchange_weak(expected, address(&code), std::memory_order_acq_rel))
    expected = address(code.outer); // pinned: a moment
  slot.run.store(code.run, std::memory_order_release);
}

void watchdog::end(running_code& code) {
  auto& slot = slot_of_this_thread();
  slot.run.store(code.outer ? code.outer->run : 0, std::memory_order_release);
  auto expected = address(&code);
  while (!slot.current.compare_exchange_weak(expected, address(code.outer), std::memory_order_acq_rel)) {
    expected = address(&code);
    std::this_thread::yield();
  }
}

void watchdog::look(const environment& env, steady::time_point now) {
  std::vector<std::shared_ptr<thread_slot>> slots;
  {
    std::unique_lock guard{mutex_};
    // A thread that has ended has dropped its share of the slot.
    std::erase_if(slots_, [](const auto& slot) { return slot.use_count() == 1; });
    slots = slots_;
  }
  for (auto& slot : slots) {
    const auto run = slot->run.load(std::memory_order_acquire);
    if (run == 0 || run != slot->seen_run) {
      slot->seen_run = run;
      slot->seen_at = now;
      slot->logged = slot->reported = false;
      continue;
    }
    const auto running = now - slot->seen_at;
    if (running < slow || (slot->logged && slot->reported))
      continue;
    auto current = slot->current.load(std::memory_order_acquire);
    if (current == 0 || !slot->current.compare_exchange_strong(current, current | pinned, std::memory_order_acq_rel))
      continue; // it ended just now
    const auto* code = reinterpret_cast<const running_code*>(current);
    const auto copy = *code;
    std::string name;
    std::chrono::milliseconds stuck_after{0};
    caf::strong_actor_ptr owner;
    if (copy.run == run) {
      if (copy.deployment) {
        name = copy.deployment->name;
        stuck_after = std::chrono::milliseconds{copy.deployment->stuck_after_ms.load(std::memory_order_relaxed)};
      }
      owner = caf::strong_actor_ptr{copy.owner};
    }
    slot->current.store(current, std::memory_order_release);
    if (copy.run != run)
      continue;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(running);
    if (!slot->logged) {
      slot->logged = true;
      env.log(log_level::warning, "slow user code: " + to_string(copy.kind) + " of " + name + " replica " +
                                      std::to_string(copy.replica.id) + " runs for more than " +
                                      std::to_string(ms.count()) + " ms");
    }
    if (!slot->reported && copy.kind == user_code_kind::handler && copy.deployment && running > stuck_after) {
      slot->reported = true;
      post_message(env, nullptr, nullptr, owner, caf::make_message(replica_stuck{copy.replica, ms}));
    }
  }
}

std::size_t watchdog::threads() const {
  std::unique_lock guard{mutex_};
  return slots_.size();
}

} // namespace troupe::control
