// The right, and the duty, to answer one HTTP request.
#pragma once

#include <troupe/app/http/hook.hpp>
#include <troupe/app/http/loop.hpp>
#include <troupe/app/http/stream_state.hpp>
#include <troupe/messages/http.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace troupe::http {

/// Names a request across threads: never by address. What it names may be gone.
struct exchange_id {
  std::uint32_t slot = 0;       ///< Of the connection, in its I/O thread.
  std::uint32_t generation = 0; ///< Of the slot.
  std::uint64_t number = 0;     ///< Of the request, on the connection.
};

/// An answer whose body comes in pieces. Movable; one thread at a time, any. Its end, or its destruction, ends the
/// body; the client cannot tell the two apart.
class stream {
public:
  stream() = default;
  stream(std::shared_ptr<loop> to, exchange_id id, std::shared_ptr<stream_state> state) noexcept
      : loop_(std::move(to)), id_(id), state_(std::move(state)) {}
  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept;
  ~stream() { end(); }

  explicit operator bool() const noexcept { return loop_ != nullptr; }
  /// False, and nothing is taken: the client is gone, or `options::stream_bytes` are unsent already; `on_progress`
  /// tells when to try again. An empty chunk is nothing.
  bool write(std::string chunk);
  void end();
  bool gone() const noexcept { return !state_ || state_->gone(); }
  std::size_t unsent() const noexcept { return state_ ? state_->unsent() : 0; }
  /// `f()` runs on the I/O thread whenever bytes have gone out, and when the client is gone. It must be quick and not
  /// throw; it may write.
  void on_progress(std::function<void()> f) {
    if (state_)
      state_->on_progress(std::move(f));
  }

private:
  std::shared_ptr<loop> loop_;
  exchange_id id_;
  std::shared_ptr<stream_state> state_;
};

/// Movable; one thread at a time, any. Dropped without an answer, the client gets 500. May outlive the server.
class responder {
public:
  responder() = default; ///< Empty: may only be assigned to.
  responder(std::shared_ptr<loop> to, exchange_id id) noexcept : loop_(std::move(to)), id_(id) {}
  responder(responder&&) noexcept = default;
  responder& operator=(responder&& other) noexcept;
  ~responder();

  /// Whether it still has to be answered.
  explicit operator bool() const noexcept { return loop_ != nullptr; }

  /// On the connection's own thread it is written at the end of the thread's turn; from elsewhere it goes through that
  /// thread's inbox.
  void send(response x);
  /// Sends the head, and `head.body` as the first piece.
  stream begin_stream(response head);
  /// When the client goes away before the answer. Replaces the former one. It may run before this returns.
  void on_disconnect(disconnect_hook hook);
  void on_disconnect(std::function<void()> f) { on_disconnect(disconnect_hook{std::move(f)}); }

  /// Of the connection's thread. Precondition: not empty.
  loop& home() const noexcept { return *loop_; }

private:
  std::shared_ptr<loop> loop_;
  exchange_id id_;
};

} // namespace troupe::http
