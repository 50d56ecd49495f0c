// Whom a crash is blamed on.
#include <troupe/app/daemon/blame.hpp>
#include <troupe/app/daemon/trial.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::daemon;
using library::crash_record;

namespace {

constexpr std::int64_t now = 1'000'000'000;

suspect runs(const std::string& name, std::uint64_t revision, const std::string& digest, bool on_trial = false) {
  suspect x;
  x.name = {"app", name};
  x.revision = x.code_revision = revision;
  x.digests = {digest};
  x.on_trial = on_trial;
  return x;
}

crash_record crashed(const std::string& what, const std::string& deployment, std::uint64_t revision,
                     const std::string& digest, std::int64_t at = now) {
  return {at, 11, "SIGSEGV", what, deployment, revision, 0, digest, ""};
}

bool blames(const crash_record& c, const suspect& x, const std::vector<suspect>& others = {}) {
  auto all = others;
  all.push_back(x);
  return !blamed_on(x, all, {c}, now).empty();
}

} // namespace

TEST_CASE("a record that names a deployment blames that revision of it and nobody else") {
  const auto x = runs("a", 3, "d1", true);
  CHECK(blames(crashed("handler", "app/a", 3, "d1"), x));
  CHECK_FALSE(blames(crashed("handler", "app/a", 2, "d1"), x));
  CHECK_FALSE(blames(crashed("handler", "app/b", 3, "d1"), x));
  auto reconfigured = x;
  reconfigured.revision = 4;
  CHECK(blames(crashed("handler", "app/a", 3, "d1"), reconfigured)); // its code
}

TEST_CASE("a crash while a library is loaded blames the application's deployments that have it") {
  CHECK(blames(crashed("load", "app", 0, "d1"), runs("a", 1, "d1")));
  CHECK(blames(crashed("load", "app", 1, "of something that came along"), runs("a", 1, "d1")));
  CHECK_FALSE(blames(crashed("load", "app", 0, "d2"), runs("a", 1, "d1")));
  CHECK_FALSE(blames(crashed("load", "other", 0, "d1"), runs("a", 1, "d1")));
  CHECK(blamed_on_load("app", {"d0", "d1"}, {crashed("load", "app", 0, "d1"), crashed("load", "app", 0, "d2")}, now)
            .size() == 1);
}

TEST_CASE("a record that names nobody blames what is on trial, by its library if that is known") {
  const auto old = runs("a", 1, "d1"), fresh = runs("b", 2, "d1", true);
  const auto by_library = crashed("", "", 0, "d1"), by_nothing = crashed("", "", 0, "");
  CHECK(blames(by_library, fresh, {old}));
  CHECK_FALSE(blames(by_library, old, {fresh}));
  CHECK(blames(by_library, old)); // nobody with that library is on trial
  CHECK_FALSE(blames(crashed("", "", 0, "d2"), fresh, {old}));
  CHECK(blames(by_nothing, fresh, {old}));
  CHECK_FALSE(blames(by_nothing, old, {fresh}));
}

TEST_CASE("crashes count for ten minutes, and not from before the trial began") {
  auto x = runs("a", 1, "d1");
  CHECK(blames(crashed("handler", "app/a", 1, "d1", now - blame_window_ms), x));
  CHECK_FALSE(blames(crashed("handler", "app/a", 1, "d1", now - blame_window_ms - 1), x));
  x.since_ms = now - 1000;
  CHECK(blames(crashed("handler", "app/a", 1, "d1", now - 1000), x));
  CHECK_FALSE(blames(crashed("handler", "app/a", 1, "d1", now - 1001), x));
}

TEST_CASE("the reason names revision, count, place and signal") {
  const auto c = crashed("handler", "app/a", 3, "d1");
  CHECK(quarantine_text("R3", {c, c}) ==
        "R3 is quarantined: the process ended 2 times within 10 minutes, last in its handler (SIGSEGV)");
}

TEST_CASE("a trial is stood after 30 s of being whole without a break") {
  using namespace std::chrono_literals;
  trial_clock clock;
  const deployment_name a{"app", "a"};
  const trial_clock::time_point t{};
  CHECK_FALSE(clock.look(a, 1, t));
  CHECK_FALSE(clock.look(a, 1, t + 29'999ms));
  CHECK(clock.look(a, 1, t + 30s));
  CHECK_FALSE(clock.look(a, 1, t + 31s)); // it begins anew
  CHECK_FALSE(clock.look(a, 0, t + 40s));
  CHECK_FALSE(clock.look(a, 1, t + 61s));
  CHECK_FALSE(clock.look(a, 2, t + 91s)); // another revision
  CHECK(clock.look(a, 2, t + 121s));
}

TEST_CASE("a trial as it is stored") {
  const trial x{"what", true, 5, 6, "why"};
  const auto y = trial_from_json(to_json(x));
  CHECK(y.what == x.what);
  CHECK(y.open == x.open);
  CHECK(y.since_ms == x.since_ms);
  CHECK(y.before == x.before);
  CHECK(y.quarantined == x.quarantined);
  CHECK_FALSE(trial_from_json(json::object()).open);
}
