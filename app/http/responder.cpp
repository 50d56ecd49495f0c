// Ways of an answer to its connection.
#include <troupe/app/http/io_thread.hpp>
#include <troupe/app/http/responder.hpp>

namespace troupe::http {

namespace {

/// Here, when this is the connection's thread, or there.
template <class F>
void on_thread_of(loop& to, F f) {
  if (to.is_current())
    f(*to.owner);
  else
    to.post([&to, f = std::move(f)]() mutable { f(*to.owner); });
}

} // namespace

// -- responder -------------------------------------------------------------------------------------------------------

responder& responder::operator=(responder&& other) noexcept {
  responder old{std::move(*this)};
  loop_ = std::move(other.loop_);
  id_ = other.id_;
  return *this;
}

responder::~responder() {
  if (loop_)
    send(response::text(500, "Internal Server Error\n"));
}

void responder::send(response x) {
  if (const auto to = std::exchange(loop_, nullptr))
    on_thread_of(*to, [id = id_, x = std::move(x)](io_thread& at) mutable { at.answer(id, std::move(x)); });
}

stream responder::begin_stream(response head) {
  auto to = std::exchange(loop_, nullptr);
  if (!to)
    return {};
  auto state = std::make_shared<stream_state>(to->stream_bytes);
  on_thread_of(*to, [id = id_, head = std::move(head), state](io_thread& at) mutable {
    at.begin_stream(id, std::move(head), std::move(state));
  });
  return {std::move(to), id_, std::move(state)};
}

void responder::on_disconnect(disconnect_hook hook) {
  if (loop_)
    on_thread_of(*loop_,
                 [id = id_, hook = std::move(hook)](io_thread& at) mutable { at.on_disconnect(id, std::move(hook)); });
}

// -- stream ----------------------------------------------------------------------------------------------------------

stream& stream::operator=(stream&& other) noexcept {
  end();
  loop_ = std::move(other.loop_);
  id_ = other.id_;
  state_ = std::move(other.state_);
  return *this;
}

bool stream::write(std::string chunk) {
  if (!loop_ || state_->gone() || state_->unsent() >= state_->limit())
    return false;
  if (chunk.empty())
    return true;
  state_->taken(chunk.size());
  on_thread_of(*loop_,
               [id = id_, chunk = std::move(chunk)](io_thread& at) mutable { at.write_stream(id, std::move(chunk)); });
  return true;
}

void stream::end() {
  if (const auto to = std::exchange(loop_, nullptr))
    on_thread_of(*to, [id = id_](io_thread& at) { at.end_stream(id); });
}

} // namespace troupe::http
