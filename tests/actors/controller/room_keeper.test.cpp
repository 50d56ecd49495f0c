// The ledger of room: first come, first served, and never more than there is.
#include <troupe/actors/controller/room_keeper.hpp>

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace troupe;
using controller::grant;
using controller::room_keeper;

namespace {

deployment_name named(const std::string& name) { return {"default", name}; }

claim_room claim(const std::string& name, std::uint64_t seq, std::uint32_t want) { return {named(name), seq, want}; }

grant granted(const std::string& name, std::uint64_t seq, std::uint32_t n) { return {named(name), {seq, n}}; }

using grants = std::vector<grant>;

} // namespace

TEST_CASE("a claim that fits is granted whole") {
  room_keeper room{10};
  CHECK(room.claim(claim("a", 1, 10)) == grants{granted("a", 1, 10)});
  CHECK(room.granted_in_all() == 10);
}

TEST_CASE("a claim that does not fit gets what is left, and the rest when it becomes free") {
  room_keeper room{10};
  room.claim(claim("a", 1, 6));
  CHECK(room.claim(claim("b", 1, 6)) == grants{granted("b", 1, 4)});
  CHECK(room.claim(claim("a", 2, 5)) == grants{granted("a", 2, 5), granted("b", 1, 5)});
  CHECK(room.claim(claim("a", 3, 0)) == grants{granted("a", 3, 0), granted("b", 1, 6)});
  CHECK(room.granted_in_all() == 6);
}

TEST_CASE("freed room goes to the oldest unsatisfied claim before the next") {
  room_keeper room{10};
  room.claim(claim("a", 1, 10));
  CHECK(room.claim(claim("b", 1, 3)) == grants{granted("b", 1, 0)});
  CHECK(room.claim(claim("c", 1, 3)) == grants{granted("c", 1, 0)});
  CHECK(room.claim(claim("a", 2, 8)) == grants{granted("a", 2, 8), granted("b", 1, 2)});
  CHECK(room.claim(claim("a", 3, 6)) == grants{granted("a", 3, 6), granted("b", 1, 3), granted("c", 1, 1)});
}

TEST_CASE("an unsatisfied claim that changes keeps its place") {
  room_keeper room{4};
  room.claim(claim("a", 1, 4));
  room.claim(claim("b", 1, 2));
  room.claim(claim("c", 1, 2));
  room.claim(claim("b", 2, 3)); // still before c
  CHECK(room.claim(claim("a", 2, 1)) == grants{granted("a", 2, 1), granted("b", 2, 3)});
}

TEST_CASE("a claim that has what it wants queues anew when it wants more") {
  room_keeper room{4};
  room.claim(claim("a", 1, 4));
  room.claim(claim("b", 1, 1));
  room.claim(claim("c", 1, 1));
  room.claim(claim("b", 2, 0));
  room.claim(claim("b", 3, 1)); // behind c now
  CHECK(room.claim(claim("a", 2, 3)) == grants{granted("a", 2, 3), granted("c", 1, 1)});
}

TEST_CASE("a newcomer does not overtake those that wait") {
  room_keeper room{4};
  room.claim(claim("a", 1, 4));
  room.claim(claim("b", 1, 4));
  CHECK(room.claim(claim("c", 1, 1)) == grants{granted("c", 1, 0)});
  CHECK(room.claim(claim("a", 2, 3)) == grants{granted("a", 2, 3), granted("b", 1, 1)});
}

TEST_CASE("copied and reordered claims change nothing") {
  room_keeper room{10};
  room.claim(claim("a", 2, 6));
  CHECK(room.claim(claim("a", 1, 9)).empty());
  CHECK(room.claim(claim("a", 2, 9)).empty());
  CHECK(room.granted(named("a")) == 6);
}

TEST_CASE("who is forgotten gives all back and counts its claims from the start") {
  room_keeper room{5};
  room.claim(claim("a", 7, 5));
  room.claim(claim("b", 1, 3));
  CHECK(room.forget(named("a")) == grants{granted("b", 1, 3)});
  CHECK(room.forget(named("a")).empty());
  CHECK(room.claim(claim("a", 1, 5)) == grants{granted("a", 1, 2)});
}

TEST_CASE("what is handed over stays taken until it is given back, whatever the former holder claims anew") {
  room_keeper room{5};
  room.claim(claim("a", 7, 5));
  room.claim(claim("b", 1, 2));
  CHECK(room.hand_over(named("a"), claim("a#1", 1, 4)) == grants{granted("b", 1, 1)});
  CHECK(room.granted_in_all() == 5);
  CHECK_FALSE(room.knows(named("a")));
  CHECK(room.claim(claim("a", 1, 3)) == grants{granted("a", 1, 0)});
  room.claim(claim("a#1", 4, 1));
  CHECK(room.claim(claim("a#1", 2, 3)).empty()); // told late
  CHECK(room.granted(named("b")) == 2);
  CHECK(room.granted(named("a")) == 2);
  CHECK(room.forget(named("a#1")) == grants{granted("a", 1, 3)});
}

TEST_CASE("who hands over nothing is forgotten") {
  room_keeper room{5};
  room.claim(claim("a", 1, 5));
  room.hand_over(named("a"), claim("a#1", 1, 0));
  CHECK_FALSE(room.knows(named("a#1")));
  CHECK(room.granted_in_all() == 0);
}

TEST_CASE("who is forgotten while it waits leaves the queue") {
  room_keeper room{2};
  room.claim(claim("a", 1, 2));
  room.claim(claim("b", 1, 2));
  room.claim(claim("c", 1, 2));
  CHECK(room.forget(named("b")).empty());
  CHECK(room.claim(claim("a", 2, 0)) == grants{granted("a", 2, 0), granted("c", 1, 2)});
}

TEST_CASE("without a bound every claim is granted whole") {
  room_keeper room{0};
  CHECK(room.claim(claim("a", 1, 4'000'000'000)) == grants{granted("a", 1, 4'000'000'000)});
  CHECK(room.claim(claim("b", 1, 4'000'000'000)) == grants{granted("b", 1, 4'000'000'000)});
  CHECK(room.claim(claim("b", 2, 1)) == grants{granted("b", 2, 1)});
  CHECK(room.forget(named("a")).empty());
  CHECK(room.granted_in_all() == 1);
}

TEST_CASE("whatever is claimed, the sum stays within the bound and no room is idle while somebody lacks it") {
  std::mt19937_64 random{4711};
  for (int round = 0; round < 100; ++round) {
    const auto max = static_cast<std::uint32_t>(1 + random() % 20);
    room_keeper room{max};
    std::map<std::string, std::uint32_t> want, told;
    std::map<std::string, std::uint64_t> seq;
    const auto hear = [&](const grants& all) {
      for (const auto& g : all) {
        told[g.to.name] = g.what.granted;
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
      CHECK(sum == room.granted_in_all());
      CHECK(sum <= max);
      if (lacks)
        CHECK(sum == max);
    }
  }
}
