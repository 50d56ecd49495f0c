// Fuzzes the ingress's request path: bytes of a client, in pieces, into a connection without its socket.
//
// The first byte says how large the pieces are and who answers when. Checked is what must hold whatever comes in: the
// limits, that what is counted is given back, that refused bytes end the connection, and that there is one answer for
// each request.
#include "require.hpp"
#include <troupe/app/http/session.hpp>
#include <troupe/app/ingress/request_fields.hpp>
#include <troupe/app/ingress/route_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace troupe;
using fuzz::require;

http::options limits() {
  http::options x;
  x.target_bytes = 256;
  x.header_bytes = 1024;
  x.header_count = 16;
  x.body_bytes = 2048;
  x.pipelining_depth = 4;
  x.max_bodies_in_flight = 4096;
  return x;
}

const ingress::route_table& routes() {
  static const ingress::route_table table{{{.prefix = "/"}, {.prefix = "/a"}, {.prefix = "/a/b"}}};
  return table;
}

class client final : private http::session::owner {
public:
  explicit client(unsigned mode) : answers_at_once_((mode & 1) != 0), streams_((mode & 2) != 0) {}
  virtual ~client() = default;

  void send(std::string_view piece) {
    if (core_.ignores_input())
      return;
    left_ += piece;
    left_.erase(0, core_.receive(left_));
    if (core_.at_depth())
      left_.erase(0, core_.receive(left_, true));
    require(left_.size() <= 4096 + piece.size() || !core_.takes_input(), "what is not used up is bounded");
    if (!answers_at_once_ && open_.size() >= 3)
      answer_all();
    take();
  }

  void end() {
    core_.end_of_input();
    answer_all();
    take();
    require(core_.open_requests() == 0, "all requests were answered");
    require(all_.requests.load() == 0, "no request is counted any more");
    require(core_.ended(), "a connection whose client sends no more ends when all is answered");
  }

private:
  void on_request(std::uint64_t number, request&& x) override {
    require(!x.method.empty() && !x.path.empty(), "a request has a method and a path");
    require(x.body.size() <= limits_.body_bytes, "a body is within its limit");
    require(x.headers.size() <= limits_.header_count, "fields are within their limit");
    require(x.path.find('\0') == std::string::npos, "a path has no zero byte");
    require(routes().find(x.path) != nullptr, "the root takes every path");
    const auto fields = ingress::read_fields(x.headers);
    (void)fields.tags();
    (void)ingress::read_timeout(fields.timeout);
    ++requests_;
    if (answers_at_once_)
      answer(number);
    else
      open_.push_back(number);
  }

  void answer(std::uint64_t number) {
    if (!streams_)
      return core_.answer(number, response::text(200, "x"));
    core_.begin_stream(number, response::text(200, "x"), std::make_shared<http::stream_state>(100));
    core_.write_stream(number, "yz");
    core_.end_stream(number);
  }

  /// Backwards: answers wait for those before them.
  void answer_all() {
    while (!open_.empty()) {
      const auto number = open_.back();
      open_.pop_back();
      answer(number);
    }
  }

  void take() {
    std::string out;
    core_.output().for_each(~std::size_t{0}, [&](std::string_view x) { out += x; });
    if (!out.empty()) {
      require(out.starts_with("HTTP/1.1 ") || streams_, "what is sent begins with a status line");
      core_.sent(out.size());
    }
    require(core_.output().empty(), "all that was sent is gone");
  }

  http::options limits_ = limits();
  http::totals all_;
  http::thread_counters counters_;
  http::session_shared shared_{limits_, all_, counters_, "Date: today\r\n", false};
  const bool answers_at_once_;
  const bool streams_;
  std::string left_;
  std::vector<std::uint64_t> open_;
  std::uint64_t requests_ = 0;
  http::session core_{shared_, *this};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const unsigned mode = data[0];
  std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto piece = std::size_t{1} << ((mode >> 2) % 12); // 1 to 2048
  client c{mode};
  while (!rest.empty()) {
    const auto n = std::min(piece, rest.size());
    c.send(rest.substr(0, n));
    rest.remove_prefix(n);
  }
  c.end();
  return 0;
}
