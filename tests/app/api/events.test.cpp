// Events as they come, and again from where a client was.
#include "api_fixture.hpp"

#include <charconv>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Reads a stream of server-sent events from a raw socket.
class event_reader {
public:
  event_reader(const api_fixture& f, const std::string& query, const std::string& headers = {}) : client_(f.port) {
    client_.send("GET " + f.v1("/events") + query + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n");
    while (text_.find("\r\n\r\n") == std::string::npos)
      more();
  }
  bool is_stream() const {
    return text_.starts_with("HTTP/1.1 200") && text_.find("text/event-stream") != std::string::npos;
  }
  /// The id of the next event, its JSON in `last`.
  std::uint64_t next() {
    std::size_t id = 0;
    std::size_t end = 0;
    while ((id = text_.find("id: ", at_)) == std::string::npos || (end = text_.find("\n\n", id)) == std::string::npos)
      more();
    const auto data = text_.find("data: ", id);
    last = json::parse(text_.substr(data + 6, end - data - 6));
    at_ = end;
    std::uint64_t n = 0;
    std::from_chars(text_.data() + id + 4, text_.data() + end, n);
    return n;
  }
  json last;

private:
  void more() {
    char block[4096];
    const auto n = ::recv(client_.fd(), block, sizeof block, 0);
    REQUIRE(n > 0);
    text_.append(block, static_cast<std::size_t>(n));
  }

  testing_http::client client_;
  std::string text_;
  std::size_t at_ = 0;
};

} // namespace

TEST_CASE("a stream of events is resumed behind the last one that its client saw, without a gap") {
  api_fixture f;
  event_reader live{f, ""};
  CHECK(live.is_stream());
  f.deployed("a", greeter());
  const auto first = live.next();
  CHECK(first == 1);
  CHECK(live.last["application"] == "a");
  CHECK(live.last["deployment"] == "greeter");
  for (const auto* key : {"time", "kind", "text", "replica"})
    CHECK(live.last.contains(key));
  const auto second = live.next();
  CHECK(second == 2);
  const auto second_event = live.last;

  event_reader again{f, "", "Last-Event-ID: 1\r\n"};
  CHECK(again.next() == 2);
  CHECK(again.last == second_event);
  CHECK(again.next() == 3);
  event_reader all{f, "?after=0"};
  CHECK(all.next() == 1);
  event_reader both{f, "?after=2", "Last-Event-ID: 1\r\n"}; // what is asked for explicitly counts
  CHECK(both.next() == 3);

  // What comes from now on is told to all.
  const auto last = f.events.last();
  event_reader fresh{f, ""};
  REQUIRE(f.post("/applications/a/deployments/greeter/scale", {{"num_replicas", 3}}).status == 200);
  CHECK(fresh.next() == last + 1);
  CHECK(fresh.last["kind"] == "scaled");
}

TEST_CASE("an id of an earlier run of the daemon gets all events of this one") {
  api_fixture f;
  f.deployed("a", greeter());
  event_reader stream{f, "?after=1000000"};
  CHECK(stream.next() == 1);
}

TEST_CASE("what is no id of an event is refused, and a HEAD opens no stream") {
  api_fixture f;
  testing_http::client c{f.port};
  c.send("HEAD " + f.v1("/events") + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  const auto head = c.read(true);
  CHECK(head.status == 200);
  CHECK(head.field("Content-Type") == "text/event-stream");
  CHECK(c.at_end());
  CHECK(f.get("/events?after=x").status == 400);
  CHECK(f.get("/events?after=%zz").status == 400);
  CHECK(f.ask("GET", f.v1("/events"), {}, "Last-Event-ID: -1\r\n").status == 400);
}

TEST_CASE("event streams end when the API stops") {
  api_fixture f;
  testing_http::client c{f.port};
  c.send("GET " + f.v1("/events") + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  std::string text;
  char block[4096];
  while (text.find(": troupe") == std::string::npos) {
    const auto n = ::recv(c.fd(), block, sizeof block, 0);
    REQUIRE(n > 0);
    text.append(block, static_cast<std::size_t>(n));
  }
  f.rest.stop();
  ssize_t n = 0;
  while ((n = ::recv(c.fd(), block, sizeof block, 0)) > 0) {
  }
  CHECK(n == 0);
}
