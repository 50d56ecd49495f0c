// The phases of a call, and who may move it.
#include <troupe/actors/router/call.hpp>
#include <troupe/actors/router/cell.hpp>
#include <troupe/actors/router/router.hpp>

#include <algorithm>

namespace troupe {

void intrusive_ptr_add_ref(const call_base* x) noexcept { x->references_.fetch_add(1, std::memory_order_relaxed); }

void intrusive_ptr_release(const call_base* x) noexcept {
  // A sole owner cannot be raced: nobody else has a reference to copy.
  if (x->references_.load(std::memory_order_acquire) == 1 ||
      x->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete x;
}

call_base::call_base(signature_key k, bool repeatable) noexcept : key(k), repeatable_(repeatable) { ctx.owner_ = this; }

call_base::~call_base() = default;

std::string_view call_base::deployment() const noexcept {
  return router_ ? std::string_view{router_->name()} : std::string_view{};
}

attempt_number call_base::attempts() const noexcept { return attempt_in(state_.load(std::memory_order_acquire)); }

bool call_base::done() const noexcept { return phase_in(state_.load(std::memory_order_acquire)) == finished; }

bool call_base::stop_requested() const noexcept {
  for (auto* call = this; call; call = call->ctx.parent_.get())
    if ((call->state_.load(std::memory_order_acquire) & stopped) != 0 ||
        (call->ctx.has_deadline() && call->router_ && call->router_->now() >= call->ctx.deadline))
      return true;
  return false;
}

void call_base::inherit(const call_base* parent) {
  if (!parent)
    return;
  ctx.request_number = parent->ctx.request_number;
  ctx.deadline = std::min(ctx.deadline, parent->ctx.deadline);
  if (!ctx.tags)
    ctx.tags = parent->ctx.tags;
  ctx.parent_.reset(parent);
}

bool call_base::move(phase from, phase to) noexcept {
  auto state = state_.load(std::memory_order_acquire);
  while (phase_in(state) == from)
    if (state_.compare_exchange_weak(state, (state & ~phase_mask) | to, std::memory_order_acq_rel))
      return true;
  return false;
}

bool call_base::try_begin() noexcept {
  auto state = state_.load(std::memory_order_acquire);
  return phase_in(state) == placed &&
         state_.compare_exchange_strong(state, state + one_attempt + (begun - placed), std::memory_order_acq_rel);
}

bool call_base::unbegin() noexcept {
  auto state = state_.load(std::memory_order_acquire);
  while (phase_in(state) == begun)
    if (state_.compare_exchange_weak(state, (state & ~phase_mask) - one_attempt, std::memory_order_acq_rel))
      return true;
  return false;
}

bool call_base::fail(errc code) { return !done() && fail(router_ ? router_->failure(code) : error{code, {}}); }

bool call_base::fail(error why) {
  auto state = state_.load(std::memory_order_acquire);
  do {
    if (phase_in(state) == finished)
      return false;
  } while (!state_.compare_exchange_weak(state, state | finished | stopped, std::memory_order_acq_rel));
  const call_ptr keep{this}; // what holds it may let go below
  switch (phase_in(state)) {
  case waiting:
    if (router_)
      router_->unlink_waiting(*this);
    break;
  case placed: {
    auto& at = *cell_.load(std::memory_order_acquire);
    at.note_dead();
    router_->release_slot(at);
    break;
  }
  case begun:
    if (auto* at = cell_.load(std::memory_order_acquire))
      at->mark_overdue(*this);
    break;
  case finished:
    break;
  }
  store(std::move(why));
  finish_delivery();
  return true;
}

bool call_base::end_attempt(attempt_number which) noexcept {
  auto state = std::uint32_t{which} * one_attempt + begun;
  const bool counts = state_.compare_exchange_strong(state, state + (finished - begun), std::memory_order_acq_rel);
  // The slot goes first: a caller that answers its answer with the next request finds room.
  if (auto* at = cell_.load(std::memory_order_acquire); at && at->end(*this, which))
    router_->release_slot(*at);
  return counts;
}

void call_base::finish_delivery() noexcept {
  if (ctx.has_deadline() && router_)
    router_->wheel_.remove(*this);
  deliver();
}

void call_base::refuse(attempt_number which, error why) {
  if (!end_attempt(which))
    return;
  store(std::move(why));
  finish_delivery();
}

// -- request_context -----------------------------------------------------------------------------------------------

request_context::~request_context() = default;

bool request_context::stop_requested() const noexcept { return owner_ && owner_->stop_requested(); }

stop_token request_context::token() const { return stop_token{caf::intrusive_ptr<const call_base>{owner_}}; }

std::string_view request_context::caller() const noexcept {
  if (parent_)
    return parent_->deployment();
  return tags ? std::string_view{tags->caller} : std::string_view{};
}

std::string request_context::request_id() const {
  return tags && !tags->request_id.empty() ? tags->request_id : std::to_string(request_number);
}

stop_token::stop_token(caf::intrusive_ptr<const call_base> call) : call_(std::move(call)) {}
stop_token::~stop_token() = default;
stop_token::stop_token(const stop_token&) = default;
stop_token::stop_token(stop_token&&) noexcept = default;

stop_token& stop_token::operator=(stop_token other) noexcept {
  call_.swap(other.call_);
  return *this;
}

bool stop_token::stop_requested() const noexcept { return call_ && call_->stop_requested(); }

} // namespace troupe
