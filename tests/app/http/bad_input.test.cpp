// What no client should send: each is refused with its status, however it is cut into pieces, and ends the connection.
#include "session_probe.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace troupe::bad_input_test {

using namespace troupe;
using namespace troupe::testing_http;

namespace {

struct bad {
  const char* what;
  std::string bytes;
  int status;
};

const std::string host = "Host: t\r\n";

std::string head(const std::string& fields) { return "POST / HTTP/1.1\r\n" + host + fields + "\r\n"; }
std::string chunks(const std::string& body) { return head("Transfer-Encoding: chunked\r\n") + body; }
std::string target(const std::string& x) { return "GET " + x + " HTTP/1.1\r\n" + host + "\r\n"; }

http::options small() {
  http::options x;
  x.target_bytes = 200;
  x.header_bytes = 1000;
  x.header_count = 10;
  x.body_bytes = 100;
  return x;
}

std::string repeated(const std::string& x, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += x;
  return all;
}

std::vector<bad> all_bad() {
  return {
      // framing
      {"length and coding", head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "abc", 400},
      {"coding and length", head("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + "abc", 400},
      {"two equal lengths", head("Content-Length: 3\r\nContent-Length: 3\r\n") + "abc", 400},
      {"two different lengths", head("Content-Length: 3\r\nContent-Length: 4\r\n") + "abc", 400},
      {"a list of lengths", head("Content-Length: 3, 3\r\n") + "abc", 400},
      {"a signed length", head("Content-Length: +3\r\n") + "abc", 400},
      {"a negative length", head("Content-Length: -3\r\n") + "abc", 400},
      {"a length that overflows", head("Content-Length: 99999999999999999999999\r\n"), 400},
      {"a hexadecimal length", head("Content-Length: 0x3\r\n") + "abc", 400},
      {"an empty length", head("Content-Length: \r\n"), 400},
      {"two codings", head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"an unknown coding", head("Transfer-Encoding: gzip\r\n"), 501},
      {"chunked not last", head("Transfer-Encoding: chunked, identity\r\n"), 501},
      {"a coding before chunked", head("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"a disguised coding", head("Transfer-Encoding: xchunked\r\n"), 501},
      {"a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"a body that is too large", head("Content-Length: 101\r\n"), 413},
      {"chunks that are too large", chunks("60\r\n" + std::string(0x60, 'x') + "\r\n60\r\n"), 413},
      {"a chunk that claims too much", chunks("ffffffff\r\n"), 413},
      // chunks
      {"a chunk size that is none", chunks("xyz\r\nabc\r\n"), 400},
      {"a chunk size that overflows", chunks("fffffffffffffffff\r\n"), 400},
      {"a negative chunk size", chunks("-1\r\nx\r\n"), 400},
      {"a chunk longer than it says", chunks("3\r\nabcdef\r\n0\r\n\r\n"), 400},
      {"a chunk without a line end", chunks("3\r\nabcX\r\n0\r\n\r\n"), 400},
      {"a chunk size with a bare line feed", chunks("3\nabc\n0\n\n\r\n"), 400},
      {"a broken chunk extension", chunks("3;=\r\nabc\r\n0\r\n\r\n"), 400},
      {"an endless chunk extension", chunks("3;a=" + std::string(2000, 'x')), 400},
      {"many chunk extensions", chunks(repeated("1;a=" + std::string(200, 'x') + "\r\ny\r\n", 20)), 431},
      {"too many trailers", chunks("0\r\n" + repeated("A: b\r\n", 20) + "\r\n"), 431},
      {"an endless trailer", chunks("0\r\nA: " + std::string(2000, 'x')), 400},
      {"a length in the trailer", chunks("0\r\nContent-Length: 5\r\n\r\n"), 400},
      // heads
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"a host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"a folded field", head("A: b\r\n c\r\n"), 400},
      {"a field folded at once", head("A:\r\n b\r\n"), 400},
      {"a space before the colon", head("A : b\r\n"), 400},
      {"an empty name", head(": b\r\n"), 400},
      {"a name with a control", head(std::string{"A\x01: b\r\n"}), 400},
      {"a value with a zero", head(std::string{"A: b\0c\r\n", 8}), 400},
      {"a bare carriage return", head("A: b\rC: d\r\n"), 400},
      {"a line without a colon", head("nothing\r\n"), 400},
      {"a flood of fields", head(repeated("A: b\r\n", 50)), 431},
      {"a field that is too large", head("A: " + std::string(2000, 'x') + "\r\n"), 431},
      {"fields that never end", "GET / HTTP/1.1\r\n" + host + "A: " + std::string(2000, 'x'), 431},
      {"an unknown expectation", head("Expect: wonders\r\n"), 417},
      {"empty lines for ever", repeated("\r\n", 20), 400},
      // request lines
      {"nonsense", "\x16\x03\x01\x02 nonsense\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"a version that is none", "GET / HTTP/x.y\r\n" + host + "\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", 505},
      {"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"a method that is no token", "G(T / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"an endless method", std::string(900, 'G'), 414},
      {"a long method", std::string(40, 'G') + " / HTTP/1.1\r\n" + host + "\r\n", 501},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n", 501},
      {"TRACE", "TRACE / HTTP/1.1\r\n" + host + "\r\n", 501},
      {"a target that is too long", target("/" + std::string(220, 'x')), 414},
      {"a target that never ends", "GET /" + std::string(900, 'x'), 414},
      {"a relative target", target("a/b"), 400},
      {"a target of another scheme", target("ftp://a/b"), 400},
      {"an absolute target without a host", target("http:///b"), 400},
      {"an absolute target with a user", target("http://me@a/b"), 400},
      {"an asterisk with GET", target("*"), 400},
      {"a fragment", target("/a#b"), 400},
      {"a target with bytes that are not ASCII", target("/\xc3\xa4"), 400},
      {"a broken escape", target("/%g1"), 400},
      {"half an escape", target("/a%2"), 400},
      {"an escaped zero", target("/a%00b"), 400},
      {"an escaped line end", target("/a%0d%0aX:y"), 400},
  };
}

} // namespace

TEST_CASE("bad input is refused with its status, whole or byte by byte, and the connection ends") {
  for (const auto& x : all_bad())
    for (const std::size_t piece : {std::size_t{100'000}, std::size_t{7}, std::size_t{1}}) {
      CAPTURE(x.what);
      CAPTURE(piece);
      session_probe p{small()};
      const auto out = p.give(x.bytes, piece);
      CHECK(session_probe::status(out) == x.status);
      CHECK(out.find("Connection: close\r\n") != std::string::npos);
      CHECK(p.requests.empty());
      CHECK(p.core.ended());
      CHECK(p.counters.errors[static_cast<std::size_t>(x.status - 400)].value() == 1);
      CHECK(p.all.body_bytes.load() == 0);
    }
}

TEST_CASE("what comes behind a refused request is not read as another") {
  session_probe p;
  const auto out =
      p.give(head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + target("/smuggled"));
  CHECK(session_probe::status(out) == 400);
  CHECK(p.requests.empty());
}

TEST_CASE("what is unusual but allowed is taken") {
  for (const std::size_t piece : {std::size_t{100'000}, std::size_t{1}}) {
    session_probe p;
    p.give("\r\n\r\n" + target("http://t/a%20b?c=%00d"), piece);
    p.give("OPTIONS * HTTP/1.1\r\n" + host + "\r\n", piece);
    p.give(head("content-length:   5   \r\n") + "12345", piece);
    p.give(chunks("1 ;a=\"b;c\"\r\nx\r\n00\r\nT: u\r\n\r\n"), piece);
    p.give("get / HTTP/1.1\r\nHost:\r\n\r\n", piece);
    p.give(head("Transfer-Encoding: CHUNKED\r\n") + "0\r\n\r\n", piece);
    REQUIRE(p.requests.size() == 6);
    CHECK(p.requests[0].path == "/a b");
    CHECK(p.requests[0].query == "c=%00d");
    CHECK(p.requests[1].path == "*");
    CHECK(p.requests[2].body == "12345");
    CHECK(p.requests[3].body == "x");
    CHECK(p.requests[3].header("T").empty());
    CHECK(p.requests[4].method == "get");
  }
}

} // namespace troupe::bad_input_test
