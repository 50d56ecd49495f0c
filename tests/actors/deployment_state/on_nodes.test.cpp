// One machine and the room of a cluster: rollouts of deployments that say on which nodes.
#include <troupe/actors/controller/cluster_room.hpp>
#include <troupe/actors/deployment_state/machine.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::on_nodes_test {

using namespace troupe;
using namespace troupe::deployment_state;
using namespace std::chrono_literals;

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

/// What the machine and the room say to each other comes in order; that a replica has stopped, and that it has left its
/// seat, come by two ways, in an order of chance.
class cluster {
public:
  explicit cluster(std::uint64_t seed) : dice_(seed) {}

  void add_node(std::uint64_t id, std::uint64_t has, node_labels labels = {}) {
    labels_[id] = labels;
    hear(room_.add_node({id, "n" + std::to_string(id), std::move(labels), cpus(has), controller::node_state::ready}));
  }
  void drain(std::uint64_t id) {
    hear(room_.set_state(id, controller::node_state::draining));
    to_machine_.push_back(event::evacuate{"n" + std::to_string(id), true, false});
    settle();
  }
  void deploy(const deployment_spec& spec) {
    ++deploys_;
    step(event::deploy{spec, {"worker", nullptr}, false, false});
    settle();
  }
  /// Until nothing comes any more but timers, for half an hour.
  void settle() {
    const auto end = now_ + 30min;
    for (int steps = 0; steps < 100'000; ++steps) {
      if (deliver())
        continue;
      if (!timer_ || timer_->at > end)
        return;
      now_ = std::max(now_, timer_->at);
      step(event::timer{std::exchange(timer_, std::nullopt)->epoch});
    }
    FAIL("it does not come to rest");
  }

  deployment_status status() { return machine_.status(now_, true); }
  std::map<std::uint64_t, std::uint32_t> on(const std::string& version) {
    std::map<std::uint64_t, std::uint32_t> all;
    for (const auto& [id, r] : replicas_)
      if (r->what->spec.version == version)
        ++all[room_.node_of(id).value_or(0)];
    return all;
  }
  std::uint32_t least_available = ~0U;
  std::uint32_t starts = 0;
  std::string broken;

private:
  struct replica {
    replica_ref ref;
    release_ptr what;
    bool started = false;
  };

  void step(const any_event& ev) {
    auto t = machine_.step({now_, dice_()}, ev);
    CHECK(t.refused.code == errc::none);
    for (auto& e : t.effects)
      std::visit([this](auto& x) { obey(x); }, e);
    const auto s = machine_.status(now_, false);
    if (s.rollout.phase == rollout_phase::rolling && deploys_ > 1)
      least_available = std::min(least_available, s.available);
  }
  void obey(const effect::start& e) {
    ++starts;
    const auto r = std::make_shared<replica>(replica{e.replica, e.what});
    replicas_[e.replica.id] = r;
    to_room_.push_back([this, r] {
      hear(room_.take_seat(name_, {r->what->spec.per_replica, 0, r->what->spec.where}, r->ref.id));
    });
  }
  void obey(const effect::stop& e) {
    const auto id = e.replica.id;
    replicas_.erase(id);
    to_room_.push_back([this, id] { hear(room_.leave_seat(id)); });
    to_machine_.push_back(event::stopped{e.replica, stop_reason::asked, {}});
  }
  void obey(const effect::claim& e) {
    to_room_.push_back([this, c = claim_room{name_, e.seq, e.shapes, e.reserve}] { hear(room_.claim(c)); });
  }
  void obey(const effect::arm_timer& e) { timer_ = e; }
  template <class Other>
  void obey(const Other&) {}

  void hear(const std::vector<controller::grant>& all) {
    for (const auto& g : all)
      to_machine_.push_back(event::room{g.what.seq, g.what.serial, g.what.granted, g.what.spare, g.what.lacks,
                                        g.what.nodes, g.what.spare_on, g.what.idle_there, g.what.must_leave});
    for (const auto& x : room_.take_seated()) {
      const auto it = replicas_.find(x.place);
      if (it == replicas_.end())
        continue;
      const auto& where = it->second->what->spec.where;
      if (!suits(where, labels_.at(x.node)))
        broken = "a replica is on a node that lacks a label";
      if (where.max_replicas_per_node > 0 && room_.seats_on(name_, x.node) > where.max_replicas_per_node)
        broken = "too many replicas are on a node";
      to_machine_.push_back(event::placed{it->second->ref, "n" + std::to_string(x.node)});
      to_machine_.push_back(event::started{it->second->ref});
    }
  }
  bool deliver() {
    if (to_room_.empty() && to_machine_.empty())
      return false;
    const bool room_first = to_machine_.empty() || (!to_room_.empty() && dice_() % 2 == 0);
    if (room_first) {
      const auto f = std::move(to_room_.front());
      to_room_.pop_front();
      f();
    } else {
      const auto ev = std::move(to_machine_.front());
      to_machine_.pop_front();
      step(ev);
    }
    return true;
  }

  std::mt19937_64 dice_;
  const deployment_name name_{"default", "d"};
  instant now_{0};
  machine machine_{name_, {.room_limited = true}};
  controller::cluster_room room_;
  std::map<std::uint64_t, node_labels> labels_;
  std::map<std::uint64_t, std::shared_ptr<replica>> replicas_;
  std::deque<std::function<void()>> to_room_;
  std::deque<any_event> to_machine_;
  std::optional<effect::arm_timer> timer_;
  int deploys_ = 0;
};

deployment_spec target(const std::string& version, std::uint32_t n, std::uint64_t cpus_each, std::uint32_t per_node) {
  deployment_spec s;
  s.name = "d";
  s.version = version;
  s.num_replicas = n;
  if (cpus_each > 0)
    s.per_replica = cpus(cpus_each);
  s.where.max_replicas_per_node = per_node;
  return s;
}

using counts = std::map<std::uint64_t, std::uint32_t>;

} // namespace

TEST_CASE("one replica on each node, as many nodes as replicas: a rollout cannot surge, and stops first") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    for (const std::uint64_t was : {0U, 1U})
      for (const std::uint64_t is : {0U, 1U, 2U}) { // also to another amount: a shape of its own
        CAPTURE(seed);
        CAPTURE(was);
        CAPTURE(is);
        cluster c{seed};
        for (std::uint64_t id = 1; id <= 4; ++id)
          c.add_node(id, 4);
        c.deploy(target("v1", 4, was, 1));
        REQUIRE(c.on("v1") == counts{{1, 1}, {2, 1}, {3, 1}, {4, 1}});
        c.deploy(target("v2", 4, is, 1));
        REQUIRE(c.on("v2") == counts{{1, 1}, {2, 1}, {3, 1}, {4, 1}});
        REQUIRE(c.status().state == deployment_state_name::healthy);
        REQUIRE(c.least_available == 3);
        REQUIRE(c.broken.empty());
      }
}

TEST_CASE("with one node more it surges there, and stops nobody first") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    cluster c{seed};
    for (std::uint64_t id = 1; id <= 5; ++id)
      c.add_node(id, 4);
    c.deploy(target("v1", 4, 1, 1));
    c.deploy(target("v2", 4, 2, 1));
    REQUIRE(c.status().state == deployment_state_name::healthy);
    REQUIRE(c.least_available >= 4);
    REQUIRE(c.broken.empty());
  }
}

TEST_CASE("without the fallback such a rollout waits, and says for what") {
  cluster c{1};
  c.add_node(1, 4);
  c.add_node(2, 4);
  c.deploy(target("v1", 2, 1, 1));
  auto next = target("v2", 2, 1, 1);
  next.rollout.surge_fallback = false;
  c.deploy(next);
  CHECK(c.on("v1") == counts{{1, 1}, {2, 1}});
  CHECK(c.status().message.find("0 of 2 nodes fit: 2 at max_replicas_per_node") != std::string::npos);
}

TEST_CASE("more replicas than the nodes may have: the others wait, and a rollout goes on without them") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    cluster c{seed};
    c.add_node(1, 9);
    c.add_node(2, 9);
    c.deploy(target("v1", 6, 1, 2));
    REQUIRE(c.on("v1") == counts{{1, 2}, {2, 2}});
    REQUIRE(c.status().waiting_for_room == 2);
    REQUIRE(c.status().message == "waiting for room: 2 replicas; 0 of 2 nodes fit: 2 at max_replicas_per_node");
    c.deploy(target("v2", 6, 1, 2));
    REQUIRE(c.on("v2") == counts{{1, 2}, {2, 2}});
    c.add_node(3, 9);
    c.settle();
    REQUIRE(c.on("v2") == counts{{1, 2}, {2, 2}, {3, 2}});
    REQUIRE(c.status().state == deployment_state_name::healthy);
    REQUIRE(c.broken.empty());
  }
}

TEST_CASE("a rollout to other labels moves replicas to the nodes that have these") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    for (const std::uint64_t each : {0U, 1U}) {
      CAPTURE(seed);
      cluster c{seed};
      for (std::uint64_t id = 1; id <= 4; ++id)
        c.add_node(id, 4, {{"zone", id <= 2 ? "a" : "b"}});
      auto v1 = target("v1", 6, each, 0);
      v1.where.required = {*read_label_rule("zone", "a")};
      c.deploy(v1);
      REQUIRE(c.on("v1") == counts{{1, 3}, {2, 3}});
      auto v2 = v1;
      v2.version = "v2";
      v2.where.required = {*read_label_rule("zone", "!a")};
      c.deploy(v2);
      REQUIRE(c.on("v2") == counts{{3, 3}, {4, 3}});
      REQUIRE(c.status().state == deployment_state_name::healthy);
      REQUIRE(c.least_available >= 6);
      REQUIRE(c.broken.empty());
    }
}

TEST_CASE("labels that no node has: it waits, and starts when such a node joins") {
  cluster c{1};
  c.add_node(1, 4);
  auto spec = target("v1", 2, 1, 0);
  spec.where.required = {*read_label_rule("zone", "a")};
  c.deploy(spec);
  CHECK(c.status().message == "waiting for room: 2 replicas; 0 of 1 node fits: 1 has other labels");
  c.add_node(2, 1, {{"zone", "a"}});
  c.settle();
  CHECK(c.on("v1") == counts{{2, 1}});
  CHECK(c.status().message == "waiting for room: 1 replica; 0 of 2 nodes fit: 1 has other labels, 1 lacks num_cpus");
  spec.version = "v2";
  spec.per_replica = cpus(2);
  c.deploy(spec);
  CHECK(c.status().message.find("2 num_cpus") != std::string::npos);
  CHECK(c.status().message.ends_with("more than any node with its labels has (1): it can never start here"));
}

TEST_CASE("nobody stops for replicas that no node may have, and all that could make way do not count") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    for (const auto strategy : {rollout_strategy::start_first, rollout_strategy::stop_first})
      for (const std::uint64_t each : {0U, 1U}) {
        CAPTURE(seed);
        CAPTURE(to_string(strategy));
        CAPTURE(each);
        cluster c{seed};
        c.add_node(1, 4, {{"zone", "a"}});
        c.add_node(2, 4, {{"zone", "b"}});
        auto spec = target("v1", 4, each, 0);
        spec.where.required = {*read_label_rule("zone", "a")};
        spec.rollout.strategy = strategy;
        c.deploy(spec);
        REQUIRE(c.on("v1") == counts{{1, 4}});
        spec.version = "v2";
        spec.where.required = {*read_label_rule("zone", "x")};
        c.deploy(spec);
        REQUIRE(c.on("v1") == counts{{1, 4}});
        REQUIRE(c.least_available == 4);
        REQUIRE(c.status().message == "waiting for room: 1 replica; 0 of 2 nodes fit: 2 have other labels");
        c.add_node(3, 4, {{"zone", "x"}});
        c.settle();
        REQUIRE(c.on("v2") == counts{{3, 4}});
        REQUIRE(c.status().state == deployment_state_name::healthy);
      }
}

TEST_CASE("a bound per node that is new is kept by what starts; what is too much goes") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    for (const std::uint32_t n : {2U, 3U}) {
      CAPTURE(seed);
      CAPTURE(n);
      cluster c{seed};
      c.add_node(1, 4);
      c.add_node(2, 4);
      c.deploy(target("v1", n, 1, 0));
      c.deploy(target("v2", n, 1, 1));
      REQUIRE(c.on("v2") == counts{{1, 1}, {2, 1}});
      REQUIRE(c.on("v1").empty());
      REQUIRE(c.status().waiting_for_room == n - 2);
      REQUIRE(c.broken.empty());
    }
}

TEST_CASE("where more than one would have to leave each node before the first new one, it waits for a node more") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    cluster c{seed};
    c.add_node(1, 4);
    c.add_node(2, 4);
    c.deploy(target("v1", 4, 1, 0));
    c.deploy(target("v2", 4, 1, 1));
    REQUIRE(c.on("v1") == counts{{1, 2}, {2, 2}});
    REQUIRE(c.least_available == 4);
    REQUIRE(c.status().message == "waiting for room: 1 replica; 0 of 2 nodes fit: 2 at max_replicas_per_node");
    c.add_node(3, 4);
    c.settle();
    REQUIRE(c.on("v2") == counts{{1, 1}, {2, 1}, {3, 1}});
    REQUIRE(c.on("v1").empty());
    REQUIRE(c.broken.empty());
  }
}

TEST_CASE(
    "a node is drained and no other has room: nothing starts on the seat that goes with the node, until one joins") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    for (const std::uint32_t per_node : {0U, 2U}) {
      CAPTURE(seed);
      CAPTURE(per_node);
      cluster c{seed};
      c.add_node(1, 4);
      c.add_node(2, 4);
      c.deploy(target("v1", 4, 2, per_node));
      REQUIRE(c.on("v1") == counts{{1, 2}, {2, 2}});
      c.drain(1); // one at a time; the second one serves on
      REQUIRE(c.on("v1") == counts{{1, 1}, {2, 2}});
      REQUIRE(c.starts == 4);
      REQUIRE(c.status().waiting_for_room == 1);
      c.add_node(3, 4);
      c.settle();
      REQUIRE(c.on("v1") == counts{{2, 2}, {3, 2}});
      REQUIRE(c.starts == 6);
      REQUIRE(c.status().state == deployment_state_name::healthy);
      REQUIRE(c.broken.empty());
    }
}

TEST_CASE("the same version for other nodes is a change of code") {
  cluster c{1};
  c.add_node(1, 8);
  c.deploy(target("v1", 2, 1, 0));
  auto packed = target("v1", 2, 1, 0);
  packed.where.strategy = placement_strategy::pack;
  c.deploy(packed);
  for (const auto& r : c.status().replicas)
    CHECK(r.revision == 2);
  c.deploy(packed);
  for (const auto& r : c.status().replicas)
    CHECK(r.revision == 2);
}

} // namespace troupe::on_nodes_test
