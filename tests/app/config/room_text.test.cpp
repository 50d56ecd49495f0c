// What `plan` says about room, with the numbers of docs/rollout.md.
#include <troupe/app/config/room_text.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using config::describe_room;

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

deployment_spec asking(std::uint64_t n, std::uint32_t replicas = 10) {
  deployment_spec x;
  x.name = "d";
  x.num_replicas = replicas;
  x.per_replica = cpus(n);
  return x;
}

/// Of a machine of `total` CPUs.
config::room_now room(std::uint64_t total, std::uint64_t free, std::uint32_t held) {
  return {cpus(total), cpus(free), held, true};
}

std::string created(const deployment_spec& to, const config::room_now& now) {
  return describe_room(nullptr, to, change_kind::created, now);
}

std::string replaced(const deployment_spec& from, const deployment_spec& to, const config::room_now& now) {
  return describe_room(&from, to, change_kind::replaced, now);
}

} // namespace

TEST_CASE("nothing is said where all have room, or nobody asks for any") {
  CHECK(created(asking(1), room(10, 10, 0)).empty());
  CHECK(created(asking(0), room(0, 0, 0)).empty());
  CHECK(replaced(asking(1), asking(1), room(12, 2, 10)).empty());
  CHECK(replaced(asking(1), asking(0), room(10, 0, 10)).empty());
  const auto from = asking(1);
  CHECK(describe_room(&from, asking(1, 5), change_kind::scaled, room(10, 0, 10)).empty());
  CHECK(describe_room(&from, from, change_kind::none, room(7, 0, 7)).empty());
  CHECK(describe_room(&from, from, change_kind::light, room(7, 0, 7)).empty());
}

TEST_CASE("room for fewer than are asked for: in all, and now") {
  CHECK(created(asking(1), room(9, 9, 0)) == "; room for 9 of 10 in all, the others wait");
  CHECK(created(asking(1), room(9, 3, 0)) == "; room for 9 of 10 in all, for 3 now, the others wait");
  CHECK(created(asking(1), room(9, 0, 0)) == "; room for 9 of 10 in all, for none now, the others wait");
  CHECK(created(asking(1), room(10, 9, 0)) == "; room for 9 of 10 now, the others wait");
  const auto from = asking(1, 4);
  CHECK(describe_room(&from, asking(1), change_kind::scaled, room(20, 5, 4)) ==
        "; room for 9 of 10 now, the others wait");
  CHECK(describe_room(&from, asking(1), change_kind::scaled, room(20, 6, 4)).empty());
}

TEST_CASE("what can never fit is said, and nothing else") {
  CHECK(created(asking(4), room(3, 3, 0)) ==
        "; its replicas wait for room: each asks for 4 num_cpus, more than there is in all (3)");
  const auto from = asking(4);
  CHECK(describe_room(&from, from, change_kind::light, room(3, 3, 0)).find("more than there is") != std::string::npos);
}

TEST_CASE("a surge that does not fit: smaller, or none and outdated ones stop first") {
  CHECK(replaced(asking(1), asking(1), room(11, 1, 10)) == "; room for a surge of 1 of 2 now");
  CHECK(replaced(asking(1), asking(1), room(10, 0, 10)) == "; no room for a surge now: outdated ones stop first");
  CHECK(replaced(asking(1), asking(2), room(10, 0, 10)) ==
        "; room for 5 of 10 in all, the others wait; no room for a surge now: outdated ones stop first");
  auto to = asking(1);
  to.rollout.surge_fallback = false;
  CHECK(replaced(asking(1), to, room(10, 0, 10)) == "; no room for a surge now: it will wait");
  to = asking(1);
  to.rollout.canary = 1;
  CHECK(replaced(asking(1), to, room(10, 0, 10)) == "; no room for a surge now: it will wait");
  CHECK(replaced(asking(1), to, room(11, 1, 10)).empty());
}

TEST_CASE("a wave that frees too little waits: just enough, and one less") {
  CHECK(replaced(asking(1), asking(4), room(10, 0, 10)) ==
        "; room for 2 of 10 in all, the others wait; no room for a surge now, and a wave frees too little now: 2 "
        "outgoing "
        "and what is free make 2 num_cpus, a new one asks for 4: it will wait");
  auto to = asking(4, 2);
  to.rollout.strategy = rollout_strategy::stop_first;
  const auto from = asking(1, 6);
  CHECK(replaced(from, to, room(9, 3, 6)).empty()); // one outgoing, of 2
  CHECK(
      replaced(from, to, room(9, 2, 6)) ==
      "; a wave frees too little now: 1 outgoing and what is free make 3 num_cpus, a new one asks for 4: it will wait");
}

TEST_CASE("while a rollout runs nobody can say what a wave would free: only the whole machine is looked at") {
  auto now = room(10, 0, 10);
  now.at_rest = false;
  CHECK(replaced(asking(1), asking(4), now) == "; room for 2 of 10 in all, the others wait");
  CHECK(replaced(asking(1), asking(1), now).empty());
}
