// Owns the threads and the listening sockets.
#include <troupe/app/http/io_thread.hpp>
#include <troupe/app/http/server.hpp>
#include <troupe/app/http/sockets.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::http {

namespace {

constexpr int backlog = 4096;

class plain_handler final : public thread_handler {
public:
  explicit plain_handler(const std::function<void(request&&, responder)>& f) : f_(f) {}
  void on_request(request&& x, responder to) override { f_(std::move(x), std::move(to)); }

private:
  const std::function<void(request&&, responder)>& f_;
};

handler_factory factory_for(std::function<void(request&&, responder)> f) {
  auto shared = std::make_shared<std::function<void(request&&, responder)>>(std::move(f));
  return [shared](unsigned) { return std::make_unique<plain_handler>(*shared); };
}

} // namespace

struct server::state : server_state {
  handler_factory make;
  std::vector<int> listeners; // until `start`
  std::vector<std::unique_ptr<io_thread>> threads;

  ~state() {
    for (const int fd : listeners)
      ::close(fd);
  }
};

server::server(options limits, std::function<void(request&&, responder)> on_request)
    : server(limits, factory_for(std::move(on_request))) {}

server::server(options limits, handler_factory make) : state_(std::make_unique<state>()) {
  state_->limits = limits;
  state_->make = std::move(make);
}

server::~server() { stop(); }

std::uint16_t server::listen(const std::string& address, std::uint16_t port) {
  state_->listeners.push_back(open_listener(address, port, backlog));
  return port_of(state_->listeners.back());
}

std::uint16_t server::listen(int fd) {
  check_listener(fd);
  state_->listeners.push_back(fd);
  return port_of(fd);
}

void server::start(unsigned threads) {
  for (unsigned i = 0; i < std::max(1U, threads); ++i)
    state_->threads.push_back(std::make_unique<io_thread>(*state_, i, state_->make));
  // Each thread has each socket under a descriptor of its own; whoever is free accepts.
  for (const int fd : std::exchange(state_->listeners, {}))
    for (std::size_t i = 0; i < state_->threads.size(); ++i) {
      const int own = i == 0 ? fd : ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
      if (own < 0)
        throw std::system_error(errno, std::generic_category(), "cannot duplicate a listening socket");
      state_->threads[i]->listen(own);
    }
  for (auto& thread : state_->threads)
    thread->start();
}

void server::begin_drain() {
  for (auto& thread : state_->threads)
    thread->begin_drain();
}

void server::stop_listening() {
  for (auto& thread : state_->threads)
    thread->stop_listening();
}

bool server::wait_idle(std::chrono::steady_clock::time_point until) {
  std::unique_lock guard{state_->mutex};
  return state_->changed.wait_until(guard, until, [this] { return state_->all.connections.load() == 0; });
}

void server::stop() {
  for (auto& thread : state_->threads)
    thread->stop();
}

figures server::counted() const {
  figures sum;
  for (const auto& thread : state_->threads) {
    const auto& x = thread->counters();
    sum.connections_taken += x.connections.value();
    sum.connections_refused += x.refused.value();
    sum.requests += x.requests.value();
    sum.bytes_in += x.bytes_in.value();
    sum.bytes_out += x.bytes_out.value();
    sum.disconnects += x.disconnects.value();
    for (std::size_t i = 0; i < x.errors.size(); ++i)
      if (const auto n = x.errors[i].value(); n > 0)
        sum.errors[static_cast<std::uint16_t>(i + 400)] += n;
  }
  sum.connections = state_->all.connections.load();
  sum.requests_in_flight = state_->all.requests.load();
  sum.body_bytes_in_flight = state_->all.body_bytes.load();
  return sum;
}

const options& server::limits() const noexcept { return state_->limits; }

} // namespace troupe::http
