// One I/O thread: its loop, its listening sockets and its connections.
#pragma once

#include <troupe/app/http/connection.hpp>
#include <troupe/app/http/loop.hpp>
#include <troupe/app/http/options.hpp>
#include <troupe/app/http/responder.hpp>
#include <troupe/app/http/session.hpp>
#include <troupe/app/http/thread_handler.hpp>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::http {

/// What the threads of a server share.
struct server_state {
  options limits;
  totals all;
  std::mutex mutex;
  std::condition_variable changed; ///< A connection has ended while draining.
};

/// A turn: one event, then `thread_handler::after_turn`, then what was answered is written.
class io_thread {
public:
  io_thread(server_state& shared, unsigned number, const handler_factory& make);
  ~io_thread(); ///< As `stop`.
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  // -- any thread
  void start();
  void listen(int fd); ///< A listening socket, which becomes this thread's own.
  void begin_drain();
  void stop_listening(); ///< What waits to be accepted is accepted before. Returns when it is done.
  void stop();           ///< Closes everything and joins. Idempotent.
  const thread_counters& counters() const noexcept { return counters_; }

  // -- the thread
  static std::chrono::steady_clock::time_point now() noexcept;
  void dispatch(request&& x, exchange_id id);
  void answer(exchange_id id, response&& x);
  void begin_stream(exchange_id id, response&& head, std::shared_ptr<stream_state> state);
  void write_stream(exchange_id id, std::string&& chunk);
  void end_stream(exchange_id id);
  void on_disconnect(exchange_id id, disconnect_hook&& hook);
  void mark_dirty(connection& x);
  void mark_crowded(connection& x);

private:
  using acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor>;
  using timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, executor>;
  struct slot {
    std::unique_ptr<connection> connected;
    std::uint32_t generation = 0;
  };

  void run();
  void turn();
  void flush();
  void wait_for_clients(const std::shared_ptr<acceptor>& at);
  bool accept_some(acceptor& at);
  void take(int fd);
  void tick();
  void arm();
  void refresh_date();
  void release(connection& x);
  connection* find(exchange_id id) noexcept;

  server_state& shared_;
  const unsigned number_;
  handler_factory make_;
  std::shared_ptr<loop> loop_;
  thread_counters counters_;
  session_shared sessions_;
  std::unique_ptr<thread_handler> handler_;
  std::vector<std::shared_ptr<acceptor>> acceptors_;
  std::vector<std::shared_ptr<acceptor>> resting_; // until the next tick: there were no descriptors
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t connected_ = 0;
  std::vector<connection*> dirty_;
  std::vector<connection*> dirty_now_;
  std::vector<connection*> crowded_;
  timer timer_;
  bool armed_ = false;
  bool more_ = false;       // to do without waiting
  bool dispatched_ = false; // since `after_turn`
  std::chrono::milliseconds interval_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace troupe::http
