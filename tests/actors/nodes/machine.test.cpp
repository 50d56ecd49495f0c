// Nodes that join, fall silent, come back, are drained and leave: rows at each limit.
#include "cluster_fixture.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::nodes;
using namespace troupe::nodes::test;

TEST_CASE("a node gets replicas only when what it brought is settled") {
  cluster c;
  c.step(event::hello{7, about("a")});
  REQUIRE(c.find<effect::admit>() != nullptr);
  CHECK(c.find<effect::admit>()->link == 7);
  CHECK(c.find<effect::offer>() == nullptr);
  CHECK(c.view("a").state == state::joining);
  c.step(event::settled{c.view("a").id});
  REQUIRE(c.find<effect::offer>() != nullptr);
  CHECK(c.find<effect::offer>()->on);
  CHECK(c.view("a").state == state::ready);
}

TEST_CASE("that a node is admitted is stored before it is told") {
  cluster c;
  const auto& all = c.step(event::hello{7, about("a")});
  const auto at = [&](auto is) { return std::find_if(all.begin(), all.end(), is) - all.begin(); };
  const auto stored = at([](const any_effect& e) { return std::holds_alternative<effect::persist>(e); });
  const auto told = at([](const any_effect& e) { return std::holds_alternative<effect::admit>(e); });
  CHECK(stored < told);
  CHECK(c.find<effect::persist>()->last_id == c.view("a").id);
}

TEST_CASE("a node that speaks another version is refused by a reason with both versions, and ends") {
  cluster c;
  auto x = about("a");
  x.wire_version = node_wire_version + 1;
  x.release = "9.9";
  c.step(event::hello{1, x});
  const auto* no = c.find<effect::refuse>();
  REQUIRE(no != nullptr);
  CHECK(no->for_good);
  CHECK(no->why.message.find("version " + std::to_string(node_wire_version + 1)) != std::string::npos);
  CHECK(no->why.message.find("this controller " + std::to_string(node_wire_version)) != std::string::npos);
  CHECK(c.under_test.list().empty());
}

TEST_CASE("what a node says of itself is checked, each field by name") {
  node_about x;
  x.name = "a/b";
  x.labels["zo#ne"] = "1";
  x.total.set(resource_name::cpus, 1'000'001 * resource_unit);
  x.total.set(resource_name::memory, (1ULL << 50U) + 1);
  x.total.set("no blanks", 1);
  const auto all = problems(x);
  REQUIRE(all.size() == 6);
  CHECK(all[0].rfind("name: \"a/b\" is not allowed", 0) == 0);
  CHECK(all[1].rfind("incarnation: 0", 0) == 0);
  CHECK(all[2].rfind("labels: \"zo#ne=1\"", 0) == 0);
  CHECK(all[3].rfind("resources.memory: ", 0) == 0);
  CHECK(all[4].rfind("resources: \"no blanks\"", 0) == 0);
  CHECK(all[5].rfind("resources.num_cpus: 1000001 is not allowed; expected at most 1000000", 0) == 0);
  x = about("a");
  x.total.set(resource_name::cpus, 1'000'000 * resource_unit);
  x.total.set(resource_name::memory, 1ULL << 50U);
  x.labels["gpu"] = "";
  CHECK(problems(x).empty());
  for (int i = 0; i < 63; ++i)
    x.labels["l" + std::to_string(i)] = "x";
  CHECK(problems(x).empty());
  x.labels["one more"] = "x";
  CHECK(problems(x).size() == 1);
  x.incarnation = 0;
  cluster c;
  c.step(event::hello{1, x});
  REQUIRE(c.find<effect::refuse>() != nullptr);
  CHECK(c.find<effect::refuse>()->why.code == errc::invalid_spec);
}

TEST_CASE("a second node of a name that is in use waits; the first is not touched") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::hello{2, about("a", 99)});
  const auto* no = c.find<effect::refuse>();
  REQUIRE(no != nullptr);
  CHECK(!no->for_good);
  CHECK(no->link == 2);
  CHECK(no->why.message.find("host-of-a") != std::string::npos);
  CHECK(c.view("a").id == id);
  CHECK(c.view("a").state == state::ready);
}

TEST_CASE("a process that was started again takes its name back as soon as the old connection has ended") {
  cluster c;
  const auto old = c.add("a", 1);
  c.step(event::disconnected{1, "reset"});
  CHECK(c.view("a").state == state::suspect);
  c.step(event::hello{2, about("a", 99)});
  REQUIRE(c.find<effect::void_node>() != nullptr);
  CHECK(c.find<effect::void_node>()->id == old);
  REQUIRE(c.find<effect::admit>() != nullptr);
  CHECK(c.find<effect::admit>()->id > old);
}

TEST_CASE("a process whose name another one has taken is told to end, once and for all") {
  cluster c;
  c.add("a", 1, 11);
  c.step(event::disconnected{1, {}});
  c.add("a", 2, 22);
  c.step(event::hello{3, about("a", 11)});
  REQUIRE(c.find<effect::refuse>() != nullptr);
  CHECK(c.find<effect::refuse>()->for_good);
  CHECK(c.view("a").about.incarnation == 22);
}

TEST_CASE("a frozen node is suspect, then lost, and its name stays taken until then") {
  limits l;
  cluster c{l};
  const auto id = c.add("a", 1);
  c.run_for(l.suspect_after - 1ms);
  CHECK(c.view("a").state == state::ready);
  c.run_for(1ms);
  CHECK(c.view("a").state == state::suspect);
  REQUIRE(cluster::find_in<effect::offer>(c.seen) != nullptr);
  CHECK(!cluster::find_in<effect::offer>(c.seen)->on);
  REQUIRE(cluster::find_in<effect::prefer_others>(c.seen) != nullptr);
  c.step(event::hello{2, about("a", 99)});
  CHECK(c.find<effect::refuse>() != nullptr);
  c.run_for(l.lost_after - 1ms);
  CHECK(c.view("a").state == state::suspect);
  CHECK(cluster::find_in<effect::void_node>(c.seen) == nullptr);
  c.run_for(1ms);
  CHECK(c.view("a").state == state::lost);
  REQUIRE(cluster::find_in<effect::void_node>(c.seen) != nullptr);
  CHECK(cluster::find_in<effect::void_node>(c.seen)->id == id);
  CHECK(cluster::find_in<effect::close>(c.seen) != nullptr); // it thaws without a connection, and joins anew
  c.step(event::hello{2, about("a", 99)});
  CHECK(c.find<effect::admit>() != nullptr);
}

TEST_CASE("words keep a node ready, whatever else is silent") {
  limits l;
  cluster c{l};
  c.add("a", 1);
  for (int i = 0; i < 20; ++i) {
    c.run_for(l.suspect_after - 1ms);
    c.step(event::heard{1});
    CHECK(c.last.empty()); // a word costs nothing
    CHECK(c.view("a").state == state::ready);
  }
}

TEST_CASE("a node that is back in time keeps its id and gets replicas again") {
  limits l;
  cluster c{l};
  const auto id = c.add("a", 1);
  SUBCASE("on a new connection") {
    c.step(event::disconnected{1, {}});
    c.run_for(l.lost_after - 1ms);
    c.step(event::hello{2, about("a")});
    REQUIRE(c.find<effect::resume>() != nullptr);
    CHECK(c.find<effect::resume>()->id == id);
  }
  SUBCASE("on a new connection that came before the end of the old one was seen") {
    c.step(event::hello{2, about("a")});
    CHECK(c.find<effect::resume>() != nullptr);
    REQUIRE(c.find<effect::close>() != nullptr);
    CHECK(c.find<effect::close>()->link == 1);
    c.step(event::disconnected{1, {}});
    CHECK(c.last.empty());
  }
  SUBCASE("on the connection that was silent") {
    c.run_for(l.suspect_after);
    CHECK(c.view("a").state == state::suspect);
    c.step(event::heard{1});
    REQUIRE(c.find<effect::offer>() != nullptr);
    CHECK(c.find<effect::offer>()->on);
  }
  CHECK(c.view("a").id == id);
  CHECK(c.view("a").state == state::ready);
}

TEST_CASE("a node that does not finish joining is lost") {
  limits l;
  cluster c{l};
  c.step(event::hello{1, about("a")});
  const auto end = c.now + l.join_timeout;
  while (c.now < end - 1ms) {
    c.run_for(std::min<instant>(1s, end - 1ms - c.now));
    c.step(event::heard{1});
  }
  CHECK(c.view("a").state == state::joining);
  c.run_for(1ms);
  CHECK(c.view("a").state == state::lost);
}

TEST_CASE("a drained node is emptied, says so, and takes part again after an uncordon") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::drain{"a"});
  CHECK(c.view("a").state == state::draining);
  REQUIRE(c.find<effect::offer>() != nullptr);
  CHECK(!c.find<effect::offer>()->on);
  REQUIRE(c.find<effect::evacuate>() != nullptr);
  c.step(event::emptied{id});
  CHECK(c.view("a").empty);
  CHECK(c.view("a").state == state::draining);
  c.step(event::cordon{"a", false});
  CHECK(c.view("a").state == state::ready);
  REQUIRE(c.find<effect::evacuate>() != nullptr);
  CHECK(!c.find<effect::evacuate>()->on);
  REQUIRE(c.find<effect::offer>() != nullptr);
  CHECK(c.find<effect::offer>()->on);
}

TEST_CASE("a cordoned node keeps what it has and gets nothing new, through a new incarnation, too") {
  limits l;
  cluster c{l};
  c.add("a", 1);
  c.step(event::cordon{"a"});
  REQUIRE(c.find<effect::offer>() != nullptr);
  CHECK(!c.find<effect::offer>()->on);
  CHECK(c.find<effect::evacuate>() == nullptr);
  CHECK(c.view("a").state == state::ready);
  c.step(event::disconnected{1, {}});
  c.add("a", 2, 5);
  CHECK(c.find<effect::offer>() == nullptr);
  CHECK(c.view("a").state == state::ready);
  CHECK(c.view("a").cordoned);
}

TEST_CASE("a process that is asked to end does so when its replicas are elsewhere") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::leaving{id});
  CHECK(c.view("a").state == state::draining);
  CHECK(c.find<effect::evacuate>() != nullptr);
  CHECK(c.find<effect::release>() == nullptr);
  c.step(event::emptied{id});
  REQUIRE(c.find<effect::release>() != nullptr);
  CHECK(c.find<effect::release>()->link == 1);
  CHECK(c.view("a").state == state::gone);
  CHECK(c.under_test.alive() == 0);
  c.step(event::disconnected{1, {}});
  CHECK(c.last.empty());
  c.add("a", 2, 5); // not drained for good: the wish was its process's, not the operator's
  CHECK(c.view("a").state == state::ready);
}

TEST_CASE("a node that is drained already and then asked to end, ends at once") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::drain{"a"});
  c.step(event::emptied{id});
  c.step(event::leaving{id});
  CHECK(c.find<effect::release>() != nullptr);
  CHECK(c.view("a").state == state::gone);
}

TEST_CASE("a replica that was on its way to a node when it was found empty keeps it until it has left") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::drain{"a"});
  c.step(event::emptied{id});
  c.step(event::occupied{id});
  CHECK(!c.view("a").empty);
  c.step(event::remove{"a"});
  CHECK(c.refused.code == errc::rejected);
  c.step(event::leaving{id});
  CHECK(c.find<effect::release>() == nullptr);
  CHECK(c.view("a").state == state::draining);
  c.step(event::emptied{id});
  CHECK(c.find<effect::release>() != nullptr);
  c.step(event::occupied{id}); // late: nobody has this id any more
  CHECK(c.last.empty());
  CHECK(c.view("a").state == state::gone);
}

TEST_CASE("a node with replicas is removed by force only") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::remove{"a"});
  CHECK(c.refused.code == errc::rejected);
  CHECK(c.last.empty());
  c.step(event::remove{"a", true});
  CHECK(c.refused.code == errc::none);
  REQUIRE(c.find<effect::void_node>() != nullptr);
  CHECK(c.find<effect::void_node>()->id == id);
  REQUIRE(c.find<effect::refuse>() != nullptr);
  CHECK(c.find<effect::refuse>()->for_good);
  CHECK(c.under_test.list().empty());
  c.run_for(3h);
  CHECK(c.armed.at == instant{0});
}

TEST_CASE("a drained node is removed without force and told that it may end") {
  cluster c;
  const auto id = c.add("a", 1);
  c.step(event::drain{"a"});
  c.step(event::emptied{id});
  c.step(event::remove{"a"});
  CHECK(c.refused.code == errc::none);
  CHECK(c.find<effect::release>() != nullptr);
  CHECK(c.find<effect::void_node>() == nullptr);
  CHECK(c.under_test.list().empty());
  c.add("a", 2, 5); // what was wanted of the removed one is forgotten
  CHECK(c.view("a").state == state::ready);
}

TEST_CASE("commands for a node that is not there are refused by name") {
  cluster c;
  c.step(event::cordon{"b"});
  CHECK(c.refused.message.find("\"b\"") != std::string::npos);
  c.step(event::drain{"b"});
  CHECK(c.refused.code == errc::invalid_spec);
  c.step(event::remove{"b", true});
  CHECK(c.refused.code == errc::invalid_spec);
}

TEST_CASE("lost nodes are shown for a while, and what was wanted of them is kept") {
  limits l;
  cluster c{l};
  c.add("a", 1);
  c.step(event::cordon{"a"});
  c.step(event::disconnected{1, {}});
  c.run_for(l.lost_after + l.forget_after - 1ms);
  CHECK(c.view("a").state == state::lost);
  c.run_for(1ms);
  CHECK(c.under_test.list().empty());
  c.add("a", 2, 5);
  CHECK(c.view("a").cordoned);
}

TEST_CASE("a controller that starts again waits for the nodes it had, and its ids go on") {
  limits l;
  cluster c{l};
  c.step(event::restore{{{"a", true, false, true}, {"b", false, false, true}, {"c", true, false, false}}, 40});
  CHECK(c.under_test.list().size() == 2);
  CHECK(c.view("a").state == state::suspect);
  const auto id = c.add("a", 1, 77);
  CHECK(id > 40);
  CHECK(c.view("a").cordoned);
  c.run_for(l.return_within - 1ms);
  CHECK(c.view("b").state == state::suspect);
  CHECK(c.under_test.has("b"));
  c.run_for(1ms);
  CHECK(c.view("b").state == state::lost);
  CHECK_FALSE(c.under_test.has("b"));
  c.add("c", 2, 78);
  CHECK(c.view("c").cordoned);
}

TEST_CASE("there are at most so many nodes") {
  limits l;
  l.max_nodes = 2;
  cluster c{l};
  c.add("a", 1);
  c.add("b", 2);
  c.step(event::hello{3, about("c")});
  REQUIRE(c.find<effect::refuse>() != nullptr);
  CHECK(!c.find<effect::refuse>()->for_good);
  c.step(event::hello{4, about("a")}); // one that is known may come back
  CHECK(c.find<effect::resume>() != nullptr);
}
