// Callers stop before those that they call.
#include <troupe/app/runtime/call_graph.hpp>
#include <troupe/troupe.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <utility>

namespace troupe::call_graph_test {

using namespace troupe;

namespace {

deployment_name named(const std::string& name) { return {"default", name}; }

void note(call_graph& g, std::initializer_list<std::pair<const char*, const char*>> calls) {
  for (const auto& [caller, callee] : calls)
    g.add(named(caller), named(callee));
}

std::vector<std::vector<std::string>> order(const call_graph& g, const std::vector<std::string>& names) {
  std::vector<deployment_name> all;
  all.reserve(names.size());
  for (const auto& n : names)
    all.push_back(named(n));
  std::vector<std::vector<std::string>> out;
  for (const auto& group : g.stop_order(all)) {
    auto& to = out.emplace_back();
    for (const auto& n : group)
      to.push_back(n.full());
    std::sort(to.begin(), to.end());
  }
  return out;
}

using groups = std::vector<std::vector<std::string>>;

} // namespace

TEST_CASE("nobody calls anybody: all stop together") {
  CHECK(order({}, {"a", "b"}) == groups{{"a", "b"}});
  CHECK(order({}, {}) == groups{});
}

TEST_CASE("a chain stops from its caller on, whatever the names") {
  call_graph g;
  note(g, {{"c", "a"}, {"a", "b"}});
  CHECK(order(g, {"a", "b", "c"}) == groups{{"c"}, {"a"}, {"b"}});
  CHECK(order(g, {"b", "c"}) == groups{{"b", "c"}}); // without the one between them
}

TEST_CASE("what two call stops after both, and after the longest way to it") {
  call_graph g;
  note(g, {{"a", "d"}, {"a", "b"}, {"b", "c"}, {"c", "d"}, {"x", "d"}});
  CHECK(order(g, {"a", "b", "c", "d", "x", "y"}) == groups{{"a", "x", "y"}, {"b"}, {"c"}, {"d"}});
}

TEST_CASE("a circle stops together, after its callers and before those that it calls") {
  call_graph g;
  note(g, {{"in", "a"}, {"a", "b"}, {"b", "c"}, {"c", "a"}, {"b", "out"}, {"self", "self"}});
  CHECK(order(g, {"a", "b", "c", "in", "out", "self"}) == groups{{"in", "self"}, {"a", "b", "c"}, {"out"}});
}

namespace {

struct ping {};
struct pong {};

/// Says in its destructor that it stops.
struct stop_list {
  std::mutex mutex;
  std::vector<std::string> stopped;
};

class stage {
public:
  stage(std::string name, std::shared_ptr<stop_list> list, handle<pong(ping)> next)
      : name_(std::move(name)), list_(std::move(list)), next_(std::move(next)) {}
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;
  ~stage() {
    const std::lock_guard guard{list_->mutex};
    list_->stopped.push_back(name_);
  }
  pong operator()(const ping&) { return {}; }

private:
  std::string name_;
  std::shared_ptr<stop_list> list_;
  handle<pong(ping)> next_;
};

} // namespace

TEST_CASE("handles that constructors get tell a runtime in what order its deployments stop") {
  const auto list = std::make_shared<stop_list>();
  {
    runtime rt;
    const auto run = [&](const std::string& name, const std::string& next) {
      rt.run<stage>(deployment_options{name}.num_replicas(3), [&rt, list, name, next] {
        return std::make_unique<stage>(name, list, next.empty() ? handle<pong(ping)>{} : rt.handle<pong(ping)>(next));
      });
      REQUIRE(rt.wait_until_healthy(name, std::chrono::seconds{60}));
    };
    run("a_last", "");
    run("z_middle", "a_last");
    run("m_first", "z_middle");
  }
  CHECK(list->stopped == std::vector<std::string>{"m_first", "m_first", "m_first", "z_middle", "z_middle", "z_middle",
                                                  "a_last", "a_last", "a_last"});
}

} // namespace troupe::call_graph_test
