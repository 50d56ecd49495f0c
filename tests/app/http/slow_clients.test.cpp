// Clients that take their time, or vanish, over loopback. Timeouts are short; what is waited for is the answer.
#include "http_client.hpp"
#include <troupe/app/http/server.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::slow_clients_test {

using namespace troupe;
using namespace troupe::testing_http;
using namespace std::chrono_literals;

namespace {

http::options hasty() {
  http::options x;
  x.header_timeout = x.body_timeout = x.write_timeout = x.keep_alive_timeout = x.half_closed_grace = 60ms;
  return x;
}

struct started {
  started(http::options limits, std::function<void(request&&, http::responder)> f)
      : server(limits, std::move(f)), port(server.listen("127.0.0.1", 0)) {
    server.start(1);
  }
  http::server server;
  std::uint16_t port;
};

void yes(request&&, http::responder to) { to.send(response::text(200, "yes")); }

/// Keeps the one request that comes.
struct keeper {
  void operator()(request&&, http::responder to) {
    const std::lock_guard guard{mutex};
    kept.emplace(std::move(to));
    changed.notify_all();
  }
  http::responder& get() {
    std::unique_lock guard{mutex};
    REQUIRE(changed.wait_for(guard, 20s, [&] { return kept.has_value(); }));
    return *kept;
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<http::responder> kept;
};

} // namespace

TEST_CASE("a head, a body, or nothing at all that takes too long gets 408 or the end of the connection") {
  started s{hasty(), yes};
  client idle{s.port};
  CHECK(idle.ask(get("/")).status == 200);
  client head{s.port};
  CHECK(head.ask("GET / HTTP/1.1\r\nHo").status == 408);
  CHECK(head.at_end());
  client body{s.port};
  CHECK(body.ask("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nabc").status == 408);
  CHECK(body.at_end());
  client silent{s.port};
  CHECK(silent.at_end());
  CHECK(idle.at_end());
  CHECK(s.server.counted().errors[408] == 2);
}

TEST_CASE("a client that does not take its answer is let go") {
  const auto limits = hasty();
  started s{limits, [](request&&, http::responder to) { to.send(response::text(200, std::string(64 << 20, 'x'))); }};
  client c{s.port};
  c.send(get("/"));
  while (s.server.counted().requests == 0 || s.server.counted().connections > 0)
    std::this_thread::yield();
  CHECK_FALSE(c.read().whole);
}

TEST_CASE("a handler is told that its client is gone; a half-closed one has its grace") {
  keeper k;
  std::latch gone{1};
  started s{hasty(), std::ref(k)};
  client c{s.port};
  c.send(get("/"));
  k.get().on_disconnect([&] { gone.count_down(); });
  SUBCASE("it closed") { c.close(); }
  SUBCASE("it closed its sending side, and the grace is over") { c.close_sending(); }
  SUBCASE("it reset the connection") {
    const linger hard{1, 0};
    setsockopt(c.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    c.close();
  }
  gone.wait();
  k.get().send(response::text(200, "nobody hears"));
}

TEST_CASE("a half-closed client gets its answer") {
  auto limits = hasty();
  limits.half_closed_grace = 1h;
  keeper k;
  started s{limits, std::ref(k)};
  client c{s.port};
  c.send(get("/"));
  c.close_sending();
  auto& to = k.get();
  to.send(response::text(200, "yes"));
  CHECK(c.read().body == "yes");
  CHECK(c.at_end());
}

TEST_CASE("a stream stops taking when its client does not read, and goes on when it does") {
  http::options limits;
  limits.stream_bytes = 64 * 1024;
  keeper k;
  started s{limits, std::ref(k)};
  client c{s.port};
  c.send(get("/"));
  auto stream = k.get().begin_stream({200, {{"Content-Type", "text/event-stream"}}, "begin\n"});
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t progress = 0;
  stream.on_progress([&] {
    const std::lock_guard guard{mutex};
    ++progress;
    changed.notify_all();
  });
  const std::string chunk(10'000, 'x');
  std::size_t written = 0;
  const auto fill = [&] {
    for (;;) {
      std::unique_lock guard{mutex};
      const auto seen = progress;
      guard.unlock();
      if (stream.write(chunk)) {
        written += chunk.size();
        continue;
      }
      // Full: either the system's buffers take some more soon, or nothing moves until the client reads.
      guard.lock();
      if (!changed.wait_for(guard, 200ms, [&] { return progress != seen; }))
        return;
    }
  };
  fill();
  CHECK(stream.unsent() >= 64 * 1024);
  CHECK(stream.unsent() < 64 * 1024 + chunk.size());
  std::thread reader{[&] {
    const auto all = c.read();
    CHECK(all.whole);
    CHECK(all.body.size() == 6 + written);
  }};
  std::unique_lock guard{mutex};
  CHECK(changed.wait_for(guard, 20s, [&] { return stream.unsent() == 0; }));
  guard.unlock();
  written += chunk.size();
  CHECK(stream.write(chunk));
  stream.end();
  reader.join();
  CHECK(s.server.counted().requests_in_flight == 0);
}

TEST_CASE("a stream learns that its client is gone") {
  keeper k;
  started s{{}, std::ref(k)};
  client c{s.port};
  c.send(get("/"));
  auto stream = k.get().begin_stream({200, {}, ""});
  std::latch gone{1};
  stream.on_progress([&] {
    if (stream.gone())
      gone.count_down();
  });
  c.close();
  gone.wait();
  CHECK_FALSE(stream.write("x"));
}

TEST_CASE("connections beyond the limit get 503 and leave room for others when they end") {
  http::options limits;
  limits.max_connections = 2;
  started s{limits, yes};
  client a{s.port};
  client b{s.port};
  CHECK(a.ask(get("/")).status == 200);
  CHECK(b.ask(get("/")).status == 200);
  client c{s.port};
  CHECK(c.ask(get("/")).status == 503);
  CHECK(c.at_end());
  c.close();
  a.close();
  while (s.server.counted().connections > 1)
    std::this_thread::yield();
  client d{s.port};
  CHECK(d.ask(get("/")).status == 200);
  CHECK(s.server.counted().connections_refused == 1);
}

TEST_CASE("a server that stops ends what is open, and answers may still be given to nobody") {
  keeper k;
  std::atomic<bool> told{false};
  {
    started s{{}, std::ref(k)};
    client c{s.port};
    c.send(get("/"));
    k.get().on_disconnect([&] { told = true; });
    s.server.stop();
    CHECK(told);
    CHECK(c.at_end());
  }
  k.get().send(response::text(200, "late"));
}

TEST_CASE("a listening socket may be handed over; what is none is refused") {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  http::server server{{}, yes};
  CHECK_THROWS_AS(server.listen(fd), std::invalid_argument);
  REQUIRE(::listen(fd, 10) == 0);
  const auto port = server.listen(fd);
  client waits{port}; // before anybody accepts
  server.start(2);
  CHECK(waits.ask(get("/")).status == 200);
}

TEST_CASE("an address that cannot be used is told") {
  http::server server{{}, yes};
  const auto port = server.listen("127.0.0.1", 0);
  http::server other{{}, yes};
  CHECK_THROWS_WITH_AS(other.listen("127.0.0.1", port),
                       doctest::Contains(("cannot listen on 127.0.0.1:" + std::to_string(port)).c_str()),
                       std::system_error);
  CHECK_THROWS_WITH(other.listen("nowhere", 0), doctest::Contains("an IPv4 or IPv6 address is needed"));
}

} // namespace troupe::slow_clients_test
