// Connections without sockets: limits in flight, order, streams, ends.
#include "session_probe.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace troupe::session_test {

using namespace troupe;
using namespace troupe::testing_http;

namespace {

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: t\r\n\r\n"; }

std::string repeated(const std::string& x, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += x;
  return all;
}

std::size_t count(const std::string& in, const std::string& what) {
  std::size_t n = 0;
  for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1))
    ++n;
  return n;
}

} // namespace

TEST_CASE("as many requests are taken as the pipelining depth, those beyond are refused in their turn") {
  session_probe p{{.pipelining_depth = 4}};
  p.answer_at_once = false;
  CHECK(p.give(repeated(get("/"), 6)).empty());
  CHECK(p.open.size() == 4);
  CHECK(p.core.at_depth());
  CHECK_FALSE(p.core.takes_input());
  p.left.erase(0, p.core.receive(p.left, true));
  CHECK(p.left.empty());
  CHECK(p.take().empty()); // answers keep the order
  for (const auto number : p.open)
    p.core.answer(number, response::text(200, "yes"));
  const auto out = p.take();
  CHECK(count(out, "200 OK") == 4);
  CHECK(count(out, "503 Service Unavailable") == 2);
  CHECK(out.find("503") > out.rfind("200 OK"));
  CHECK(session_probe::status(p.give(get("/next"))) == 0); // open again
  CHECK(p.open.size() == 5);
  CHECK(p.all.requests.load() == 1);
}

TEST_CASE("a flood beyond twice the depth is not even read") {
  session_probe p{{.pipelining_depth = 4}};
  p.answer_at_once = false;
  p.give(repeated(get("/"), 100));
  p.left.erase(0, p.core.receive(p.left, true));
  CHECK(p.core.open_requests() == 8);
  CHECK(p.left.size() == 92 * get("/").size());
}

TEST_CASE("requests beyond the server's number in flight get 503, and the connection goes on") {
  session_probe p{{.max_requests_in_flight = 2}};
  p.answer_at_once = false;
  p.give(get("/1") + get("/2") + get("/3"));
  CHECK(p.open.size() == 2);
  p.core.answer(p.open[0], response::text(200, "1"));
  p.core.answer(p.open[1], response::text(200, "2"));
  const auto out = p.take();
  CHECK(count(out, "200 OK") == 2);
  CHECK(count(out, "too many requests are in flight") == 1);
  p.give(get("/4"));
  CHECK(p.open.size() == 3);
}

TEST_CASE("bodies beyond the server's bytes in flight get 503; what was answered counts no more") {
  session_probe p{{.max_bodies_in_flight = 10}};
  const std::string eight = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\n12345678";
  CHECK(session_probe::status(p.give(eight)) == 200);
  CHECK(session_probe::status(p.give(eight)) == 200);
  CHECK(p.all.body_bytes.load() == 0);
  p.answer_at_once = false;
  p.give(eight);
  CHECK(p.all.body_bytes.load() == 8);
  p.give(eight);
  CHECK(p.core.ignores_input());
  p.core.answer(p.open[0], response::text(200, ""));
  const auto out = p.take();
  CHECK(count(out, "503 Service Unavailable") == 1);
  CHECK(out.ends_with("too many bytes of bodies are in flight\n"));
  CHECK(p.core.ended());
  CHECK(p.all.body_bytes.load() == 0);
}

TEST_CASE("a session that ends in the middle gives back what it counted, and tells those it was asked to tell") {
  auto told = std::make_shared<int>(0);
  {
    session_probe p;
    p.answer_at_once = false;
    p.give(get("/1") + get("/2") + "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\n1234");
    p.core.on_disconnect(p.open[0], http::disconnect_hook{[told] { ++*told; }});
    CHECK(p.all.requests.load() == 2);
    CHECK(p.all.body_bytes.load() == 4);
    p.core.lost();
    CHECK(*told == 1);
    CHECK(p.counters.disconnects.value() == 2);
    p.core.answer(p.open[0], response::text(200, "late"));
    CHECK(p.core.current() != http::phase::sending);
  }
  CHECK(*told == 1);
}

TEST_CASE("a second answer for a request is nothing") {
  session_probe p;
  p.answer_at_once = false;
  p.give(get("/1") + get("/2"));
  p.core.answer(2, response::text(200, "two"));
  p.core.answer(2, response::text(200, "again"));
  p.core.answer(1, response::text(200, "one"));
  p.core.answer(1, response::text(200, "again"));
  p.core.answer(77, response::text(200, "never"));
  const auto out = p.take();
  CHECK(count(out, "200 OK") == 2);
  CHECK(count(out, "again") == 0);
}

TEST_CASE("phases say which timeout runs") {
  session_probe p;
  p.answer_at_once = false;
  CHECK(p.core.current() == http::phase::fresh);
  p.give("POST /");
  CHECK(p.core.current() == http::phase::head);
  p.give(" HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n1");
  CHECK(p.core.current() == http::phase::body);
  p.give("2");
  CHECK(p.core.current() == http::phase::handling);
  p.core.answer(1, response::text(200, ""));
  CHECK(p.core.current() == http::phase::sending);
  p.take();
  CHECK(p.core.current() == http::phase::idle);
  p.core.time_out();
  CHECK(p.core.current() == http::phase::closing);
  CHECK(p.take().empty());
}

TEST_CASE("a head or a body that does not come in time gets 408") {
  for (const auto* part : {"POST / HTT", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n1"}) {
    session_probe p;
    p.give(part);
    p.core.time_out();
    CHECK(session_probe::status(p.take()) == 408);
    CHECK(p.core.ended());
    CHECK(p.all.body_bytes.load() == 0);
  }
}

TEST_CASE("100 Continue comes after the answers before it") {
  session_probe p;
  p.answer_at_once = false;
  CHECK(p.give(get("/1") + "POST /2 HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n").empty());
  p.core.answer(1, response::text(200, "one"));
  CHECK(p.take().ends_with("one"
                           "HTTP/1.1 100 Continue\r\n\r\n"));
  p.give("x");
  p.core.answer(2, response::text(200, "two"));
  CHECK(p.take().ends_with("two"));
}

TEST_CASE("a body that is there already needs no 100 Continue") {
  session_probe p;
  const auto out = p.give("POST /2 HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx");
  CHECK(out.find("100 Continue") == std::string::npos);
}

TEST_CASE("while draining only the last answer closes the connection") {
  session_probe p;
  p.answer_at_once = false;
  p.give(get("/1") + get("/2"));
  p.shared.draining = true;
  p.core.answer(1, response::text(200, "one"));
  CHECK(p.take().find("Connection: close") == std::string::npos);
  p.give("GET /3 HT"); // under way: not cut off
  p.core.answer(2, response::text(200, "two"));
  CHECK(p.take().find("Connection: close") == std::string::npos);
  p.give("TP/1.1\r\nHost: t\r\n\r\n");
  p.core.answer(3, response::text(200, "three"));
  CHECK(p.take().find("Connection: close") != std::string::npos);
  CHECK(p.core.ended());
}

TEST_CASE("a stream is sent in chunks, in its turn, and counts what is unsent") {
  session_probe p;
  p.answer_at_once = false;
  p.give(get("/1") + get("/2") + get("/3"));
  const auto state = std::make_shared<http::stream_state>(100);
  int progress = 0;
  state->on_progress([&] { ++progress; });
  p.core.begin_stream(2, {200, {}, "first"}, state);
  state->taken(6);
  p.core.write_stream(2, "second");
  CHECK(p.take().empty());
  CHECK(state->unsent() == 11);
  p.core.answer(1, response::text(200, "one"));
  p.core.answer(3, response::text(200, "three"));
  auto out = p.take();
  CHECK(out.find("Transfer-Encoding: chunked\r\n\r\nb\r\nfirstsecond\r\n") != std::string::npos);
  CHECK(out.find("three") == std::string::npos);
  CHECK(state->unsent() == 0);
  CHECK(progress == 1);
  p.core.end_stream(2);
  out = p.take();
  CHECK(out.starts_with("0\r\n\r\nHTTP/1.1 200 OK"));
  CHECK(out.ends_with("three"));
}

TEST_CASE("a stream to an HTTP/1.0 client ends with the connection") {
  session_probe p;
  p.answer_at_once = false;
  p.give("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto state = std::make_shared<http::stream_state>(100);
  p.core.begin_stream(1, {200, {}, "all"}, state);
  const auto out = p.take();
  CHECK(out.find("chunked") == std::string::npos);
  CHECK(out.ends_with("Connection: close\r\n\r\nall"));
  CHECK_FALSE(p.core.ended());
  p.core.end_stream(1);
  CHECK(p.core.ended());
}

TEST_CASE("an answer without a body by its status has none") {
  session_probe p;
  p.answer_at_once = false;
  p.give(get("/1") + get("/2"));
  p.core.answer(1, {204, {}, "ignored"});
  CHECK(p.take() == "HTTP/1.1 204 No Content\r\n\r\n");
  p.core.answer(2, {299, {}, "x"});
  CHECK(p.take() == "HTTP/1.1 299 \r\nContent-Length: 1\r\n\r\nx");
}

TEST_CASE("with much unsent the next requests are not read") {
  session_probe p{{.output_bytes = 1000}};
  p.answer_at_once = false;
  p.give(get("/1"));
  p.core.answer(1, response::text(200, std::string(20'000, 'x')));
  CHECK_FALSE(p.core.takes_input());
  CHECK(p.take().size() > 20'000);
  CHECK(p.core.takes_input());
}

} // namespace troupe::session_test
