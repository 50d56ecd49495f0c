// Tests of a user's class in the simulated world, as a user would write them.
#include <troupe/testing/world.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace troupe;
using namespace std::chrono_literals;
using troupe::testing::for_seeds;
using troupe::testing::world;

namespace {

struct ask {
  int number = 0;
};
struct reply {
  int number = 0;
  int factor = 0;
};

/// Multiplies by what its user_config says.
class multiplier {
public:
  void reconfigure(const json& config) { factor_ = config.at("factor"); }
  void check_health() {}
  reply operator()(ask x) { return {x.number * factor_, factor_}; }

private:
  int factor_ = 1;
};

/// Answers never.
class silent {
public:
  void operator()(ask, promise<reply> answer) { kept_ = std::move(answer); }

private:
  promise<reply> kept_;
};

deployment_options multipliers(std::uint32_t n) { return deployment_options{"mul"}.version("1").num_replicas(n); }

} // namespace

TEST_CASE("a request is answered by a deployment in the world") {
  world w;
  w.run<multiplier>(multipliers(2));
  const auto r = w.request<reply(ask)>("mul", ask{21});
  CHECK_FALSE(r.done());
  CHECK(w.settle());
  REQUIRE(r.ok());
  CHECK(r.value().number == 21);
  CHECK(w.status("mul").state == deployment_state_name::healthy);
  CHECK(w.requests().answered == 1);
}

TEST_CASE("time passes only in the world") {
  world w;
  const auto begin = w.now();
  w.slow_start(70s);
  w.run<multiplier>(multipliers(1).startup_timeout(100s));
  CHECK(w.status("mul").available == 0);
  w.advance(69s);
  CHECK(w.status("mul").available == 0);
  w.advance(2s);
  CHECK(w.status("mul").available == 1);
  CHECK(w.now() - begin >= 71s);
}

TEST_CASE("a start that fails is tried again, one that always fails ends the first deployment") {
  world w;
  w.fail_start("no model", 2);
  w.run<multiplier>(multipliers(1));
  CHECK(w.settle());
  CHECK(w.status("mul").state == deployment_state_name::healthy);

  w.fail_start("no model", 1000);
  w.run<multiplier>(deployment_options{"other"}.version("1"));
  CHECK(w.settle());
  const auto s = w.status("other");
  CHECK(s.state == deployment_state_name::deploy_failed);
  CHECK(s.message.find("no model") != std::string::npos);
}

TEST_CASE("an update that fails is rolled back") {
  world w;
  w.run<multiplier>(multipliers(5));
  REQUIRE(w.settle());
  w.fail_start("broken release", 1000);
  w.run<multiplier>(multipliers(5).version("2"));
  w.advance(1s);
  w.fail_start("", 0);
  REQUIRE(w.settle());
  const auto s = w.status("mul");
  CHECK(s.state == deployment_state_name::deploy_failed);
  CHECK(s.available == 5);
  CHECK(s.message.find("rolled back to R1") != std::string::npos);
}

TEST_CASE("commands that are not possible throw what the runtime throws") {
  world w;
  CHECK_THROWS_AS(w.scale("nobody", 2), command_failed);
  CHECK_THROWS_AS(w.run<multiplier>(multipliers(0)), command_failed);
  const auto r = w.request<reply(ask)>("nobody", ask{1});
  w.settle();
  CHECK(r.code() == errc::unknown_deployment);
}

TEST_CASE("a request ends by its timeout, by cancelling, or by the death of its replica") {
  world w;
  w.run<silent>(deployment_options{"silent"}.version("1"));
  REQUIRE(w.settle());
  const auto late = w.request<reply(ask)>("silent", ask{}, {.timeout = 50ms});
  w.advance(1s);
  CHECK(late.code() == errc::timed_out);
  auto given_up = w.request<reply(ask)>("silent", ask{});
  w.advance(1s);
  CHECK_FALSE(given_up.done());
  given_up.cancel();
  w.advance(0s);
  CHECK(given_up.code() == errc::cancelled);
  const auto killed = w.request<reply(ask)>("silent", ask{});
  w.advance(1s);
  CHECK(w.kill_one("silent"));
  w.advance(1s);
  CHECK(killed.code() == errc::replica_died);
  CHECK(w.requests().lost() == 0);
}

TEST_CASE("a removed deployment is gone") {
  world w;
  w.run<multiplier>(multipliers(3));
  w.remove("mul");
  CHECK_THROWS_AS(w.status("mul"), command_failed);
}

TEST_CASE("through rollouts, new configs and deaths no request is lost, in any order of events") {
  for_seeds(200, [](world& w) {
    w.use({.copied_messages = 100, .delayed_messages = 100, .slow_user_code = 200});
    w.run<multiplier>(multipliers(4).user_config({{"factor", 1}}).idempotent());
    for (int round = 2; round < 5; ++round) {
      for (int i = 0; i < 5; ++i)
        w.request<reply(ask)>("mul", ask{i});
      w.advance(w.chance().up_to(500ms));
      const auto version = w.chance().one_in(2) ? "1" : "2";
      w.run<multiplier>(multipliers(4).version(version).user_config({{"factor", round}}).idempotent());
      if (w.chance().one_in(3))
        w.kill_one("mul");
    }
    REQUIRE(w.settle());
    const auto answer = w.request<reply(ask)>("mul", ask{1});
    REQUIRE(w.settle());
    CHECK(w.status("mul").state == deployment_state_name::healthy);
    CHECK(w.requests().lost() == 0);
    CHECK(w.requests().failed == 0);
    CHECK(answer.value().factor == 4);
  });
}

TEST_CASE("the same seed does the same, another one something else") {
  const auto digest = [](std::uint64_t seed) {
    world w{seed};
    w.run<multiplier>(multipliers(6));
    w.settle();
    return w.engine().digest();
  };
  CHECK(digest(7) == digest(7));
  CHECK(digest(7) != digest(8));
}
