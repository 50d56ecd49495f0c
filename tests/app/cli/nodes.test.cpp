// `troupe node ...` against a scripted daemon: which command it is, what is sent, what is printed, how it ends.
#include "cli_world.hpp"

#include <algorithm>
#include <atomic>

namespace troupe::cli_nodes_test {

using namespace troupe;

namespace {

using question = scripted_server::question;
using answer = scripted_server::answer;

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

json node(const std::string& name, const std::string& state = "READY", int replicas = 3) {
  return {
      {"name", name},
      {"state", state},
      {"host", "10.0.0.7"},
      {"release", "1.2.3"},
      {"labels", {{"disk", "ssd"}, {"zone", "a"}}},
      {"resources",
       {{"total", {{"num_cpus", 8}, {"num_gpus", 0}, {"memory", 67'442'380'800}, {"resources", {{"licence", 2.5}}}}},
        {"used", {{"num_cpus", 1.5}, {"num_gpus", 0}, {"memory", 1024}, {"resources", json::object()}}}}},
      {"replicas", replicas},
      {"cordoned", false},
      {"drained", false},
      {"empty", false},
      {"since_s", 75.5},
      {"silence_s", 0.3},
      {"message", ""}};
}

json with(json x, const std::string& key, const json& value) {
  x[key] = value;
  return x;
}

json draining(int replicas, bool empty = false) {
  return with(with(node("n1", "DRAINING", replicas), "drained", true), "empty", empty);
}

answer refusal(unsigned status, const std::string& code, const std::string& message) {
  return {status, json{{"error", {{"code", code}, {"message", message}}}}.dump()};
}

scripted_server::script always(const json& body) {
  return [=](const question&) { return answer{200, body.dump()}; };
}

// A daemon whose node goes through `steps`, one per answer, the last for ever; an empty one ends the connection.
struct stepping {
  std::vector<answer> steps;
  std::atomic<std::size_t> looks{0};
  scripted_server::script script() {
    return [this](const question&) { return steps[std::min<std::size_t>(looks++, steps.size() - 1)]; };
  }
};

answer said(const json& x) { return {200, x.dump()}; }

} // namespace

TEST_CASE("node list: one line for each, with what is wanted of it beside its state") {
  cli_world w;
  const json all{{"nodes",
                  {node("n1"), with(node("n2"), "cordoned", true), draining(0, true),
                   with(with(node("n4", "SUSPECT"), "drained", true), "cordoned", true),
                   with(node("n5", "LOST", 0), "message", "no word for 6.0 s\nat all")}}};
  const scripted_server server{always(all)};
  const auto result = w.run(server, {"node", "list"});
  CHECK(result.code == 0);
  CHECK(result.out ==
        "NAME  STATE             REPLICAS  CPU    MEMORY        HOST      SINCE       MESSAGE\n"
        "n1    READY             3         1.5/8  1KiB/62.8GiB  10.0.0.7  1 min 15 s\n"
        "n2    READY,CORDONED    3         1.5/8  1KiB/62.8GiB  10.0.0.7  1 min 15 s\n"
        "n1    DRAINING,EMPTY    0         1.5/8  1KiB/62.8GiB  10.0.0.7  1 min 15 s\n"
        "n4    SUSPECT,DRAINING  3         1.5/8  1KiB/62.8GiB  10.0.0.7  1 min 15 s\n"
        "n5    LOST              0         1.5/8  1KiB/62.8GiB  10.0.0.7  1 min 15 s  no word for 6.0 s | at all\n");
  CHECK(server.questions().at(0).line() == "GET /api/troupe/v1/nodes");
  CHECK(json::parse(w.run(server, {"node", "list", "--output", "json"}).out) == all);
  const scripted_server none{always({{"nodes", json::array()}})};
  CHECK(has(w.run(none, {"node", "list"}).out, "troupe node --join HOST:PORT"));
}

TEST_CASE("node show: labels and all resources") {
  cli_world w;
  const auto n1 = with(node("n1"), "message", "slow");
  const scripted_server server{always(n1)};
  const auto result = w.run(server, {"node", "show", "n1"});
  CHECK(result.code == 0);
  CHECK(result.out == "name       n1\n"
                      "state      READY for 1 min 15 s\n"
                      "host       10.0.0.7\n"
                      "release    1.2.3\n"
                      "labels     disk=ssd, zone=a\n"
                      "replicas   3\n"
                      "last word  0.3 s ago\n"
                      "message    slow\n"
                      "\n"
                      "RESOURCE  USED  TOTAL\n"
                      "licence   0     2.5\n"
                      "memory    1KiB  65861700KiB\n"
                      "num_cpus  1.5   8\n"
                      "num_gpus  0     0\n");
  CHECK(json::parse(w.run(server, {"node", "show", "n1", "-o", "json"}).out) == n1);
  const scripted_server lost{always(with(with(node("n1", "LOST"), "labels", json::object()), "resources", nullptr))};
  const auto gone = w.run(lost, {"node", "show", "n1"});
  CHECK(has(gone.out, "labels    -\n"));
  CHECK_FALSE(has(gone.out, "last word"));
  CHECK(has(gone.out, "RESOURCE"));
}

TEST_CASE("cordon, uncordon, drain, remove: what they send and say") {
  cli_world w;
  const auto says = [&](const json& reply, const std::vector<std::string>& words, const std::string& line,
                        const std::string& text) {
    const scripted_server server{always(reply)};
    const auto result = w.run(server, words);
    CHECK_MESSAGE(result.code == 0, result.err);
    CHECK(result.out == text);
    REQUIRE(server.questions().size() == 1);
    CHECK(server.questions()[0].line() == line);
  };
  const std::string base = "/api/troupe/v1/nodes/n1";
  says(node("n1"), {"node", "cordon", "n1"}, "POST " + base + "/cordon", "n1: cordoned, gets no new replicas\n");
  says(node("n1"), {"node", "uncordon", "n1"}, "POST " + base + "/uncordon", "n1: gets replicas again\n");
  says(draining(1), {"node", "drain", "n1"}, "POST " + base + "/drain", "n1: drains, 1 replica left\n");
  says(draining(0, true), {"node", "drain", "n1"}, "POST " + base + "/drain", "n1: empty, may be stopped\n");
  const json removed{{"node", "n1"}, {"removed", true}};
  says(removed, {"node", "remove", "n1"}, "DELETE " + base, "n1: removed\n");
  says(removed, {"node", "remove", "n1", "--force"}, "DELETE " + base + "?force=true", "n1: removed\n");
  says(removed, {"node", "remove", "n1", "-o", "json"}, "DELETE " + base, removed.dump(2) + "\n");
  says(node("x"), {"node", "cordon", "a b/c"}, "POST /api/troupe/v1/nodes/a%20b%2Fc/cordon",
       "a b/c: cordoned, gets no new replicas\n");
}

TEST_CASE("a wrong node is told with the one that may be meant, a refusal as it is") {
  cli_world w;
  const scripted_server server{[](const question& q) {
    if (q.line() == "GET /api/troupe/v1/nodes")
      return said({{"nodes", {node("shop-1"), node("n2")}}});
    return q.method == "DELETE" ? refusal(409, "rejected", "it may have replicas")
                                : refusal(404, "not_found", "there is no node shop1; there are: shop-1, n2");
  }};
  for (const auto* word : {"show", "cordon", "uncordon", "drain"}) {
    const auto wrong = w.run(server, {"node", word, "shop1"});
    CHECK(wrong.code == 1);
    CHECK(wrong.out == "");
    CHECK(has(wrong.err, "there is no node shop1; there are: shop-1, n2; did you mean \"shop-1\"?\n"));
  }
  const auto as_json = w.run(server, {"node", "show", "shop1", "-o", "json"});
  CHECK(json::parse(as_json.out)["error"]["code"] == "not_found");
  const auto refused = w.run(server, {"node", "remove", "n2"});
  CHECK(refused.code == 1);
  CHECK(refused.err == "troupe: it may have replicas\n");
  const scripted_server alone{
      [](const question&) { return refusal(404, "no_cluster", "this daemon has no cluster: ..."); }};
  for (const auto& words : {std::vector<std::string>{"node", "list"}, {"node", "show", "n1"}}) {
    const auto none = w.run(alone, words);
    CHECK(none.code == 1);
    CHECK(none.err == "troupe: this daemon has no cluster: ...\n");
  }
  CHECK(alone.questions().size() == 2);
  w.variables["TROUPE_API_ADDRESS"] = "127.0.0.1:1";
  CHECK(w.run({"node", "drain", "n1", "--wait"}).code == 3);
}

TEST_CASE("drain --wait tells each change of the number, and ends when the node is empty") {
  cli_world w;
  stepping s;
  s.steps = {said(draining(3)), said(draining(3)), said(draining(1)),      {0, ""},
             said(draining(1)), said(draining(0)), said(draining(0, true))};
  const scripted_server server{s.script()};
  const auto result = w.run(server, {"node", "drain", "n1", "--wait"});
  CHECK(result.code == 0);
  CHECK(result.out == "n1: 3 replicas left\n"
                      "n1: 1 replica left\n"
                      "n1: 0 replicas left\n"
                      "n1: empty after 3.0 s, may be stopped\n");
  CHECK(w.waits == 6);
  const auto asked = server.questions();
  CHECK(asked[0].line() == "POST /api/troupe/v1/nodes/n1/drain");
  CHECK(asked[1].line() == "GET /api/troupe/v1/nodes/n1");
  s.looks = 0;
  const auto as_json = w.run(server, {"node", "drain", "n1", "--wait", "-o", "json"});
  CHECK(as_json.code == 0);
  CHECK(json::parse(as_json.out) == draining(0, true));
}

TEST_CASE("drain --wait fails when the node is lost or removed, the drain taken back, or the time over") {
  cli_world w;
  const auto ends = [&](const answer& next, const std::string& why) {
    stepping s;
    s.steps = {said(draining(3)), next};
    const scripted_server server{s.script()};
    const auto result = w.run(server, {"node", "drain", "n1", "--wait", "--wait-timeout", "2"});
    CHECK(result.code == 1);
    CHECK(result.out == "n1: 3 replicas left\n");
    CHECK_MESSAGE(has(result.err, why), result.err);
  };
  ends(said(with(draining(3), "state", "LOST")), "n1 is lost");
  ends(refusal(404, "not_found", "there is no node n1"), "somebody removed it");
  ends(said(node("n1")), "n1 drains no more: somebody took that back");
  ends(said(draining(3)), "not empty after 2.0 s; it goes on without this command");
  ends(refusal(500, "internal", "boom"), "boom");
  stepping s;
  s.steps = {said(draining(3)), {0, ""}};
  const scripted_server server{s.script()};
  const auto away = w.run(server, {"node", "drain", "n1", "--wait"});
  CHECK(away.code == 3);
  s.looks = 0;
  s.steps[1] = said(with(draining(0), "state", "GONE"));
  CHECK(w.run(server, {"node", "drain", "n1", "--wait"}).code == 0);
}

TEST_CASE("node with an option or alone is the runner, with a second word one of the others") {
  cli_world w;
  const auto refused = [&](std::vector<std::string> words, const std::string& piece) {
    CAPTURE(piece);
    const auto result = w.run(words);
    CHECK(result.code == 2);
    CHECK(result.out == "");
    CHECK_MESSAGE(has(result.err, piece), result.err);
  };
  refused({"node"}, "--join");
  refused({"node", "--jion", "h:1"}, "there is no option --jion; did you mean \"--join\"?");
  refused({"node", "--join", "h:1", "list"}, "\"list\" is one argument too many");
  refused({"node", "lst"},
          "there is no command `troupe node lst`; did you mean \"list\"?; there are list, show, cordon");
  refused({"node", "bogus"}, "`troupe node --help` tells of these and of itself");
  refused({"node", "show"}, "it needs NAME");
  refused({"node", "show", ""}, "NAME is empty");
  refused({"node", "list", "n1"}, "\"n1\" is one argument too many");
  refused({"nod", "list"}, "did you mean \"node\"?");
  refused({"node", "drain", "n1", "--wait", "--wait-timeout", "-1"}, "--wait-timeout takes seconds");
  const auto help = w.run({"node", "--help"});
  CHECK(help.code == 0);
  CHECK(has(help.out, "usage: troupe node [options]"));
  CHECK(has(help.out, "--join"));
  CHECK(has(help.out, "  node drain: move all replicas"));
  CHECK(w.run({"help", "node"}).out == help.out);
  CHECK(w.run({"node", "help"}).out == help.out);
  CHECK(has(w.run({"node", "drain", "--help"}).out, "usage: troupe node drain NAME [options]"));
}

TEST_CASE("node: what the runner is told") {
  cli_world w;
  REQUIRE(w.run({"node", "--join", "head:8266", "--name", "n1", "--labels", "zone=a,disk=ssd", "--resources",
                 "num_cpus=3,tokens=2", "--cluster-dir", "certs", "--cache-bytes", "2GiB", "--drain-timeout", "7",
                 "--threads", "5"})
              .code == 0);
  REQUIRE(w.hosted);
  const auto& o = *w.hosted;
  CHECK(o.join == daemon::endpoint{"head", 8266});
  CHECK(o.name == "n1");
  CHECK(o.labels == std::map<std::string, std::string>{{"zone", "a"}, {"disk", "ssd"}});
  CHECK(o.total.of("num_cpus") == 3 * resource_unit);
  CHECK(o.total.of("tokens") == 2 * resource_unit);
  CHECK(o.cluster_dir == "certs");
  CHECK(o.data_dir == std::filesystem::path{w.variables["TROUPE_DATA_DIR"]} / "nodes" / "n1");
  CHECK(o.cache_bytes == std::uint64_t{2} << 30U);
  CHECK(o.drain_timeout == std::chrono::seconds{7});
  CHECK(o.threads == 5);
  for (const auto* bad : {"--name=a/b", "--labels=zone", "--labels=a=1,a=2", "--resources=num_cpus=-1", "--threads=0",
                          "--cache-bytes=x", "--drain-timeout=-1", "--log-level=loud"}) {
    CAPTURE(bad);
    CHECK(w.run({"node", "--join", "head:8266", bad}).code == 2);
  }
}

TEST_CASE("node: completion knows the runner's options, the second words and the names of nodes") {
  cli_world w;
  const scripted_server server{always({{"nodes", {node("n1"), node("m 2")}}})};
  CHECK(w.run(server, {"completion", "--nodes"}).out == "n1\nm 2\n");
  const auto script = w.file("completion.sh", w.run({"completion"}).out);
  const auto program = w.file("troupe", "[ \"$*\" = 'completion --nodes' ] && printf 'n1\\nm 2\\n'\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const auto complete = [&](const std::string& words, int at) {
    return w.completed(script, "'" + program + "' " + words, at);
  };
  CHECK(complete("nod", 1) == "node ");
  CHECK(complete("node ''", 2) == "list show cordon uncordon drain remove ");
  CHECK(complete("node un", 2) == "uncordon ");
  CHECK(complete("node --jo", 2) == "--join ");
  CHECK(complete("node --join h:1 --lab", 4) == "--labels ");
  CHECK(complete("node drain --wait-", 3) == "--wait-timeout ");
  CHECK(complete("node drain n", 3) == "n1 ");
  CHECK(complete("node show ''", 3) == "n1 m 2 ");
  CHECK(complete("rollout --wa", 2) == " ");
}

} // namespace troupe::cli_nodes_test
