// Puts an HTTP server and the dispatchers of its threads together.
#include <troupe/app/http/server.hpp>
#include <troupe/app/ingress/dispatcher.hpp>
#include <troupe/app/ingress/server.hpp>
#include <troupe/app/ingress/shared_state.hpp>

#include <utility>

namespace troupe::ingress {

struct server::state {
  state(caf::actor_system& sys, options own, const http::options& limits)
      : shared(sys, std::move(own)), http(limits, [this](unsigned) { return make_dispatcher(); }) {}

  std::unique_ptr<http::thread_handler> make_dispatcher() {
    auto counters = std::make_shared<thread_counters>();
    {
      const std::lock_guard guard{shared.mutex};
      shared.counters.push_back(counters);
    }
    return std::make_unique<dispatcher>(shared, std::move(counters));
  }

  shared_state shared;
  http::server http;
};

server::server(caf::actor_system& sys, options own, http::options limits)
    : state_(std::make_unique<state>(sys, std::move(own), limits)) {}

server::~server() = default;

std::uint16_t server::listen(const std::string& address, std::uint16_t port) {
  return state_->http.listen(address, port);
}

std::uint16_t server::listen(int fd) { return state_->http.listen(fd); }

void server::start(unsigned threads) { state_->http.start(threads); }

void server::set_routes(std::vector<route> routes) {
  auto table = std::make_shared<const route_table>(std::move(routes));
  const std::lock_guard guard{state_->shared.mutex};
  state_->shared.routes.swap(table);
  state_->shared.version.fetch_add(1, std::memory_order_release);
}

void server::set_ready(bool ready) { state_->shared.ready = ready; }

void server::begin_drain() {
  state_->shared.draining = true;
  state_->http.begin_drain();
}

void server::stop_listening() {
  state_->shared.draining = true;
  state_->http.stop_listening();
}

bool server::wait_idle(std::chrono::steady_clock::time_point until) { return state_->http.wait_idle(until); }

void server::stop() { state_->http.stop(); }

figures server::counted() const {
  figures sum;
  sum.http = state_->http.counted();
  const std::lock_guard guard{state_->shared.mutex};
  for (const auto& x : state_->shared.counters)
    sum.add(*x);
  return sum;
}

} // namespace troupe::ingress
