// Jobs behind others that block.
#include <troupe/troupe.hpp>

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct ping {};
struct pong {};

struct back {
  pong operator()(const ping&) { return {}; }
};

/// Holds up its thread until `back` has answered.
class front {
public:
  explicit front(handle<pong(ping)> next) : next_(std::move(next)) {}
  pong operator()(const ping&) { return next_.async(ping{}).get(); }

private:
  handle<pong(ping)> next_;
};

} // namespace

TEST_CASE("two handlers that wait for a third on threads that have just woken do not wait for ever") {
  runtime rt{runtime_options{.scheduler_threads = 4}};
  rt.run<back>("back");
  rt.run<front>(deployment_options{"front"}.num_replicas(2).max_ongoing_requests(1),
                [&rt] { return std::make_unique<front>(rt.handle<pong(ping)>("back")); });
  REQUIRE(rt.wait_until_healthy("front", 60s));
  const auto h = rt.handle<pong(ping)>("front");
  for (int i = 0; i < 5000; ++i) {
    CAPTURE(i);
    // Ends a wait that would not end: the calls below have no time of their own.
    auto one = h.async(ping{}, {.timeout = 10s}), two = h.async(ping{}, {.timeout = 10s});
    REQUIRE_NOTHROW(one.get());
    REQUIRE_NOTHROW(two.get());
  }
}
