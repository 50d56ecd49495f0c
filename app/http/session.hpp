// One connection without its socket: bytes in, requests out; answers in, bytes out, in the order of the requests.
//
//            first byte          head read            body read
//   [idle] ------------> [head] -----------> [body] ------------> [handling] --answer--> [sending] --> [idle]
//     fresh: [idle] before the first request                                                  |
//   a refusal, Connection: close, HTTP/1.0 without keep-alive, draining --------------------> [closing]
//
// The phases say which timeout runs; a pipelining client is in several at once, then `current` names the one that
// counts.
#pragma once

#include <troupe/app/http/counters.hpp>
#include <troupe/app/http/hook.hpp>
#include <troupe/app/http/options.hpp>
#include <troupe/app/http/output_queue.hpp>
#include <troupe/app/http/request_parser.hpp>
#include <troupe/app/http/ring.hpp>
#include <troupe/app/http/stream_state.hpp>
#include <troupe/messages/http.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

/// What the sessions of one I/O thread share.
struct session_shared {
  const options& limits;
  totals& all;
  thread_counters& counters;
  std::string common_head; ///< Lines that every answer carries: Date.
  bool draining = false;
  bool closing = false; ///< The listening sockets are closed.
};

enum class phase : std::uint8_t { fresh, idle, head, body, handling, sending, closing };

/// Confined to its I/O thread. Numbers of requests start at 1. Each request that `on_request` told is answered once; an
/// answer for one that is not open any more is dropped.
class session {
public:
  class owner {
  public:
    virtual void on_request(std::uint64_t number, request&& x) = 0;

  protected:
    ~owner() = default;
  };

  session(session_shared& shared, owner& to);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  // -- what the client does

  /// Returns how many bytes are used up; the rest is to be given again, with more behind it, when `takes_input`. With
  /// `beyond_depth` requests in excess of the pipelining depth are read, and refused.
  std::size_t receive(std::string_view bytes, bool beyond_depth = false);
  bool takes_input(bool beyond_depth = false) const noexcept;
  bool at_depth() const noexcept { return exchanges_.size() >= shared_.limits.pipelining_depth; }
  bool ignores_input() const noexcept { return no_more_input_; } ///< What comes now is thrown away.
  /// It sends no more.
  void end_of_input() noexcept { no_more_input_ = true; }
  /// It sends no more, and has not got its answers for a while: its open requests are told as disconnected.
  void cancel_requests() { fire_hooks(); }
  /// It is gone.
  void lost();
  /// The present phase has taken too long.
  void time_out();
  /// There are too many connections: 503, and nothing is read.
  void refuse_connection() { refuse(503, "there are too many connections"); }
  /// Ends it if nothing is under way.
  void close_if_idle();

  // -- what handlers do

  void answer(std::uint64_t number, response&& x);
  /// `head.body` is the first chunk. The stream ends with `end_stream`.
  void begin_stream(std::uint64_t number, response&& head, std::shared_ptr<stream_state> state);
  void write_stream(std::uint64_t number, std::string&& chunk);
  void end_stream(std::uint64_t number);
  void on_disconnect(std::uint64_t number, disconnect_hook&& hook);

  // -- what the socket does

  output_queue& output() noexcept { return output_; }
  void sent(std::size_t bytes);
  phase current() const noexcept;
  /// All is sent that ever will be: the connection can be closed.
  bool ended() const noexcept { return no_more_input_ && exchanges_.empty() && output_.empty(); }
  std::uint64_t requests_read() const noexcept { return first_ + exchanges_.size() - 1; }
  std::size_t open_requests() const noexcept { return exchanges_.size(); }
  std::size_t body_size() const noexcept { return parser_.body_size(); }

private:
  struct exchange {
    bool is_head = false;
    bool keep_alive = true;
    bool is_http_1_0 = false;
    bool counted = false; // in totals
    bool closed = false;  // answered, or the stream has ended
    bool head_written = false;
    std::size_t body_bytes = 0;
    std::optional<response> stored; // an answer that waits for those before it, or the head of a stream
    std::shared_ptr<stream_state> stream;
    std::string pending; // of a stream that waits likewise
    disconnect_hook hook;
  };

  exchange* find(std::uint64_t number) noexcept;
  exchange& push() noexcept;
  void dispatch();
  void refuse(std::uint16_t status, const char* text);
  void write_answer(exchange& to, response&& x);
  void write_stream_head(exchange& to);
  void append_chunk(exchange& to, std::string&& chunk);
  void finish_stream(exchange& to);
  void advance();
  bool closes_after(const exchange& x) const noexcept;
  void settle(exchange& x) noexcept; // gives back what it counts for
  bool count_body() noexcept;
  void ask_to_continue();
  void fire_hooks();

  session_shared& shared_;
  owner& to_;
  request_parser parser_;
  ring<exchange> exchanges_;
  output_queue output_;
  std::uint64_t first_ = 1;        // number of the oldest exchange
  std::size_t counted_bytes_ = 0;  // of the body that is being read
  std::size_t streamed_bytes_ = 0; // in output_, of the stream in front
  bool fresh_ = true;
  bool no_more_input_ = false;
  bool continue_sent_ = false;
};

} // namespace troupe::http
