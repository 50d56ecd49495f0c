// The socket of one session.
#pragma once

#include <troupe/app/http/loop.hpp>
#include <troupe/app/http/responder.hpp>
#include <troupe/app/http/session.hpp>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

using executor = boost::asio::io_context::executor_type; // a concrete one: no type erasure per operation
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor>;

/// Confined to its I/O thread, which destroys it once it is `gone`.
class connection final : private session::owner {
public:
  using time_point = std::chrono::steady_clock::time_point;

  connection(io_thread& home, session_shared& shared, tcp_socket socket, std::uint32_t slot, std::uint32_t generation,
             std::string peer);
  virtual ~connection() = default;

  std::uint32_t slot() const noexcept { return slot_; }
  std::uint32_t generation() const noexcept { return generation_; }
  session& core() noexcept { return session_; }

  void start();
  void start_refused(); ///< There are too many: it gets 503.
  /// Reads what came in and was left: there is room again, or (`beyond_depth`) it is to be refused.
  void go_on(bool beyond_depth);
  /// Writes what there is, and ends the connection when that was all.
  void flush();
  void tick(time_point now);
  void close_if_idle();
  void close() noexcept;
  bool has_unread() noexcept; ///< Bytes of the client that the system holds.
  bool gone() const noexcept { return closed_ && pending_ == 0; }
  bool closed() const noexcept { return closed_; }

  bool in_dirty = false;   ///< For the thread: it is in the list of those to flush.
  bool in_crowded = false; ///< For the thread: it is in the list of those that have pipelined too much.

private:
  void on_request(std::uint64_t number, request&& x) override;
  void read();
  void on_read(const boost::system::error_code& e, std::size_t n);
  void process(bool beyond_depth);
  bool wants_to_read() const noexcept;
  void make_room();
  std::ptrdiff_t write_some() noexcept;
  void wait_writable();
  void linger();
  void note_phase();
  std::size_t progress() const noexcept;

  io_thread& home_;
  session_shared& shared_;
  tcp_socket socket_;
  session session_;
  const std::uint32_t slot_;
  const std::uint32_t generation_;
  const std::string peer_;

  std::vector<char> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::size_t discarded_ = 0;
  std::uint64_t written_ = 0;

  time_point since_;
  time_point half_closed_at_;
  phase phase_ = phase::fresh;
  std::uint64_t request_ = 0;
  std::size_t mark_ = 0;
  std::uint8_t pending_ = 0; // operations that refer to this
  bool reading_ = false;
  bool waiting_ = false; // until it is writable
  bool end_of_input_ = false;
  bool half_closed_ = false; // and not given up
  bool lingering_ = false;
  bool closed_ = false;
};

} // namespace troupe::http
