// The server over loopback: ways to ask, ways to be answered.
#include "http_client.hpp"
#include <troupe/app/http/server.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

namespace troupe::server_test {

using namespace troupe;
using namespace troupe::testing_http;
using namespace std::chrono_literals;

namespace {

/// Says what it was asked.
void echo(request&& x, http::responder to) {
  response answer = response::text(200, x.method + " " + x.path + " " + x.query + " " + x.body);
  answer.headers.push_back({"X-Peer", x.peer});
  to.send(std::move(answer));
}

struct started {
  explicit started(http::options limits = {}, std::function<void(request&&, http::responder)> f = echo)
      : server(limits, std::move(f)), port(server.listen("127.0.0.1", 0)) {
    server.start(1);
  }
  http::server server;
  std::uint16_t port;
};

} // namespace

TEST_CASE("a request is answered, and the connection is kept") {
  started s;
  client c{s.port};
  const auto first = c.ask(get("/a%20b?c=d"));
  CHECK(first.status == 200);
  CHECK(first.body == "GET /a b c=d ");
  CHECK(first.field("X-Peer").starts_with("127.0.0.1:"));
  CHECK(first.field("Date").ends_with(" GMT"));
  CHECK(first.field("Connection").empty());
  CHECK(c.ask(post("/p", "body")).body == "POST /p  body");
  CHECK(s.server.counted().requests == 2);
}

TEST_CASE("bodies come in chunks as well as whole, in whatever pieces") {
  started s;
  client c{s.port};
  CHECK(c.ask("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
            .body == "POST /  abcde");
  for (const char byte : post("/q", "piece by piece"))
    c.send({&byte, 1});
  CHECK(c.read().body == "POST /q  piece by piece");
  const std::string large(3'000'000, 'x');
  CHECK(c.ask(post("/", large)).body == "POST /  " + large);
}

TEST_CASE("pipelined requests are answered in their order") {
  started s;
  client c{s.port};
  std::string all;
  for (int i = 0; i < 10; ++i)
    all += get("/" + std::to_string(i));
  c.send(all);
  for (int i = 0; i < 10; ++i)
    CHECK(c.read().body == "GET /" + std::to_string(i) + "  ");
}

TEST_CASE("HEAD gets the head that GET would get, and no body") {
  started s;
  client c{s.port};
  c.send("HEAD /h HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto head = c.read(true);
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == std::to_string(std::string{"HEAD /h  "}.size()));
  CHECK(c.ask(get("/next")).body == "GET /next  ");
}

TEST_CASE("HTTP/1.0 closes unless it asks for more") {
  started s;
  {
    client c{s.port};
    const auto first = c.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(first.field("Connection") == "keep-alive");
    CHECK(c.ask("GET / HTTP/1.0\r\n\r\n").field("Connection") == "close");
    CHECK(c.at_end());
  }
  client c{s.port};
  CHECK(c.ask(get("/", "Connection: close\r\n")).field("Connection") == "close");
  CHECK(c.at_end());
}

TEST_CASE("a client that waits for 100 Continue is told to go on, and not when its body is too large") {
  http::options limits;
  limits.body_bytes = 100;
  started s{limits};
  client c{s.port};
  CHECK(c.ask("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").status == 100);
  CHECK(c.ask("body").body == "POST /  body");
  CHECK(c.ask("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n").status == 413);
  CHECK(c.at_end());
}

TEST_CASE("answers may come from any thread, in any order") {
  std::mutex mutex;
  std::vector<std::pair<std::string, http::responder>> waiting;
  std::condition_variable changed;
  started s{{}, [&](request&& x, http::responder to) {
              const std::lock_guard guard{mutex};
              waiting.emplace_back(x.path, std::move(to));
              changed.notify_one();
            }};
  client c{s.port};
  c.send(get("/1") + get("/2") + get("/3"));
  std::unique_lock guard{mutex};
  changed.wait(guard, [&] { return waiting.size() == 3; });
  std::reverse(waiting.begin(), waiting.end());
  for (auto& [path, to] : waiting)
    to.send(response::text(200, path));
  waiting.clear();
  guard.unlock();
  CHECK(c.read().body == "/1");
  CHECK(c.read().body == "/2");
  CHECK(c.read().body == "/3");
}

TEST_CASE("a request that nobody answers gets 500") {
  started s{{}, [](request&&, http::responder) {}};
  client c{s.port};
  CHECK(c.ask(get("/")).status == 500);
}

TEST_CASE("several threads serve one listening socket") {
  http::server server{{}, echo};
  const auto port = server.listen("127.0.0.1", 0);
  server.start(3);
  std::vector<std::unique_ptr<client>> clients;
  for (int i = 0; i < 20; ++i)
    clients.push_back(std::make_unique<client>(port));
  for (auto& c : clients)
    CHECK(c->ask(get("/")).status == 200);
  CHECK(server.counted().connections == 20);
}

TEST_CASE("responses cannot break out of their head") {
  started s{{}, [](request&&, http::responder to) {
              response x = response::text(200, "b");
              x.headers.push_back({"X-Bad", "a\r\nSet-Cookie: evil=1"});
              x.headers.push_back({"Bad name", "a"});
              x.headers.push_back({"Content-Length", "77"});
              x.headers.push_back({"Transfer-Encoding", "chunked"});
              to.send(std::move(x));
            }};
  client c{s.port};
  const auto got = c.ask(get("/"));
  CHECK(got.body == "b");
  CHECK(got.head.find("evil") == std::string::npos);
  CHECK(got.head.find("Bad name") == std::string::npos);
  CHECK(got.head.find("77") == std::string::npos);
}

TEST_CASE("a status that is none is sent as 500") {
  started s{{}, [](request&&, http::responder to) { to.send(response::text(99, "b")); }};
  client c{s.port};
  CHECK(c.ask(get("/")).status == 500);
}

} // namespace troupe::server_test
