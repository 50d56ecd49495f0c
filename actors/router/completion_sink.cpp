// The sink: a stack of outcomes with one wake-up per turn of the actor.
#include <troupe/actors/control/units.hpp>
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/completion_sink.hpp>
#include <troupe/actors/router/wake.hpp>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduled_actor.hpp>

#include <utility>

namespace troupe {

namespace {

/// Continuations per turn; then other messages of the actor get theirs.
constexpr std::uint64_t turn = 1024;

/// A private list, oldest first; frees what was not taken.
struct batch {
  call_base* head = nullptr;
  std::uint64_t& drained;
  call_base* call_base::*link;

  call_ptr pop() noexcept {
    auto* call = head;
    head = call->*link;
    ++drained;
    return call_ptr{call, false};
  }
  ~batch() {
    while (head)
      pop();
  }
};

} // namespace

/// Captured by the response handler: an owner of the sink, and by way of it the actor owns itself while it waits.
class completion_sink::registration {
public:
  registration(sink_ref own, caf::strong_actor_ptr self) : sink(std::move(own)), self_(std::move(self)) {}
  ~registration() {
    // Dropped by CAF while outcomes are outstanding: the actor has quit.
    sink->enlisted_ = false;
    sink->handler_ = nullptr;
    if (sink->expected_ != sink->drained_ && !sink->closed_)
      sink->close();
  }
  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;

  const sink_ref sink;

private:
  caf::strong_actor_ptr self_;
};

call_base* completion_sink::idle() noexcept { return reinterpret_cast<call_base*>(std::uintptr_t{1}); }

call_base* completion_sink::shut() noexcept { return reinterpret_cast<call_base*>(std::uintptr_t{2}); }

completion_sink::completion_sink(caf::scheduled_actor& self)
    : owner_(self.ctrl()), self_(&self), answer_(self.new_request_id(caf::message_priority::normal).response_id()),
      head_(idle()) {}

bool completion_sink::uses(const caf::scheduled_actor& self) const noexcept {
  return self_ == &self && owner_.get() == self.ctrl(); // the weak pointer keeps that address from being reused
}

void completion_sink::expect(caf::scheduled_actor& self) {
  if (closed_) {
    references_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ++expected_;
  if (enlisted_)
    return;
  if (self.getf(caf::abstract_actor::is_shutting_down_flag)) {
    close(); // a handler would keep an actor that has quit from ending
    return;
  }
  enlist(self);
}

void completion_sink::enlist(caf::scheduled_actor& self) {
  enlisted_ = true;
  references_.fetch_add(1, std::memory_order_relaxed);
  auto by = std::make_shared<registration>(sink_ref{this}, caf::strong_actor_ptr{self.ctrl()});
  caf::behavior handler{[by = std::move(by), &self](wake_caller) { by->sink->drain(self); }};
  handler_ = handler.as_behavior_impl().get();
  self.add_multiplexed_response_handler(answer_, std::move(handler));
}

void completion_sink::wake(const caf::strong_actor_ptr& owner, caf::message_id answer, caf::execution_unit* unit) {
  // Only a worker: a caller's turn is nothing for the thread on which an inlined replica happens to run.
  if (unit && !control::is_worker_of(*unit, *owner->home_system))
    unit = nullptr;
  owner->enqueue(caf::make_mailbox_element(nullptr, answer, {}, wake_caller{}), unit);
}

void completion_sink::push(call_base& call) noexcept {
  call_ptr reference{&call};
  // Once the outcome is in, the sink may be gone: all that the wake-up needs is taken before.
  caf::strong_actor_ptr owner;
  const auto answer = answer_;
  auto* head = head_.load(std::memory_order_relaxed);
  do {
    if (head == shut()) {
      release();
      return;
    }
    if (head == idle() && !owner)
      owner = owner_.lock();
    call.sink_next_ = head == idle() ? nullptr : head;
  } while (!head_.compare_exchange_weak(head, &call, std::memory_order_acq_rel, std::memory_order_relaxed));
  reference.release();
  if (head == idle() && owner)
    wake(owner, answer, current_scope().unit);
}

void completion_sink::drain(caf::scheduled_actor& self) {
  const auto start = drained_;
  for (;;) {
    auto* head = head_.load(std::memory_order_acquire);
    if (!head) {
      if (head_.compare_exchange_strong(head, idle(), std::memory_order_acq_rel))
        break;
    } else if (drained_ - start >= turn) {
      wake(caf::strong_actor_ptr{self.ctrl()}, answer_, self.context());
      break;
    }
    head = head_.exchange(nullptr, std::memory_order_acq_rel);
    batch todo{nullptr, drained_, &call_base::sink_next_};
    while (head)
      head = std::exchange(head->sink_next_, std::exchange(todo.head, head));
    while (todo.head) {
      todo.pop()->resume_caller(self);
      if (self.getf(caf::abstract_actor::is_shutting_down_flag))
        return; // CAF drops the handler, and that closes the sink
    }
  }
  if (expected_ != drained_) // again the handler that runs: CAF has taken it out and holds it meanwhile
    self.add_multiplexed_response_handler(answer_, caf::behavior{caf::detail::behavior_impl::pointer{handler_}});
}

void completion_sink::close() noexcept {
  closed_ = true;
  const auto to_come = static_cast<std::int64_t>(expected_ - drained_);
  references_.fetch_add(to_come,
                        std::memory_order_relaxed); // one for each outcome, and each that is here gives it back
  auto* head = head_.exchange(shut(), std::memory_order_acq_rel);
  if (head == idle())
    head = nullptr;
  batch todo{head, drained_, &call_base::sink_next_};
  std::int64_t here = 0;
  for (; todo.head; ++here)
    todo.pop();
  references_.fetch_sub(here, std::memory_order_acq_rel); // never the last ones: whoever closes is an owner
}

void completion_sink::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete this;
}

} // namespace troupe
