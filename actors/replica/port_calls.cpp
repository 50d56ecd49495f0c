#include <troupe/actors/control/user_code.hpp>
#include <troupe/actors/replica/port_calls.hpp>

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/mailbox_element.hpp>

#include <algorithm>
#include <atomic>
#include <random>
#include <vector>

namespace troupe::replica {

namespace {

/// Requests per message, then other messages and actors have a turn.
constexpr int requests_per_turn = 64;

/// Unlike those of any other process.
std::uint64_t next_caller() {
  static std::atomic<std::uint64_t> last{[] {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
  }()};
  return ++last;
}

} // namespace

port_calls::port_calls(std::shared_ptr<router> calls, cell& where)
    : calls_(std::move(calls)), cell_(&where), from_(next_caller()) {}

void port_calls::open(replica_port_actor port, const port_caller_actor& me) {
  port_ = std::move(port);
  send_to_port(open_port{from_, me}, nullptr);
}

bool port_calls::send(caf::execution_unit* unit) {
  worker_calls out;
  out.from = from_;
  out.max_ongoing = calls_->max_ongoing();
  bool more = true;
  for (int i = 0; i < requests_per_turn && more; ++i) {
    auto call = cell_->next();
    if (!call)
      more = false;
    else
      begin(std::move(call), out);
  }
  if (!out.calls.empty())
    send_to_port(std::move(out), unit);
  return more;
}

void port_calls::begin(call_ptr call, worker_calls& out) {
  const auto attempt = call->attempts();
  auto request = call->write_request();
  if (!request)
    return call->refuse(attempt, {errc::signature_mismatch,
                                  calls_->name() + " runs in another process, and the request's type cannot travel "
                                                   "there: give it an `inspect`"});
  auto& x = out.calls.emplace_back();
  x.id = ++last_id_;
  x.key = call->key;
  x.request = std::move(*request);
  x.context.request_number = call->ctx.request_number;
  if (call->ctx.has_deadline())
    x.context.remaining = std::max(call->ctx.deadline - calls_->now(), time_point::duration{0});
  const auto caller = call->ctx.caller();
  if (call->ctx.tags || !caller.empty()) {
    x.context.tags = call->ctx.tags ? *call->ctx.tags : request_tags{};
    x.context.tags->caller = caller;
  }
  begun_.emplace(x.id, begun_call{std::move(call), attempt});
  note_running();
}

// The cell is held before they are given back: they are not to come here again at once. Without any: the port has
// closed.
void port_calls::refused(const calls_refused& x) {
  std::vector<sent_call> back;
  for (const auto id : x.ids)
    if (const auto it = begun_.find(id); it != begun_.end()) {
      back.push_back({std::move(it->second.call), it->second.attempt});
      begun_.erase(it);
    }
  note_running();
  cell_->set_held(true);
  if (!back.empty())
    calls_->give_back(*cell_, std::move(back));
}

void port_calls::on_room(caf::execution_unit* unit) {
  cell_->set_held(false);
  const auto before = last_id_;
  if (send(unit))
    return; // the rest goes with the cell's next turn
  if (last_id_ == before)
    pass_room(unit);
}

void port_calls::pass_room(caf::execution_unit* unit) { send_to_port(room_not_needed{from_}, unit); }

void port_calls::close_intake(caf::execution_unit* unit) {
  if (is_open())
    send_to_port(troupe::close_intake{}, unit);
}

void port_calls::abandon(bool may_repeat) {
  calls_->abandon(*cell_, may_repeat);
  begun_.clear();
}

void port_calls::forget() {
  port_ = nullptr;
  calls_.reset();
  cell_ = nullptr;
}

/// Health checks are not judged while requests are there.
void port_calls::note_running() {
  const auto kind = begun_.empty() ? control::user_code_kind::none : control::user_code_kind::handler;
  cell_->running.store(static_cast<std::uint8_t>(kind), std::memory_order_relaxed);
}

/// Not a control message of a protocol between owners: it goes over one connection, once and in order. Without a
/// sender, whom both sides would look up for every request.
template <class T>
void port_calls::send_to_port(T&& x, caf::execution_unit* unit) {
  auto* to = caf::actor_cast<caf::abstract_actor*>(port_);
  to->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::forward<T>(x)), unit);
}

} // namespace troupe::replica
