// The inbox: a stack of tasks, one wake-up for as many as come before the thread looks.
#include <troupe/app/http/loop.hpp>

#include <boost/asio/post.hpp>

#include <cstdint>

namespace troupe::http {

namespace {

thread_local constinit loop* current_loop = nullptr;

} // namespace

loop* loop::current() noexcept { return current_loop; }

task* loop::closed() noexcept {
  return reinterpret_cast<task*>(std::uintptr_t{1}); // no task is there
}

loop::~loop() { leave(); }

void loop::enter() noexcept { current_loop = this; }

void loop::leave() noexcept {
  if (current_loop == this)
    current_loop = nullptr;
  auto* all = head_.exchange(closed(), std::memory_order_acq_rel);
  while (all && all != closed()) {
    auto* next = all->next;
    all->drop();
    all = next;
  }
}

void loop::push(task& x) noexcept {
  const auto self = shared_from_this(); // once the task is in, whoever held this may be gone
  auto* head = head_.load(std::memory_order_relaxed);
  do {
    if (head == closed())
      return x.drop();
    x.next = head;
  } while (!head_.compare_exchange_weak(head, &x, std::memory_order_acq_rel, std::memory_order_relaxed));
  if (!head)
    boost::asio::post(io, [self] { self->drain(); });
}

void loop::drain() noexcept {
  auto* newest = head_.load(std::memory_order_acquire);
  do {
    if (newest == closed())
      return;
  } while (!head_.compare_exchange_weak(newest, nullptr, std::memory_order_acq_rel, std::memory_order_acquire));
  task* oldest = nullptr;
  while (newest) {
    auto* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest) {
    auto* next = oldest->next;
    oldest->run();
    oldest = next;
  }
}

} // namespace troupe::http
