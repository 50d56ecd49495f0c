// What a plan tells of two targets.
#include <troupe/app/config/diff.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::config;

namespace {

deployment_spec ten() {
  deployment_spec spec;
  spec.name = "speller";
  spec.version = "1";
  spec.num_replicas = 10;
  return spec;
}

std::string text(const deployment_spec& from, const deployment_spec& to) { return describe(&from, to, diff(from, to)); }

} // namespace

TEST_CASE("equal targets differ in nothing") {
  CHECK(diff(ten(), ten()).empty());
  CHECK(change_of({}) == change_kind::none);
  CHECK(text(ten(), ten()) == "changes nothing");
}

TEST_CASE("each field has its class, and the heaviest decides") {
  auto to = ten();
  to.version = "2";
  to.execution = execution_mode::thread;
  to.init_args = json_doc{json{1}};
  to.user_config = json_doc{json{{"a", 1}}};
  to.num_replicas = 12;
  to.idempotent = true;
  to.rollout.max_surge = replica_share::count(3);
  to.backpressure_status = 429;
  const auto changes = diff(ten(), to);
  const auto kind = [&](std::string_view path) {
    for (const auto& c : changes)
      if (c.path == path)
        return to_string(c.kind);
    return std::string_view{"absent"};
  };
  CHECK(changes.size() == 8);
  CHECK(kind("version") == "code");
  CHECK(kind("execution") == "code");
  CHECK(kind("init_args") == "code");
  CHECK(kind("user_config") == "config");
  CHECK(kind("num_replicas") == "count");
  CHECK(kind("idempotent") == "light");
  CHECK(kind("rolling_update.max_surge") == "light");
  CHECK(kind("backpressure_config.status_code") == "light");
  CHECK(change_of(changes) == change_kind::replaced);
  CHECK(changes.front().kind == field_class::code);
  CHECK(changes.back().kind == field_class::light);
}

TEST_CASE("a change keeps both values") {
  auto to = ten();
  to.rollout.min_ready = milliseconds{1500};
  const auto changes = diff(ten(), to);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0] == field_change{"rolling_update.min_ready_s", 0, 1.5, field_class::light});
  CHECK(change_of(changes) == change_kind::light);
}

TEST_CASE("what happens is said in numbers") {
  auto to = ten();
  to.version = "2";
  CHECK(text(ten(), to) == "replaces 10 replicas in 5 waves of at most 2, new ones start first (version)");
  to.rollout.strategy = rollout_strategy::stop_first;
  to.rollout.max_unavailable = replica_share::count(3);
  to.rollout.canary = 1;
  CHECK(text(ten(), to) == "replaces 10 replicas in 4 waves of at most 3, outdated ones stop first; pauses after 1 new "
                           "replica (version)");
  auto scaled = ten();
  scaled.num_replicas = 9;
  CHECK(text(ten(), scaled) == "stops 1 replica (10 -> 9)");
  CHECK(describe(nullptr, scaled, {}) == "creates it with 9 replicas");
  auto configured = ten();
  configured.user_config = json_doc{json{1}};
  configured.num_replicas = 12;
  CHECK(text(ten(), configured) ==
        "reconfigures 12 replicas in place in 6 waves of at most 2; starts 2 replicas (10 -> 12)");
}

TEST_CASE("going from a config to none replaces replicas, and says why") {
  auto from = ten();
  from.user_config = json_doc{json{1}};
  const auto changes = diff(from, ten());
  CHECK(change_of(changes) == change_kind::replaced);
  CHECK(describe(&from, ten(), changes).find("cannot be taken back") != std::string::npos);
}

TEST_CASE("other bytes of the library count only with another version") {
  const code_source old_code{"libx.so:app", "aa", json::object()};
  auto new_code = old_code;
  new_code.digest = "bb";
  CHECK(diff(ten(), old_code, ten(), new_code).empty());
  auto to = ten();
  to.version = "2";
  const auto changes = diff(ten(), old_code, to, new_code);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].path == "digest");
  CHECK(describe(nullptr, to, changes) == "creates it with 10 replicas");
  const auto from = ten();
  CHECK(describe(&from, to, changes).ends_with("(digest)"));
}

TEST_CASE("other nodes replace replicas, and are told option by option") {
  auto to = ten();
  to.where = {placement_strategy::pack, 3, {{"zone", {"a"}, false}}, {{"disk", {"hdd"}, true}}};
  const auto changes = diff(ten(), to);
  REQUIRE(changes.size() == 4);
  CHECK(change_of(changes) == change_kind::replaced);
  CHECK(text(ten(), to) == "replaces 10 replicas in 5 waves of at most 2, new ones start first "
                           "(max_replicas_per_node, placement_strategy, preferred_labels, "
                           "ray_actor_options.label_selector)");
  for (const auto& c : changes)
    if (c.path == "ray_actor_options.label_selector")
      CHECK(c.to == json{{"zone", "a"}});
}

TEST_CASE("other resources replace replicas, and are told amount by amount") {
  auto to = ten();
  to.per_replica.set(resource_name::cpus, 5000).set("tokens", resource_unit);
  const auto changes = diff(ten(), to);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].path == "ray_actor_options.num_cpus");
  CHECK(changes[0].from == 0);
  CHECK(changes[0].to == 0.5);
  CHECK(changes[1].path == "ray_actor_options.resources");
  CHECK(change_of(changes) == change_kind::replaced);
  CHECK(text(ten(), to) == "replaces 10 replicas in 5 waves of at most 2, new ones start first "
                           "(ray_actor_options.num_cpus, ray_actor_options.resources)");
}
