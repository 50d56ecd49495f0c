// A replica in a host, its port, and routers of other processes that send to it: the limit, room, and its end.
#include <troupe/actors/replica/far_replica.hpp>
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/deployment/promise.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/worker/worker_host.hpp>

#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>

#include <deque>
#include <fixtures/deterministic.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::replica_port_test {

using namespace troupe;
using namespace std::chrono_literals;

/// Keeps what it is asked until told.
struct keeper {
  explicit keeper(std::deque<std::pair<int, promise<int>>>* kept) : kept_(kept) {}
  void operator()(int x, promise<int> answer) { kept_->emplace_back(x, std::move(answer)); }

private:
  std::deque<std::pair<int, promise<int>>>* kept_;
};

struct fixture : test::deterministic {
  fixture() {
    library::application_code code;
    code.deployments.resize(1);
    code.deployments[0].defaults.name = "keeper";
    code.deployments[0].user_code = make_code<keeper>([this] { return std::make_unique<keeper>(&kept); });
    host = guard(worker::spawn_worker_host(env, std::move(code), {}, {replicas, ports}));
    owner =
        guard(system.spawn([this](worker_replica_owner_actor::pointer) -> worker_replica_owner_actor::behavior_type {
          return {[](const worker_answers&) {},
                  [](const calls_refused&) {},
                  [](port_has_room) {},
                  [this](worker_replica_made& x) { made = std::move(x); },
                  [](const replica_stuck&) {},
                  [this](const replica_started&) { ++started; },
                  [](const replica_reconfigured&) {},
                  [](const replica_checked&) {},
                  [this](const replica_stopped& x) { stopped.push_back(x.reason); }};
        }));
    start_worker_replica x;
    x.place = 7;
    x.replica = {1, 0};
    x.deployment = "keeper";
    x.full_name = "keeper";
    x.owner = owner;
    x.kind.code = 1;
    caf::anon_send(host, std::move(x));
    run();
    REQUIRE(started == 1);
    REQUIRE(made.port);
  }
  ~fixture() {
    for (auto& r : routers)
      r->shut({errc::runtime_stopped, {}});
    run();
    kept.clear();
    made = {};
    owner = nullptr;
    host = nullptr;
    end();
  }

  /// A router that reaches the replica.
  router& reach(router_limits limits = {.max_ongoing = 1}) {
    routers.push_back(router::make(system, {.name = "keeper", .limits = limits}));
    auto& calls = routers.back();
    guard(replica::spawn_far_replica(
        env, {.calls = calls, .where = &calls->acquire({1, 0}), .port = made.port, .on_end = [this](bool was_closed) {
                ends.push_back(was_closed);
              }}));
    run();
    return *calls;
  }
  void ask(std::size_t by, int x) {
    handle<int(int)>{routers.at(by)}.call(x, [this, x](const result<int>& got) { outcomes[x] = got.code(); });
    run();
  }
  std::vector<int> begun() const {
    std::vector<int> out;
    for (const auto& [x, p] : kept)
      out.push_back(x);
    return out;
  }
  void answer_oldest() {
    auto [x, p] = std::move(kept.front());
    kept.pop_front();
    p.answer(x);
    run();
  }

  std::deque<std::pair<int, promise<int>>> kept;
  std::map<int, errc> outcomes;
  std::vector<std::shared_ptr<router>> routers;
  std::vector<bool> ends;
  std::shared_ptr<worker::replica_count> replicas = std::make_shared<worker::replica_count>(0);
  std::shared_ptr<worker::port_table> ports = std::make_shared<worker::port_table>();
  worker_host_actor host;
  worker_replica_owner_actor owner;
  worker_replica_made made;
  int started = 0;
  std::vector<stop_reason> stopped;
};

using list = std::vector<int>;

TEST_CASE_FIXTURE(fixture, "the limit holds over all routers; who was refused is told of room in turn") {
  for (int i = 0; i < 3; ++i)
    reach();
  ask(0, 1);
  ask(1, 2);
  ask(2, 3);
  ask(0, 4); // waits in its own router
  CHECK(begun() == list{1});
  CHECK(routers[1]->queued() == 1);
  CHECK(routers[1]->given_back() == 1);
  CHECK(routers[2]->given_back() == 1);
  answer_oldest();
  CHECK(outcomes.at(1) == errc::none);
  for (const int next : {2, 3, 4}) { // and not 4 first, though its router was at hand
    CHECK(begun() == list{next});
    answer_oldest();
  }
  CHECK(outcomes.size() == 4);
  for (const auto& [x, how] : outcomes)
    CHECK(how == errc::none);
}

TEST_CASE_FIXTURE(fixture, "who has no use for room any more passes it on") {
  for (int i = 0; i < 3; ++i)
    reach();
  ask(0, 1);
  handle<int(int)> second{routers[1]};
  auto token = second.call(2, [this](const result<int>& got) { outcomes[2] = got.code(); });
  run();
  ask(2, 3);
  token.cancel();
  run();
  CHECK(outcomes.at(2) == errc::cancelled);
  answer_oldest();
  CHECK(begun() == list{3});
  answer_oldest();
}

TEST_CASE_FIXTURE(fixture, "each router's own limit is judged; a higher one lets in more") {
  reach({.max_ongoing = 1});
  reach({.max_ongoing = 3});
  ask(0, 1);
  ask(1, 2);
  ask(1, 3);
  ask(1, 4);
  CHECK(begun() == list{1, 2, 3});
  CHECK(routers[1]->queued() == 1);
  answer_oldest();
  CHECK(begun() == list{2, 3, 4});
  while (!kept.empty())
    answer_oldest();
}

TEST_CASE_FIXTURE(fixture, "a replica that stops ends what it has begun, and gives back what it has not") {
  reach({.max_ongoing = 2});
  ask(0, 1);
  caf::anon_send(made.replica, stop_replica{1}); // the router does not know
  run();
  ask(0, 2);
  CHECK(begun() == list{1});
  CHECK(routers[0]->queued() == 1);
  CHECK(stopped.empty());
  answer_oldest();
  CHECK(outcomes.at(1) == errc::none);
  CHECK(stopped == std::vector{stop_reason::asked});
  CHECK(ends.empty());
  caf::anon_send(host, drop_worker_replica{7});
  run();
  ask(0, 3);
  CHECK(ends.empty()); // the port refuses for a while what comes late
  advance(6s);
  CHECK(ends == std::vector{false});
  CHECK(outcomes.count(3) == 0);
  CHECK(outcomes.count(2) == 0); // it waits for another replica
  CHECK(routers[0]->queued() == 2);
  CHECK(replicas->load() == 0);
  CHECK_FALSE(ports->find(made.port_number));
}

TEST_CASE_FIXTURE(fixture, "what a replica that is killed had begun fails, or is tried again where it may be") {
  reach({.max_ongoing = 2});
  reach({.max_ongoing = 2, .idempotent = true});
  ask(0, 1);
  ask(1, 2);
  caf::anon_send_exit(made.replica, caf::exit_reason::kill);
  run();
  CHECK(outcomes.at(1) == errc::replica_died);
  CHECK(outcomes.count(2) == 0);
  CHECK(routers[1]->queued() == 1);
}

TEST_CASE_FIXTURE(fixture, "a replica that is closed here ends what was sent, then nothing stands for it any more") {
  auto& calls = reach();
  const auto far = guard(replica::spawn_far_replica(env, {.calls = routers[0],
                                                          .where = &calls.acquire({1, 0}, true),
                                                          .port = made.port,
                                                          .on_end = [this](bool closed) { ends.push_back(closed); }}));
  run();
  ask(0, 1);
  caf::anon_send(far, replica::close_far_replica{});
  run();
  CHECK(ends.empty());
  answer_oldest();
  CHECK(outcomes.at(1) == errc::none);
  CHECK(ends == std::vector{true});
}

TEST_CASE_FIXTURE(fixture,
                  "replicas without an owner serve on; those that nobody adopts end after what they have begun") {
  reach();
  auto watcher =
      guard(system.spawn([](worker::orphan_watcher_actor::pointer) -> worker::orphan_watcher_actor::behavior_type {
        return {[](const worker_orphans&) {}, [](const orphan_adopted&) {}, [](const worker::orphan_missed&) {},
                [](const worker::orphans_taken&) {}};
      }));
  caf::anon_send(host, orphan_replicas{1, caf::actor_cast<orphan_keeper_actor>(watcher)});
  run();
  ask(0, 1);
  REQUIRE(begun() == list{1});
  caf::anon_send(caf::actor_cast<worker::node_host_actor>(host), worker::leave_when_empty{});
  run();
  CHECK(begun() == list{1});
  CHECK(replicas->load() == 1);
  answer_oldest();
  CHECK(outcomes.at(1) == errc::none);
  CHECK(replicas->load() == 0);
  advance(6s);
  CHECK(ends == std::vector{false});
  watcher = nullptr;
}

} // namespace troupe::replica_port_test
