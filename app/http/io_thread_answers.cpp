// Requests to the handler, and answers to the connections that still wait for them.
#include <troupe/app/http/io_thread.hpp>

#include <utility>

namespace troupe::http {

connection* io_thread::find(exchange_id id) noexcept {
  if (id.slot >= slots_.size() || slots_[id.slot].generation != id.generation)
    return nullptr;
  auto* x = slots_[id.slot].connected.get();
  return x && !x->closed() ? x : nullptr;
}

void io_thread::mark_dirty(connection& x) {
  if (!std::exchange(x.in_dirty, true))
    dirty_.push_back(&x);
}

void io_thread::mark_crowded(connection& x) {
  if (!std::exchange(x.in_crowded, true))
    crowded_.push_back(&x);
}

void io_thread::dispatch(request&& x, exchange_id id) {
  dispatched_ = true;
  handler_->on_request(std::move(x), {loop_, id});
}

void io_thread::answer(exchange_id id, response&& x) {
  if (auto* to = find(id)) {
    to->core().answer(id.number, std::move(x));
    mark_dirty(*to);
  }
}

void io_thread::begin_stream(exchange_id id, response&& head, std::shared_ptr<stream_state> state) {
  auto* to = find(id);
  if (!to)
    return state->set_gone();
  to->core().begin_stream(id.number, std::move(head), std::move(state));
  mark_dirty(*to);
}

void io_thread::write_stream(exchange_id id, std::string&& chunk) {
  if (auto* to = find(id)) {
    to->core().write_stream(id.number, std::move(chunk));
    mark_dirty(*to);
  }
}

void io_thread::end_stream(exchange_id id) {
  if (auto* to = find(id)) {
    to->core().end_stream(id.number);
    mark_dirty(*to);
  }
}

void io_thread::on_disconnect(exchange_id id, disconnect_hook&& hook) {
  if (auto* to = find(id))
    to->core().on_disconnect(id.number, std::move(hook));
  else
    hook.fire();
}

} // namespace troupe::http
