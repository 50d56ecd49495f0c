// What the owner of the replicas does to a router: cells, limits, refusing, figures.
#include <troupe/actors/router/call_scope.hpp>
#include <troupe/actors/router/router.hpp>

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace troupe {

std::shared_ptr<router> router::make(caf::actor_system& sys, router_options options) {
  return std::shared_ptr<router>{new router{sys, std::move(options)}};
}

router::router(caf::actor_system& sys, router_options options)
    : max_ongoing_(options.limits.max_ongoing), idempotent_(options.limits.idempotent), seed_(options.seed),
      system_(sys), options_(std::move(options)) {}

router::~router() = default; // no call is left: each holds a reference

// -- cells ---------------------------------------------------------------------------------------------------------

cell& router::acquire(replica_ref who, bool near) {
  const std::lock_guard guard{mutex_};
  auto& where = pool_.take(*this, who, near);
  room_.grow(pool_.limit());
  near_room_.grow(pool_.limit());
  if (near)
    has_near_.store(true, std::memory_order_relaxed);
  sessions_.grow(pool_.limit());
  limit_.store(pool_.limit(), std::memory_order_release);
  return where;
}

void router::open(cell& where) {
  afterwards after;
  {
    const std::lock_guard guard{mutex_};
    if ((where.word_.load() & cell::closed_bit) == 0)
      return;
    auto* shut = cell::shut(); // closed before: open again
    where.inbox_.compare_exchange_strong(shut, cell::idle());
    sessions_.add(where.index_);
    if (has_room(where.word_.fetch_and(~cell::closed_bit) & ~cell::closed_bit))
      note_room(where);
    serve_locked(after);
  }
  after.run(current_scope().unit);
}

void router::close(cell& where) {
  std::vector<call_ptr> calls;
  afterwards after;
  {
    const std::lock_guard guard{mutex_};
    if ((where.word_.fetch_or(cell::closed_bit) & cell::closed_bit) != 0)
      return;
    sessions_.remove(where.index_);
    note_full(where);
    calls = where.take_unbegun();
    for (auto& call : calls) {
      call->cell_.store(nullptr, std::memory_order_relaxed);
      drop_slot_locked(where, after);
    }
  }
  after.run(nullptr);
  if (options_.single)
    refuse(failure(errc::unavailable));
  enqueue_again(std::move(calls));
}

void router::abandon(cell& where, bool may_repeat) {
  close(where);
  auto begun = where.take_begun();
  std::vector<call_ptr> again;
  for (auto& call : begun) {
    release_slot(where);
    if (may_repeat && may_try_again(*call) && call->move(call_base::begun, call_base::waiting))
      again.push_back(std::move(call));
    else
      call->fail(errc::replica_died);
  }
  if (!again.empty())
    enqueue_again(std::move(again));
}

bool router::may_try_again(const call_base& call) const noexcept {
  return call.may_begin_again_ && call.attempts() < max_attempts;
}

void router::give_back(cell& where, std::vector<sent_call> calls) {
  std::vector<call_ptr> again;
  for (auto& [call, attempt] : calls) {
    if (!where.end(*call, attempt))
      continue;
    release_slot(where);
    if (call->unbegin())
      again.push_back(std::move(call));
  }
  if (!again.empty())
    enqueue_again(std::move(again));
}

void router::lose(cell& where, sent_call which) {
  auto& call = which.call;
  if (!where.end(*call, which.attempt))
    return;
  release_slot(where);
  std::vector<call_ptr> again;
  if (may_try_again(*call) && call->move(call_base::begun, call_base::waiting))
    again.push_back(std::move(call));
  else
    call->fail(errc::replica_died);
  if (!again.empty())
    enqueue_again(std::move(again));
}

void router::release(cell& where) {
  abandon(where);
  afterwards after;
  {
    const std::lock_guard guard{mutex_};
    if (static_cast<std::uint32_t>(where.word_.fetch_or(cell::released_bit)) == 0)
      free_locked(where, after);
  }
  after.run(nullptr);
}

bool router::apply(std::uint64_t epoch, const std::vector<replica_change>& changes) {
  {
    const std::lock_guard guard{mutex_};
    if (epoch <= epoch_)
      return false;
    epoch_ = epoch;
  }
  for (const auto& change : changes) {
    if (change.what == replica_change::kind::open)
      open(*change.where);
    else
      close(*change.where);
  }
  return true;
}

std::uint64_t router::epoch() const {
  const std::lock_guard guard{mutex_};
  return epoch_;
}

// -- limits and refusing -------------------------------------------------------------------------------------------

void router::set_limits(router_limits limits) {
  afterwards after;
  {
    const std::lock_guard guard{mutex_};
    options_.limits = limits;
    max_ongoing_.store(limits.max_ongoing);
    idempotent_.store(limits.idempotent, std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < pool_.limit(); ++i) {
      auto& where = pool_.at(i);
      if (has_room(where.word_.load()))
        note_room(where);
      else
        note_full(where);
    }
    serve_locked(after);
  }
  after.run(current_scope().unit);
}

router_limits router::limits() const {
  const std::lock_guard guard{mutex_};
  return options_.limits;
}

void router::refuse(error why) {
  std::vector<call_ptr> calls;
  {
    const std::lock_guard guard{mutex_};
    if (shut_)
      return;
    refusing_ = why;
    calls = queue_.take_all();
    gate_.store(refusing_bit);
  }
  for (auto& call : calls)
    call->fail(why);
}

void router::accept() {
  const std::lock_guard guard{mutex_};
  if (shut_)
    return;
  refusing_.reset();
  gate_.fetch_and(~refusing_bit);
}

void router::shut(error why) {
  refuse(std::move(why));
  const std::lock_guard guard{mutex_};
  shut_ = true;
}

// -- figures and small things --------------------------------------------------------------------------------------

std::uint64_t router::queued() const noexcept { return gate_.load() & ~refusing_bit; }

std::uint64_t router::ongoing() const {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0, limit = limit_.load(std::memory_order_acquire); i < limit; ++i)
    sum += pool_.at(i).in_flight();
  return sum;
}

router::reach router::replicas() const {
  reach sum;
  const std::lock_guard guard{mutex_};
  for (std::uint32_t i = 0; i < pool_.limit(); ++i) {
    const auto word = pool_.at(i).word_.load();
    if ((word & cell::closed_bit) == 0)
      ++sum.open;
    else if ((word & cell::released_bit) == 0)
      ++sum.closed;
  }
  return sum;
}

void router::set_room_listener(std::function<void()> f) { on_room_ = std::move(f); }

void router::set_timer(std::function<void(time_point)> arm) { arm_ = std::move(arm); }

time_point router::now() const noexcept { return system_.clock().now(); }

error router::failure(errc code) const {
  const auto& name = options_.name;
  switch (code) {
  case errc::unavailable:
    return {code, name + " is deleted, or has failed with no replica available"};
  case errc::backpressure:
    return {code, name + " has its queue full"};
  case errc::timed_out:
    return {code, name + " gave no answer before the request's deadline"};
  case errc::cancelled:
    return {code, "the request to " + name + " was cancelled"};
  case errc::replica_died:
    return {code, "the replica of " + name + " that had begun the request is gone"};
  default:
    return {code, name};
  }
}

} // namespace troupe
