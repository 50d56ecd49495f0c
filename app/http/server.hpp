// An HTTP/1.1 server: listening sockets, a few I/O threads, and a handler for what comes in.
#pragma once

#include <troupe/app/http/counters.hpp>
#include <troupe/app/http/options.hpp>
#include <troupe/app/http/responder.hpp>
#include <troupe/app/http/thread_handler.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::http {

/// Thread-safe but for `start` and `listen`, which come first. Nothing is answered before `start`; what connects
/// meanwhile waits.
///
///   http::server api{{}, [](request&& x, http::responder to) { to.send(response::text(200, x.path + "\n")); }};
///   const auto port = api.listen("127.0.0.1", 0);
///   api.start(1);
///
/// The end, politely: begin_drain, some time later stop_listening, wait_idle, stop (or the destructor).
class server {
public:
  /// `on_request` runs on all I/O threads at the same time.
  server(options limits, std::function<void(request&&, responder)> on_request);
  /// With state per I/O thread.
  server(options limits, handler_factory make);
  ~server(); ///< As `stop`.
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Returns the port. `address` is an IPv4 or IPv6 address; port 0: any that is free. Throws `std::system_error`.
  std::uint16_t listen(const std::string& address, std::uint16_t port);
  /// A listening socket that was inherited; the server closes it. Throws `std::invalid_argument` if it is none.
  std::uint16_t listen(int fd);
  void start(unsigned threads = 1);

  /// From now on an answer carries `Connection: close` unless further requests of its connection wait. New connections
  /// are still taken.
  void begin_drain();
  /// As `begin_drain`; takes what the system has accepted already, closes the listening sockets and the connections
  /// that have nothing under way, new ones after `first_request_grace`.
  void stop_listening();
  /// Until no connection is left, at the latest until then; whether none is left.
  bool wait_idle(std::chrono::steady_clock::time_point until);
  /// Closes everything, open requests are told as disconnected, joins the threads. Idempotent; not from an I/O thread.
  void stop();

  figures counted() const;
  const options& limits() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace troupe::http
