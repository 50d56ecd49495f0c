// Turns of an I/O thread: accept, read, hand out, write.
#include <troupe/app/http/io_thread.hpp>
#include <troupe/app/http/response_writer.hpp>
#include <troupe/app/http/sockets.hpp>

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <future>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace troupe::http {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr int accepts_per_event = 64;
constexpr std::uint32_t refusals_at_once = 256; // connections beyond the limit that get an answer
constexpr milliseconds longest_interval{250}, shortest_interval{5};

/// Often enough to be right within a quarter of the shortest timeout.
milliseconds interval_for(const options& limits) {
  const auto shortest = std::min({limits.header_timeout, limits.body_timeout, limits.keep_alive_timeout,
                                  limits.write_timeout, limits.linger_timeout, limits.first_request_grace});
  return std::clamp(shortest / 4, shortest_interval, longest_interval);
}

} // namespace

io_thread::io_thread(server_state& shared, unsigned number, const handler_factory& make)
    : shared_(shared), number_(number), make_(make),
      loop_(std::make_shared<loop>()), sessions_{shared.limits, shared.all, counters_, {}, false, false},
      timer_(loop_->io.get_executor()), interval_(interval_for(shared.limits)) {
  loop_->owner = this;
  loop_->stream_bytes = shared.limits.stream_bytes;
}

io_thread::~io_thread() { stop(); }

// -- any thread ------------------------------------------------------------------------------------------------------

void io_thread::start() {
  thread_ = std::thread{[this] { run(); }};
}

void io_thread::listen(int fd) {
  loop_->post([this, fd] {
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size);
    auto at = std::make_shared<acceptor>(loop_->io.get_executor());
    at->assign(local.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd);
    acceptors_.push_back(at);
    wait_for_clients(at);
  });
}

void io_thread::begin_drain() {
  loop_->post([this] { sessions_.draining = true; });
}

void io_thread::stop_listening() {
  std::promise<void> done;
  auto wait = done.get_future();
  loop_->post([this, done = std::move(done)]() mutable {
    sessions_.draining = sessions_.closing = true;
    for (auto& at : acceptors_) {
      while (accept_some(*at)) {
      }
      boost::system::error_code ignored;
      at->close(ignored);
    }
    acceptors_.clear();
    resting_.clear();
    for (auto& x : slots_)
      if (x.connected)
        x.connected->close_if_idle();
    done.set_value();
  });
  wait.wait();
}

void io_thread::stop() {
  if (!thread_.joinable())
    return;
  stopping_ = true;
  loop_->post([] {});
  thread_.join();
}

// -- the thread ------------------------------------------------------------------------------------------------------

void io_thread::run() {
  loop_->enter();
  handler_ = make_(number_);
  const auto work = asio::make_work_guard(loop_->io);
  while (!stopping_)
    turn();
  for (auto& at : acceptors_) {
    boost::system::error_code ignored;
    at->close(ignored);
  }
  for (auto& x : slots_)
    if (x.connected)
      x.connected->close();
  timer_.cancel();
  loop_->io.poll(); // what was cancelled
  flush();
  handler_.reset();
  loop_->leave();
}

void io_thread::turn() {
  // One event: those that are ready beside it follow without another call of the system, and nobody's answer waits for
  // the others' requests.
  if (more_)
    loop_->io.poll_one();
  else
    loop_->io.run_one();
  more_ = handler_->after_turn();
  dispatched_ = false;
  flush();
  more_ |= dispatched_; // what had been left unread while its connection's answers were unsent
}

/// Of the coarse clock, a tick of the system late at most: it is asked with every request.
steady_clock::time_point io_thread::now() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return steady_clock::time_point{std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}};
}

void io_thread::flush() {
  // Inline replicas have had their turn: who still has too many waiting is refused.
  for (auto* x : std::exchange(crowded_, {})) {
    x->in_crowded = false;
    x->go_on(x->core().at_depth());
    mark_dirty(*x);
  }
  dirty_now_.swap(dirty_);
  for (auto* x : dirty_now_) {
    x->in_dirty = false;
    x->flush();
    if (x->gone() && !x->in_dirty && !x->in_crowded) // else it is looked at again
      release(*x);
  }
  dirty_now_.clear();
  more_ |= !dirty_.empty() || !crowded_.empty();
}

void io_thread::release(connection& x) {
  auto& at = slots_[x.slot()];
  ++at.generation;
  free_.push_back(x.slot());
  at.connected.reset();
  --connected_;
  shared_.all.connections.fetch_sub(1, std::memory_order_relaxed);
  if (sessions_.draining) {
    const std::lock_guard guard{shared_.mutex};
    shared_.changed.notify_all();
  }
}

// -- clients ---------------------------------------------------------------------------------------------------------

void io_thread::wait_for_clients(const std::shared_ptr<acceptor>& at) {
  at->async_wait(acceptor::wait_read, [this, at](const boost::system::error_code& e) {
    if (e || !at->is_open())
      return;
    if (accept_some(*at) || errno == EAGAIN || errno == EWOULDBLOCK)
      return wait_for_clients(at);
    resting_.push_back(at); // no descriptors or no memory: the tick tries again
    arm();
  });
}

/// True: there may be more. False: `errno` says why not.
bool io_thread::accept_some(acceptor& at) {
  for (int i = 0; i < accepts_per_event; ++i) {
    const int fd = ::accept4(at.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
      take(fd);
    else if (errno != EINTR && errno != ECONNABORTED)
      return false;
  }
  return true;
}

void io_thread::take(int fd) {
  const auto before = shared_.all.connections.fetch_add(1, std::memory_order_relaxed);
  const bool refused = before >= shared_.limits.max_connections;
  (refused ? counters_.refused : counters_.connections).add();
  if (before >= shared_.limits.max_connections + refusals_at_once) {
    ::close(fd);
    shared_.all.connections.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto index = free_.back();
  free_.pop_back();
  if (++connected_ == 1)
    refresh_date();
  auto& at = slots_[index];
  tcp_socket socket{loop_->io.get_executor()};
  socket.assign(asio::ip::tcp::v4(), fd); // the family matters to nothing that is used
  at.connected = std::make_unique<connection>(*this, sessions_, std::move(socket), index, at.generation, peer_of(fd));
  arm();
  if (refused)
    at.connected->start_refused();
  else
    at.connected->start();
}

// -- time ------------------------------------------------------------------------------------------------------------

void io_thread::arm() {
  if (std::exchange(armed_, true))
    return;
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& e) {
    armed_ = false;
    if (!e)
      tick();
  });
}

void io_thread::tick() {
  refresh_date();
  const auto at = now();
  for (auto& x : slots_)
    if (x.connected)
      x.connected->tick(at);
  for (const auto& rested : std::exchange(resting_, {}))
    wait_for_clients(rested);
  if (connected_ > 0)
    arm();
}

void io_thread::refresh_date() { sessions_.common_head = date_line(std::time(nullptr)); }

} // namespace troupe::http
