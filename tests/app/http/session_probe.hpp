// A session without a socket, whose requests are answered at once with what they were.
#pragma once

#include <troupe/app/http/session.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::testing_http {

class session_probe final : private http::session::owner {
public:
  explicit session_probe(http::options x = {}) : limits(x), core(shared, *this) {}
  virtual ~session_probe() = default;

  /// Gives all bytes, in pieces of that size; what is left of one piece stands before the next. Returns what came out.
  std::string give(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    while (!bytes.empty()) {
      const auto n = std::min(piece, bytes.size());
      left += bytes.substr(0, n);
      bytes.remove_prefix(n);
      left.erase(0, core.receive(left));
      if (core.ignores_input())
        left.clear();
    }
    return take();
  }

  std::string take() {
    std::string out;
    core.output().for_each(std::string_view::npos, [&](std::string_view x) { out += x; });
    if (!out.empty())
      core.sent(out.size());
    return out;
  }

  /// The status of the first answer in `out`; 0 when there is none.
  static int status(std::string_view out) { return out.size() < 12 ? 0 : std::stoi(std::string{out.substr(9, 3)}); }

  http::options limits;
  http::totals all;
  http::thread_counters counters;
  http::session_shared shared{limits, all, counters, {}, false};
  std::vector<request> requests;
  std::vector<std::uint64_t> open; ///< Numbers that are not answered, when `answer_at_once` is false.
  bool answer_at_once = true;
  std::string left;
  http::session core; // last: it ends first

private:
  void on_request(std::uint64_t number, request&& x) override {
    requests.push_back(x);
    if (answer_at_once)
      core.answer(number, response::text(200, x.method + x.path + x.body));
    else
      open.push_back(number);
  }
};

} // namespace troupe::testing_http
