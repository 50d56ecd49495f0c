// The replica machine: every phase against every event.
// long file: one claim per arrow of the diagram
#include <troupe/actors/replica/machine.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace {

using namespace troupe;
using namespace troupe::replica;

json_doc config(int value) { return json_doc{json(value)}; }

std::string name(const effect_type& e) {
  struct visitor {
    std::string operator()(const effect::construct&) { return "construct"; }
    std::string operator()(const effect::reconfigure& x) { return "reconfigure " + x.user_config.dump(); }
    std::string operator()(const effect::check&) { return "check"; }
    std::string operator()(const effect::destroy&) { return "destroy"; }
    std::string operator()(const effect::report_started&) { return "started"; }
    std::string operator()(const effect::report_reconfigured& x) {
      return "reconfigured " + std::to_string(x.seq) + (x.ok ? " ok" : " failed: " + x.message);
    }
    std::string operator()(const effect::report_checked& x) {
      return "checked " + std::to_string(x.seq) + (x.ok ? " ok" : " failed: " + x.message);
    }
    std::string operator()(const effect::prefer_others& x) { return x.on ? "prefer others" : "prefer no others"; }
    std::string operator()(const effect::stop_intake&) { return "stop intake"; }
    std::string operator()(const effect::await_drained&) { return "await drained"; }
    std::string operator()(const effect::begin_requests&) { return "begin"; }
    std::string operator()(const effect::end& x) {
      return "end " + std::to_string(static_cast<int>(x.reason)) + (x.message.empty() ? "" : ": " + x.message);
    }
  };
  return std::visit(visitor{}, e);
}

/// The effects as one line: "a, b".
std::string text(const effects& xs) {
  std::string out;
  for (const auto& x : xs)
    out += (out.empty() ? "" : ", ") + name(x);
  return out;
}

machine constructing() {
  machine m;
  m.start();
  return m;
}

machine configuring() {
  auto m = constructing();
  m.step(event::constructed{true, {}, config(1)});
  return m;
}

machine ready() {
  auto m = constructing();
  m.step(event::constructed{});
  return m;
}

machine quiescing(std::uint32_t seq = 1) {
  auto m = ready();
  m.step(event::update{seq, config(2)});
  return m;
}

machine reconfiguring(std::uint32_t seq = 1) {
  auto m = quiescing(seq);
  m.step(event::drained{});
  return m;
}

machine refusing() {
  auto m = reconfiguring();
  m.step(event::reconfigured{false, "no"});
  return m;
}

machine draining() {
  auto m = ready();
  m.step(event::stop{});
  return m;
}

machine destroying() {
  auto m = draining();
  m.step(event::drained{});
  return m;
}

machine ended() {
  auto m = destroying();
  m.step(event::destroyed{});
  return m;
}

machine checking() {
  auto m = ready();
  m.step(event::check{1});
  return m;
}

} // namespace

TEST_CASE("a replica is constructed first") {
  machine m;
  CHECK(text(m.start()) == "construct");
  CHECK(m.current() == phase::constructing);
  CHECK_FALSE(m.may_begin());
}

TEST_CASE("without a user_config a constructed replica has started and takes requests") {
  auto m = constructing();
  CHECK(text(m.step(event::constructed{})) == "started, begin");
  CHECK(m.may_begin());
}

TEST_CASE("with a user_config it is configured before it has started") {
  auto m = constructing();
  CHECK(text(m.step(event::constructed{true, {}, config(7)})) == "reconfigure 7");
  CHECK_FALSE(m.may_begin());
  CHECK(text(m.step(event::reconfigured{})) == "started, begin");
  CHECK(m.may_begin());
}

TEST_CASE("a constructor that throws is a failed start, and there is nothing to destroy") {
  auto m = constructing();
  CHECK(text(m.step(event::constructed{false, "no disk", config(1)})) == "end 1: no disk");
  CHECK(m.current() == phase::ended);
}

TEST_CASE("a first reconfigure that throws is a failed start, and the object is destroyed") {
  auto m = configuring();
  CHECK(text(m.step(event::reconfigured{false, "bad key"})) == "destroy");
  CHECK(text(m.step(event::destroyed{})) == "end 1: bad key");
}

TEST_CASE("a config_update waits for what has begun") {
  auto m = ready();
  CHECK(text(m.step(event::update{1, config(2)})) == "prefer others, await drained");
  CHECK_FALSE(m.may_begin());
  CHECK(m.awaits_drained());
  CHECK(text(m.step(event::drained{})) == "reconfigure 2");
  CHECK_FALSE(m.may_begin());
  CHECK_FALSE(m.awaits_drained());
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 1 ok, prefer no others, begin");
  CHECK(m.may_begin());
}

TEST_CASE("an update with a seq at or below the highest seen is ignored in every phase") {
  for (auto make : {ready, +[] { return quiescing(5); }, +[] { return reconfiguring(5); }}) {
    auto m = make();
    m.step(event::update{5, config(2)});
    const auto before = m.current();
    CHECK(text(m.step(event::update{5, config(9)})) == "");
    CHECK(text(m.step(event::update{4, config(9)})) == "");
    CHECK(m.current() == before);
  }
  auto m = quiescing(5);
  m.step(event::update{4, config(9)});
  CHECK(text(m.step(event::drained{})) == "reconfigure 2");
}

TEST_CASE("a newer update while one waits takes its place") {
  auto m = quiescing(1);
  CHECK(text(m.step(event::update{3, config(3)})) == "");
  CHECK(text(m.step(event::drained{})) == "reconfigure 3");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 3 ok, prefer no others, begin");
}

TEST_CASE("newer updates during a reconfigure run after it, only the newest") {
  auto m = reconfiguring(1);
  CHECK(text(m.step(event::update{2, config(3)})) == "");
  CHECK(text(m.step(event::update{3, config(4)})) == "");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 1 ok, prefer others, reconfigure 4");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 3 ok, prefer no others, begin");
}

TEST_CASE("an update while constructing or configuring runs once the replica has started") {
  auto m = constructing();
  CHECK(text(m.step(event::update{1, config(2)})) == "");
  CHECK(text(m.step(event::constructed{})) == "started, prefer others, reconfigure 2");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 1 ok, prefer no others, begin");

  auto n = configuring();
  CHECK(text(n.step(event::update{1, config(2)})) == "");
  CHECK(text(n.step(event::reconfigured{})) == "started, prefer others, reconfigure 2");
}

TEST_CASE("after a reconfigure that threw no request begins until one succeeds") {
  auto m = reconfiguring(1);
  CHECK(text(m.step(event::reconfigured{false, "bad"})) == "reconfigured 1 failed: bad");
  CHECK(m.current() == phase::refusing);
  CHECK_FALSE(m.may_begin());
  CHECK(text(m.step(event::update{2, config(1)})) == "reconfigure 1");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 2 ok, prefer no others, begin");
  CHECK(m.may_begin());
}

TEST_CASE("a reconfigure that threw is followed by a newer update that waited") {
  auto m = reconfiguring(1);
  m.step(event::update{2, config(3)});
  CHECK(text(m.step(event::reconfigured{false, "bad"})) == "reconfigured 1 failed: bad, prefer others, reconfigure 3");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 2 ok, prefer no others, begin");
}

TEST_CASE("a check is answered with its seq; no request begins while it runs") {
  auto m = ready();
  CHECK(text(m.step(event::check{4})) == "check");
  CHECK_FALSE(m.may_begin());
  CHECK(text(m.step(event::checked{})) == "checked 4 ok, begin");
  CHECK(text(m.step(event::check{5})) == "check");
  CHECK(text(m.step(event::checked{false, "sick"})) == "checked 5 failed: sick, begin");
}

TEST_CASE("a copied or late check is ignored") {
  auto m = ready();
  m.step(event::check{4});
  m.step(event::checked{});
  CHECK(text(m.step(event::check{4})) == "");
  CHECK(text(m.step(event::check{3})) == "");
}

TEST_CASE("checks while one runs: the newest runs after it") {
  auto m = checking();
  CHECK(text(m.step(event::check{2})) == "");
  CHECK(text(m.step(event::check{3})) == "");
  CHECK(text(m.step(event::checked{})) == "checked 1 ok, check");
  CHECK(text(m.step(event::checked{})) == "checked 3 ok, begin");
}

TEST_CASE("a check while a reconfigure waits or runs is answered after it") {
  auto m = quiescing();
  CHECK(text(m.step(event::check{1})) == "");
  CHECK(text(m.step(event::drained{})) == "reconfigure 2");
  CHECK(text(m.step(event::check{2})) == "");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 1 ok, prefer no others, check");
  CHECK_FALSE(m.may_begin());
  CHECK(text(m.step(event::checked{})) == "checked 2 ok, begin");
}

TEST_CASE("a check while constructing or configuring is answered after replica_started") {
  auto m = constructing();
  m.step(event::check{1});
  CHECK(text(m.step(event::constructed{})) == "started, check");
  auto n = configuring();
  n.step(event::check{1});
  CHECK(text(n.step(event::reconfigured{})) == "started, check");
}

TEST_CASE("a refusing replica answers checks and still begins nothing") {
  auto m = refusing();
  CHECK(text(m.step(event::check{1})) == "check");
  CHECK(text(m.step(event::checked{})) == "checked 1 ok");
  CHECK_FALSE(m.may_begin());
}

TEST_CASE("a reconfigure waits for a running check, and drained alone is not enough") {
  auto m = checking();
  CHECK(text(m.step(event::update{1, config(2)})) == "prefer others, await drained");
  CHECK(text(m.step(event::drained{})) == "");
  CHECK(text(m.step(event::checked{})) == "checked 1 ok, reconfigure 2");
}

TEST_CASE("a checked that comes before drained leaves the reconfigure waiting") {
  auto m = checking();
  m.step(event::update{1, config(2)});
  CHECK(text(m.step(event::checked{})) == "checked 1 ok");
  CHECK(text(m.step(event::drained{})) == "reconfigure 2");
}

TEST_CASE("stop drains, destroys, ends") {
  auto m = ready();
  CHECK(text(m.step(event::stop{})) == "stop intake, await drained");
  CHECK_FALSE(m.may_begin());
  CHECK(m.awaits_drained());
  CHECK(text(m.step(event::drained{})) == "destroy");
  CHECK(text(m.step(event::destroyed{})) == "end 0");
  CHECK(m.current() == phase::ended);
}

TEST_CASE("a second stop changes nothing in any phase") {
  for (auto make : {draining, destroying, ended}) {
    auto m = make();
    const auto before = m.current();
    CHECK(text(m.step(event::stop{})) == "");
    CHECK(m.current() == before);
  }
}

TEST_CASE("stop during construction destroys the object after it") {
  auto m = constructing();
  CHECK(text(m.step(event::stop{})) == "");
  CHECK(text(m.step(event::stop{})) == "");
  CHECK(text(m.step(event::constructed{true, {}, config(1)})) == "destroy");
  CHECK(text(m.step(event::destroyed{})) == "end 0");
}

TEST_CASE("stop during a construction that fails is a failed start without a destroy") {
  auto m = constructing();
  m.step(event::stop{});
  CHECK(text(m.step(event::constructed{false, "no", {}})) == "end 1: no");
}

TEST_CASE("stop while configuring destroys after it, without replica_started") {
  auto m = configuring();
  CHECK(text(m.step(event::stop{})) == "");
  CHECK(text(m.step(event::reconfigured{})) == "destroy");
}

TEST_CASE("stop while quiescing drops the update and drains") {
  auto m = quiescing();
  m.step(event::check{1});
  CHECK(text(m.step(event::stop{})) == "stop intake, await drained");
  CHECK(text(m.step(event::drained{})) == "destroy");
}

TEST_CASE("stop while reconfiguring waits for it") {
  auto m = reconfiguring();
  m.step(event::update{2, config(3)});
  m.step(event::check{1});
  CHECK(text(m.step(event::stop{})) == "");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 1 ok, stop intake, destroy");
  CHECK(text(m.step(event::destroyed{})) == "end 0");
}

TEST_CASE("stop while refusing destroys at once: nothing has begun") {
  auto m = refusing();
  CHECK(text(m.step(event::stop{})) == "stop intake, destroy");
}

TEST_CASE("stop while checking waits for the check") {
  auto m = checking();
  CHECK(text(m.step(event::stop{})) == "stop intake, await drained");
  CHECK(text(m.step(event::drained{})) == "");
  CHECK(text(m.step(event::checked{})) == "checked 1 ok, destroy");
}

TEST_CASE("stop while refusing and checking waits for the check") {
  auto m = refusing();
  m.step(event::check{1});
  CHECK(text(m.step(event::stop{})) == "stop intake");
  CHECK(text(m.step(event::checked{})) == "checked 1 ok, destroy");
}

TEST_CASE("updates and checks while draining or later are dropped") {
  for (auto make : {draining, destroying, ended}) {
    auto m = make();
    const auto before = m.current();
    CHECK(text(m.step(event::update{9, config(1)})) == "");
    CHECK(text(m.step(event::check{9})) == "");
    CHECK(m.current() == before);
  }
}

TEST_CASE("drained is only heard where it is awaited") {
  for (auto make : {constructing, configuring, ready, +[] { return reconfiguring(); }, refusing, destroying, ended}) {
    auto m = make();
    const auto before = m.current();
    CHECK_FALSE(m.awaits_drained());
    CHECK(text(m.step(event::drained{})) == "");
    CHECK(m.current() == before);
  }
}

TEST_CASE("results of user code that nobody waits for change nothing") {
  for (auto make : {ready, +[] { return quiescing(); }, refusing, draining, destroying, ended}) {
    auto m = make();
    const auto before = m.current();
    CHECK(text(m.step(event::constructed{})) == "");
    CHECK(text(m.step(event::reconfigured{})) == "");
    CHECK(text(m.step(event::checked{})) == "");
    CHECK(m.current() == before);
  }
  auto m = ready();
  CHECK(text(m.step(event::destroyed{})) == "");
}

TEST_CASE("a replica killed before it was constructed ends without a destroy") {
  auto m = constructing();
  CHECK(text(m.step(event::killed{})) == "end 2");
}

TEST_CASE("another owner hears that it has started when what it has begun has ended, and counts anew") {
  auto m = ready();
  m.step(event::update{7, config(2)});
  m.step(event::drained{});
  m.step(event::reconfigured{});
  m.step(event::check{9});
  CHECK(text(m.step(event::adopted{})) == "await drained");
  CHECK_FALSE(m.may_begin());
  CHECK(text(m.step(event::checked{})) == "checked 0 ok"); // the former owner's
  CHECK(text(m.step(event::update{1, config(3)})) == "");
  CHECK(text(m.step(event::drained{})) == "started, reconfigure 3");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 1 ok, prefer no others, begin");
  CHECK(text(m.step(event::check{1})) == "check");
}

TEST_CASE("an adopted replica without another config goes on as it is") {
  auto m = ready();
  m.step(event::adopted{});
  CHECK(text(m.step(event::drained{})) == "started, prefer no others, begin");
  CHECK(m.may_begin());
}

TEST_CASE("adopted while it reconfigures or refuses: what the former owner wanted is forgotten") {
  auto m = reconfiguring();
  m.step(event::update{5, config(9)});
  CHECK(text(m.step(event::adopted{})) == "");
  CHECK(text(m.step(event::reconfigured{})) == "reconfigured 0 ok, prefer no others, started, begin");
  auto n = refusing();
  CHECK(text(n.step(event::adopted{})) == "started");
  CHECK(text(n.step(event::update{1, config(3)})) == "reconfigure 3");
  auto q = quiescing();
  CHECK(text(q.step(event::adopted{})) == "");
  CHECK(text(q.step(event::drained{})) == "started, prefer no others, begin");
  for (auto make : {draining, destroying})
    CHECK(text(make().step(event::adopted{})) == "");
}

TEST_CASE("a killed replica's object is destroyed once, whatever it was doing") {
  for (auto make : {configuring, ready, +[] { return quiescing(); }, +[] { return reconfiguring(); }, refusing,
                    draining, checking}) {
    auto m = make();
    CHECK(text(m.step(event::killed{stop_reason::owner_gone, "bye"})) == "destroy");
    CHECK_FALSE(m.may_begin());
    CHECK(text(m.step(event::destroyed{})) == "end 3: bye");
    CHECK(text(m.step(event::destroyed{})) == "");
    CHECK(text(m.step(event::killed{})) == "");
  }
}

TEST_CASE("a replica killed while its destroy is due keeps the reason of its end") {
  auto m = destroying();
  CHECK(text(m.step(event::killed{})) == "destroy");
  CHECK(text(m.step(event::destroyed{})) == "end 0");
}

TEST_CASE("what a destructor throws is told in the last word") {
  auto m = destroying();
  CHECK(text(m.step(event::destroyed{"flush failed"})) == "end 0: the destructor threw: flush failed");
  auto n = configuring();
  n.step(event::reconfigured{false, "bad"});
  CHECK(text(n.step(event::destroyed{"worse"})) == "end 1: bad; the destructor threw: worse");
}

TEST_CASE("a machine is small: 100,000 of them are idle at a time") { CHECK(sizeof(machine) <= 64); }
