// A rollout that changes what replicas ask for, with the real actors: old and new ones share the machine, requests go
// on.
#include <troupe/testing/world.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
using troupe::testing::for_seeds;
using troupe::testing::world;

namespace {

struct question {
  int number = 0;
};

struct doubler {
  int operator()(question x) { return 2 * x.number; }
};

deployment_options asking(std::string version, std::uint32_t n, std::uint64_t cpus) {
  return deployment_options{"double"}
      .version(std::move(version))
      .num_replicas(n)
      .per_replica(resources{}.set(resource_name::cpus, cpus * resource_unit));
}

testing::world_options with_cpus(std::uint64_t n) {
  return {.local = resources{}.set(resource_name::cpus, n * resource_unit)};
}

/// Sends requests while `w` gets on, until it rests; then all of them must have been answered.
void serve_until_rest(world& w) {
  for (int i = 0; i < 40; ++i) {
    w.request<int(question)>("double", question{i});
    w.advance(50ms);
  }
  CHECK(w.settle());
  CHECK(w.requests().answered == w.requests().sent);
}

std::uint32_t of_revision(const deployment_status& s, std::uint64_t revision) {
  std::uint32_t n = 0;
  for (const auto& r : s.replicas)
    n += r.available && r.revision == revision ? 1 : 0;
  return n;
}

} // namespace

TEST_CASE("replicas of 1 CPU become replicas of 2 on a full machine: half as many, and no request fails") {
  for_seeds(
      20,
      [](world& w) {
        w.run<doubler>(asking("1", 10, 1));
        REQUIRE(w.settle());
        const auto target = w.run<doubler>(asking("2", 10, 2)).revision;
        serve_until_rest(w);
        const auto s = w.status("double");
        CHECK(of_revision(s, target) == 5);
        CHECK(s.available == 5);
        CHECK(s.message == "waiting for room: 5 replicas want 2 num_cpus each, 0 of 10 free");
        CHECK(s.rollout.phase == rollout_phase::complete);
      },
      1, with_cpus(10));
}

TEST_CASE("a restart while half of them are of the new size starts these anew, too, and no request fails") {
  for_seeds(
      20,
      [](world& w) {
        w.run<doubler>(asking("1", 8, 2));
        REQUIRE(w.settle());
        REQUIRE(w.status("double").available == 5); // 3 wait
        w.slow_start(300ms);
        const auto half = w.run<doubler>(asking("2", 8, 1)).revision;
        while (of_revision(w.status("double"), half) < 3)
          REQUIRE(w.step());
        const auto last = w.restart("double").revision;
        serve_until_rest(w);
        const auto s = w.status("double");
        CHECK(of_revision(s, last) == 8);
        CHECK(s.available == 8);
        CHECK(s.state == deployment_state_name::healthy);
      },
      1, with_cpus(10));
}

TEST_CASE("a rollout whose waves can make no room waits, all serve on, and an abort ends it") {
  world w{with_cpus(10)};
  w.run<doubler>(asking("1", 10, 1));
  REQUIRE(w.settle());
  w.run<doubler>(asking("2", 10, 4));
  serve_until_rest(w);
  CHECK(w.status("double").available == 10);
  CHECK(w.status("double").rollout.reason == rollout_reason::waiting_for_room);
  CHECK(w.status("double").message ==
        "waiting for room: 1 replica wants 4 num_cpus, 0 of 10 free, and 2 of those that a wave would stop");
  w.abort("double");
  REQUIRE(w.settle());
  CHECK(w.status("double").state == deployment_state_name::healthy);
  CHECK(w.status("double").message.empty());
}

TEST_CASE("two deployments turn to larger replicas at once: what each one's waves free stays its own") {
  for_seeds(
      20,
      [](world& w) {
        const auto named = [](const std::string& name, const std::string& version, std::uint64_t cpus) {
          return deployment_options{name}.version(version).num_replicas(5).per_replica(
              resources{}.set(resource_name::cpus, cpus * resource_unit));
        };
        w.run<doubler>(named("a", "1", 1));
        w.run<doubler>(named("b", "1", 1));
        REQUIRE(w.settle());
        w.run<doubler>(named("a", "2", 2).max_unavailable(replica_share::count(2)));
        w.run<doubler>(named("b", "2", 2).max_unavailable(replica_share::count(2)));
        REQUIRE(w.settle());
        for (const auto* name : {"a", "b"}) {
          const auto s = w.status(name);
          CHECK(s.available >= 2);
          CHECK(s.available + s.waiting_for_room >= 3);
          CHECK_FALSE(s.message.empty());
        }
        CHECK(w.status("a").available + w.status("b").available >= 5);
      },
      1, with_cpus(10));
}
