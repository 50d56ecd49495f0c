// The ledger of room: first come, first served, and never more than there is.
// long file: one ledger; its rows share what writes claims and reads grants
#include <troupe/actors/controller/placement.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

using namespace troupe;
using controller::grant;
using controller::placement;

namespace {

deployment_name named(const std::string& name) { return {"default", name}; }

claim_room claim(const std::string& name, std::uint64_t seq, std::uint32_t want) {
  return {named(name), seq, {{{}, want}}, 0};
}

/// A grant without what it tells of what is missing.
struct short_grant {
  std::string to;
  std::uint64_t seq = 0;
  std::vector<std::uint32_t> n;
  friend bool operator==(const short_grant&, const short_grant&) = default;
};
using grants = std::vector<short_grant>;

short_grant granted(const std::string& name, std::uint64_t seq, std::uint32_t n) { return {name, seq, {n}}; }

grants in_short(const std::vector<grant>& all) {
  grants result;
  for (const auto& g : all)
    result.push_back({g.to.name, g.what.seq, g.what.granted});
  return result;
}

} // namespace

TEST_CASE("a claim that fits is granted whole") {
  placement room{10};
  CHECK(in_short(room.claim(claim("a", 1, 10))) == grants{granted("a", 1, 10)});
}

TEST_CASE("a claim that does not fit gets what is left, and the rest when it becomes free") {
  placement room{10};
  room.claim(claim("a", 1, 6));
  CHECK(in_short(room.claim(claim("b", 1, 6))) == grants{granted("b", 1, 4)});
  CHECK(in_short(room.claim(claim("a", 2, 5))) == grants{granted("a", 2, 5), granted("b", 1, 5)});
  CHECK(in_short(room.claim(claim("a", 3, 0))) == grants{granted("a", 3, 0), granted("b", 1, 6)});
}

TEST_CASE("freed room goes to the oldest unsatisfied claim before the next") {
  placement room{10};
  room.claim(claim("a", 1, 10));
  CHECK(in_short(room.claim(claim("b", 1, 3))) == grants{granted("b", 1, 0)});
  CHECK(in_short(room.claim(claim("c", 1, 3))) == grants{granted("c", 1, 0)});
  CHECK(in_short(room.claim(claim("a", 2, 8))) == grants{granted("a", 2, 8), granted("b", 1, 2)});
  CHECK(in_short(room.claim(claim("a", 3, 6))) == grants{granted("a", 3, 6), granted("b", 1, 3), granted("c", 1, 1)});
}

TEST_CASE("an unsatisfied claim that changes keeps its place") {
  placement room{4};
  room.claim(claim("a", 1, 4));
  room.claim(claim("b", 1, 2));
  room.claim(claim("c", 1, 2));
  room.claim(claim("b", 2, 3)); // still before c
  CHECK(in_short(room.claim(claim("a", 2, 1))) == grants{granted("a", 2, 1), granted("b", 2, 3)});
}

TEST_CASE("a claim that has what it wants queues anew when it wants more") {
  placement room{4};
  room.claim(claim("a", 1, 4));
  room.claim(claim("b", 1, 1));
  room.claim(claim("c", 1, 1));
  room.claim(claim("b", 2, 0));
  room.claim(claim("b", 3, 1)); // behind c now
  CHECK(in_short(room.claim(claim("a", 2, 3))) == grants{granted("a", 2, 3), granted("c", 1, 1)});
}

TEST_CASE("a newcomer does not overtake those that wait") {
  placement room{4};
  room.claim(claim("a", 1, 4));
  room.claim(claim("b", 1, 4));
  CHECK(in_short(room.claim(claim("c", 1, 1))) == grants{granted("c", 1, 0)});
  CHECK(in_short(room.claim(claim("a", 2, 3))) == grants{granted("a", 2, 3), granted("b", 1, 1)});
}

TEST_CASE("copied and reordered claims change nothing") {
  placement room{10};
  room.claim(claim("a", 2, 6));
  CHECK(room.claim(claim("a", 1, 9)).empty());
  CHECK(room.claim(claim("a", 2, 9)).empty());
  CHECK(room.granted(named("a")) == 6);
}

TEST_CASE("who is forgotten gives all back and counts its claims from the start") {
  placement room{5};
  room.claim(claim("a", 7, 5));
  room.claim(claim("b", 1, 3));
  CHECK(in_short(room.forget(named("a"))) == grants{granted("b", 1, 3)});
  CHECK(room.forget(named("a")).empty());
  CHECK(in_short(room.claim(claim("a", 1, 5))) == grants{granted("a", 1, 2)});
}

TEST_CASE("what is handed over stays taken until it is given back, whatever the former holder claims anew") {
  placement room{5};
  room.claim(claim("a", 7, 5));
  room.claim(claim("b", 1, 2));
  CHECK(in_short(room.hand_over(named("a"), claim("a#1", 1, 4))) == grants{granted("b", 1, 1)});
  CHECK_FALSE(room.knows(named("a")));
  CHECK(in_short(room.claim(claim("a", 1, 3))) == grants{granted("a", 1, 0)});
  room.claim(claim("a#1", 4, 1));
  CHECK(room.claim(claim("a#1", 2, 3)).empty()); // told late
  CHECK(room.granted(named("b")) == 2);
  CHECK(room.granted(named("a")) == 2);
  CHECK(in_short(room.forget(named("a#1"))) == grants{granted("a", 1, 3)});
}

TEST_CASE("who hands over nothing is forgotten") {
  placement room{5};
  room.claim(claim("a", 1, 5));
  room.hand_over(named("a"), claim("a#1", 1, 0));
  CHECK_FALSE(room.knows(named("a#1")));
}

TEST_CASE("who is forgotten while it waits leaves the queue") {
  placement room{2};
  room.claim(claim("a", 1, 2));
  room.claim(claim("b", 1, 2));
  room.claim(claim("c", 1, 2));
  CHECK(room.forget(named("b")).empty());
  CHECK(in_short(room.claim(claim("a", 2, 0))) == grants{granted("a", 2, 0), granted("c", 1, 2)});
}

TEST_CASE("without a bound every claim is granted whole") {
  placement room{0};
  CHECK(in_short(room.claim(claim("a", 1, 4'000'000'000))) == grants{granted("a", 1, 4'000'000'000)});
  CHECK(in_short(room.claim(claim("b", 1, 4'000'000'000))) == grants{granted("b", 1, 4'000'000'000)});
  CHECK(in_short(room.claim(claim("b", 2, 1))) == grants{granted("b", 2, 1)});
  CHECK(room.forget(named("a")).empty());
}

TEST_CASE("whatever is claimed, the sum stays within the bound and no room is idle while somebody lacks it") {
  std::mt19937_64 random{4711};
  for (int round = 0; round < 100; ++round) {
    const auto max = static_cast<std::uint32_t>(1 + random() % 20);
    placement room{max};
    std::map<std::string, std::uint32_t> want, told;
    std::map<std::string, std::uint64_t> seq;
    const auto hear = [&](const std::vector<grant>& all) {
      for (const auto& g : all) {
        told[g.to.name] = g.what.granted.at(0);
        CHECK(g.what.seq == seq[g.to.name]);
      }
    };
    for (int step = 0; step < 30; ++step) {
      const std::string name{static_cast<char>('a' + random() % 5)};
      if (random() % 8 == 0) {
        want.erase(name);
        told.erase(name);
        seq.erase(name);
        hear(room.forget(named(name)));
      } else {
        want[name] = static_cast<std::uint32_t>(random() % 12);
        hear(room.claim(claim(name, ++seq[name], want[name])));
      }
      std::uint64_t sum = 0;
      bool lacks = false;
      for (const auto& [who, n] : want) {
        CHECK(told[who] == room.granted(named(who)));
        CHECK(told[who] <= n);
        sum += told[who];
        lacks = lacks || told[who] < n;
      }
      CHECK(sum <= max);
      if (lacks)
        CHECK(sum == max);
    }
  }
}

// -- resources -------------------------------------------------------------------------------------------------------

namespace {

resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

claim_room claim(const std::string& name, std::uint64_t seq, std::vector<shape_claim> shapes,
                 std::uint32_t reserve = 0) {
  return {named(name), seq, std::move(shapes), reserve};
}

short_grant granted(const std::string& name, std::uint64_t seq, std::vector<std::uint32_t> n) {
  return {name, seq, std::move(n)};
}

using several = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("as many are granted as fit: just before, at and after the last") {
  placement room{0, cpus(6)};
  CHECK(in_short(room.claim(claim("a", 1, {{cpus(2), 2}}))) == grants{granted("a", 1, 2)});
  CHECK(in_short(room.claim(claim("a", 2, {{cpus(2), 3}}))) == grants{granted("a", 2, 3)});
  CHECK(in_short(room.claim(claim("a", 3, {{cpus(2), 4}}))) == grants{granted("a", 3, 3)});
  CHECK(room.report().nodes.at(0).used == cpus(6));
}

TEST_CASE("what is missing is told with what is asked, free and there") {
  placement room{0, cpus(8)};
  room.claim(claim("a", 1, {{cpus(7), 1}}));
  const auto answer = room.claim(claim("b", 1, {{cpus(2), 3}}));
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].what.lacks == room_shortage{"num_cpus", 20'000, 10'000, 80'000});
  CHECK(answer[0].what.spare == cpus(1));
  CHECK_FALSE(answer[0].what.lacks.is_never());
}

TEST_CASE("what can never fit is told so, and keeps nobody waiting") {
  placement room{0, cpus(8)};
  const auto answer = room.claim(claim("a", 1, {{cpus(9), 1}}));
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].what.granted == several{0});
  CHECK(answer[0].what.lacks.is_never());
  CHECK(in_short(room.claim(claim("b", 1, {{cpus(8), 1}}))) == grants{granted("b", 1, 1)});
  CHECK(room.never(cpus(8)) == room_shortage{});
  CHECK(room.never(cpus(9)).resource == "num_cpus");
}

TEST_CASE("a large replica is not overtaken by small ones, which get what it doesn't need") {
  const auto with_memory = [](resources x, std::uint64_t bytes) { return x.set(resource_name::memory, bytes); };
  placement room{0, with_memory(cpus(8), 100)};
  room.claim(claim("a", 1, {{cpus(1), 6}}));
  CHECK(in_short(room.claim(claim("b", 1, {{cpus(4), 1}}))) == grants{granted("b", 1, 0)});
  CHECK(in_short(room.claim(claim("c", 1, {{cpus(1), 1}}))) == grants{granted("c", 1, 0)});
  CHECK(in_short(room.claim(claim("d", 1, {{with_memory({}, 100), 1}}))) == grants{granted("d", 1, 1)});
  const auto freed = room.claim(claim("a", 2, {{cpus(1), 4}}));
  REQUIRE(in_short(freed).size() == 2); // c has none yet, and hears nothing
  CHECK(in_short(freed)[1] == granted("b", 1, 1));
  CHECK(in_short(room.claim(claim("a", 3, {{cpus(1), 3}}))).at(1) == granted("c", 1, 1));
}

TEST_CASE("what a wave gives back is kept for what it starts, until it has") {
  placement room{0, cpus(4)};
  room.claim(claim("a", 1, {{cpus(1), 4}}));
  room.claim(claim("b", 1, {{cpus(1), 1}})); // waits, and would like what is given back
  CHECK(in_short(room.claim(claim("a", 2, {{cpus(2), 1}, {cpus(1), 3}}, 1))) == grants{granted("a", 2, several{0, 3})});
  CHECK(room.granted(named("b")) == 0);
  CHECK(in_short(room.claim(claim("a", 3, {{cpus(2), 1}, {cpus(1), 2}}, 1))) == grants{granted("a", 3, several{1, 2})});
  // It has started all it wanted: the rest is for others.
  CHECK(in_short(room.claim(claim("a", 4, {{cpus(2), 1}, {cpus(1), 1}}, 1))) ==
        grants{granted("a", 4, several{1, 1}), granted("b", 1, 1)});
}

TEST_CASE("what is given back outside of a wave is free, and so is what a wave left over") {
  for (const auto reserve : {0U, 1U}) {
    placement room{0, cpus(4)};
    room.claim(claim("a", 1, {{cpus(1), 4}}));
    room.claim(claim("b", 1, {{cpus(1), 1}}));
    room.claim(claim("a", 2, {{cpus(2), 1}, {cpus(1), 3}}, reserve));
    CHECK(room.granted(named("b")) == 1 - reserve);
    room.claim(claim("a", 3, {{cpus(2), 1}, {cpus(1), 3}}));
    CHECK(room.granted(named("b")) == 1);
    CHECK(room.report().nodes.at(0).used == cpus(4));
  }
}

// 10 CPUs and 40 of memory, 10 replicas of 1 and 4; they become 10 of 2 and 4, which five CPUs too few are there for.
TEST_CASE("a rollout that ends short of one resource keeps nothing of another one") {
  const auto each = [](std::uint64_t n, std::uint64_t bytes) { return cpus(n).set(resource_name::memory, bytes); };
  placement room{0, each(10, 40)};
  room.claim(claim("a", 1, {{each(1, 4), 10}}));
  std::uint64_t seq = 1;
  for (std::uint32_t fresh = 0, old = 10; old > 0; ++fresh, old -= 2) {
    room.claim(claim("a", ++seq, {{each(2, 4), fresh + 2}, {each(1, 4), old}}, 2));
    room.claim(claim("a", ++seq, {{each(2, 4), fresh + 2}, {each(1, 4), old - 1}}, 2));
    room.claim(claim("a", ++seq, {{each(2, 4), fresh + 2}, {each(1, 4), old - 2}}, 2));
  }
  ++seq;
  CHECK(in_short(room.claim(claim("a", seq, {{each(2, 4), 10}}))) == grants{granted("a", seq, 5)});
  CHECK(room.report().nodes.at(0).used == each(10, 20));
  // 4 are set aside for the next replica of the one that waits, no more.
  CHECK(in_short(room.claim(claim("b", 1, {{each(0, 4), 9}}))) == grants{granted("b", 1, 4)});
}

TEST_CASE("of what lacks room the claim's first shape is told, also where it can never fit") {
  placement room{0, cpus(8)};
  const auto answer = room.claim(claim("a", 1, {{cpus(9), 2}, {cpus(1), 10}}));
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].what.granted == several{0, 8});
  CHECK(answer[0].what.lacks == room_shortage{"num_cpus", 90'000, 0, 80'000});
}

TEST_CASE("answers to one claim are numbered, so that a late copy is known as such") {
  placement room{0, cpus(4)};
  room.claim(claim("a", 1, {{cpus(1), 3}}));
  CHECK(room.claim(claim("b", 1, {{cpus(3), 1}})).at(0).what.serial == 1);
  const auto freed = room.claim(claim("a", 2, {{cpus(1), 2}}));
  REQUIRE(freed.size() == 2);
  CHECK(freed[0].what.serial == 1);
  CHECK(freed[1].to == named("b"));
  CHECK(freed[1].what.seq == 1);
  CHECK(freed[1].what.serial == 2);
  CHECK(freed[1].what.granted == several{0});
  CHECK(freed[1].what.spare == cpus(2));
  CHECK(room.claim(claim("b", 2, {{cpus(3), 2}})).at(0).what.serial == 1);
}

TEST_CASE("max_replicas and resources bound together") {
  placement room{3, cpus(8)};
  CHECK(in_short(room.claim(claim("a", 1, {{cpus(1), 5}}))) == grants{granted("a", 1, 3)});
  CHECK(room.claim(claim("b", 1, {{{}, 1}})).at(0).what.lacks == room_shortage{"max_replicas", 1, 0, 3});
  // The place of the third is kept for the second of the new shape, which lacks a CPU.
  CHECK(in_short(room.claim(claim("a", 2, {{cpus(4), 2}, {cpus(1), 1}}, 2))) == grants{granted("a", 2, several{1, 1})});
  CHECK(in_short(room.claim(claim("a", 3, {{cpus(4), 1}, {cpus(1), 1}}))) ==
        grants{granted("a", 3, several{1, 1}), granted("b", 1, 1)});
}

TEST_CASE("orphans keep what they hold, shape by shape") {
  placement room{0, cpus(6)};
  room.claim(claim("a", 1, {{cpus(2), 2}, {cpus(1), 2}}));
  room.hand_over(named("a"), claim("a#1", 1, {{cpus(2), 1}, {cpus(1), 2}}));
  CHECK(room.report().nodes.at(0).used == cpus(4));
  CHECK(in_short(room.claim(claim("a", 1, {{cpus(2), 2}}))) == grants{granted("a", 1, 1)});
  CHECK(in_short(room.forget(named("a#1"))) == grants{granted("a", 1, 2)});
}

TEST_CASE("whatever is claimed of resources, no more is granted than there is, and what fits is granted") {
  std::mt19937_64 random{815};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    const auto total = cpus(2 + below(12)).set(resource_name::memory, 1 + below(20));
    const auto max = static_cast<std::uint32_t>(below(3) == 0 ? 1 + below(10) : 0);
    placement room{max, total};
    std::map<std::string, claim_room> claims;
    std::map<std::string, room_granted> told;
    std::map<std::string, std::uint64_t> seq;
    const auto hear = [&](const std::vector<grant>& all) {
      for (const auto& g : all)
        told[g.to.name] = g.what;
    };
    for (std::uint64_t step = 1; step < 40; ++step) {
      const std::string name{static_cast<char>('a' + below(5))};
      if (below(8) == 0) {
        claims.erase(name);
        told.erase(name);
        seq.erase(name);
        hear(room.forget(named(name)));
      } else {
        std::vector<shape_claim> shapes;
        for (std::uint64_t i = 0; i < 1 + below(2); ++i) {
          auto each = cpus(below(5));
          if (below(2) == 0)
            each.set(resource_name::memory, below(8));
          if (std::none_of(shapes.begin(), shapes.end(), [&](const auto& s) { return s.each == each; }))
            shapes.push_back({each, static_cast<std::uint32_t>(below(7))});
        }
        claims[name] = claim(name, ++seq[name], std::move(shapes));
        hear(room.claim(claims[name]));
      }
      resources held;
      std::uint32_t replicas = 0;
      for (const auto& [who, c] : claims) {
        REQUIRE(told[who].seq == c.seq);
        REQUIRE(told[who].granted.size() == c.shapes.size());
        for (std::size_t i = 0; i < c.shapes.size(); ++i) {
          CHECK(told[who].granted[i] <= c.shapes[i].want);
          add(held, c.shapes[i].each, told[who].granted[i]);
          replicas += told[who].granted[i];
        }
      }
      CHECK(fits(held, total));
      CHECK(fits(held, room.report().nodes.at(0).used));
      if (max > 0)
        CHECK(replicas <= max);
      // The next replica of the oldest claim that lacks one never fits into what nobody has.
      auto unused = total;
      take(unused, room.report().nodes.at(0).used);
      std::size_t fitting = 0, lacking = 0;
      for (const auto& [who, c] : claims)
        for (std::size_t i = 0; i < c.shapes.size(); ++i)
          if (told[who].granted[i] < c.shapes[i].want && fits(c.shapes[i].each, total) && max == 0) {
            ++lacking;
            fitting += fits(c.shapes[i].each, unused) ? 1U : 0U;
          }
      CHECK((lacking == 0 || fitting < lacking));
    }
    // Nobody starves: where all others go, what can fit at all is granted.
    while (claims.size() > 1) {
      const auto gone = claims.begin()->first;
      claims.erase(claims.begin());
      hear(room.forget(named(gone)));
    }
    for (const auto& [who, c] : claims)
      if (c.shapes.size() == 1 && fits(c.shapes[0].each, total)) {
        const auto most = times_in(c.shapes[0].each, total, max > 0 ? max : 100);
        CHECK(told[who].granted[0] == std::min(c.shapes[0].want, most));
      }
  }
}
