// Routes on their way to a node: what they say stays, routers are the node's own.
#include <troupe/app/cluster/node_routes.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>

namespace troupe::node_routes_test {

using namespace troupe;

namespace {

/// Not looked into: a table keeps what it is given.
std::shared_ptr<router> some_router() {
  alignas(std::max_align_t) static std::byte here{};
  return {std::shared_ptr<void>{}, reinterpret_cast<router*>(&here)};
}

} // namespace

TEST_CASE("each route is told whole: the ingress's own timeout, none and some are three things") {
  using std::chrono::milliseconds;
  const std::vector<ingress::route> given{
      {.prefix = "/", .deployment = {"a", "x"}, .to = some_router(), .request_timeout = std::nullopt},
      {.prefix = "/b", .deployment = {"b", "y"}, .to = some_router(), .request_timeout = milliseconds{0}},
      {.prefix = "/c",
       .deployment = {"c", "z"},
       .to = some_router(),
       .request_timeout = milliseconds{2500},
       .backpressure_status = 429,
       .retry_after_s = 7}};
  const auto told = cluster::node_routes_of(given);
  REQUIRE(told.routes.size() == 3);
  CHECK(told.routes[0].request_timeout_ms == -1);
  CHECK(told.routes[0].backpressure_status == 503);
  CHECK(told.routes[1].request_timeout_ms == 0);
  CHECK(told.routes[2].request_timeout_ms == 2500);
  const auto there = cluster::ingress_routes_of(told, [](const auto&) { return some_router(); });
  REQUIRE(there.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(there[i].prefix == given[i].prefix);
    CHECK(there[i].deployment == given[i].deployment);
    CHECK(there[i].to == some_router());
    CHECK(there[i].request_timeout == given[i].request_timeout);
    CHECK(there[i].backpressure_status == given[i].backpressure_status);
    CHECK(there[i].retry_after_s == given[i].retry_after_s);
  }
}

TEST_CASE("where a node has no router there is no route") {
  const auto told = cluster::node_routes_of({{.prefix = "/a", .deployment = {"a", "x"}, .to = some_router()},
                                             {.prefix = "/b", .deployment = {"b", "y"}, .to = some_router()}});
  const auto there = cluster::ingress_routes_of(told, [](const deployment_name& name) {
    return name.application == "b" ? some_router() : std::shared_ptr<router>{};
  });
  REQUIRE(there.size() == 1);
  CHECK(there[0].prefix == "/b");
  CHECK(cluster::node_routes_of({}).routes.empty());
}

} // namespace troupe::node_routes_test
