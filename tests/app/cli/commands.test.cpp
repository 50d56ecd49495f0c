// Commands against a scripted daemon: what they send, what they print, how they end.
#include "cli_world.hpp"
#include <troupe/app/config/document.hpp>

namespace troupe::commands_test {

using namespace troupe;

namespace {

using question = scripted_server::question;
using answer = scripted_server::answer;

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

scripted_server::script always(unsigned status, const json& body) {
  return [=](const question&) { return answer{status, body.dump()}; };
}

constexpr auto one_app = R"(applications:
- name: spell
  import_path: libspell.so:app
  route_prefix: /spell
  deployments:
  - name: speller
    num_replicas: 10
)";

json accepted(const std::string& change, std::uint64_t revision) {
  return {{"application", "spell"},
          {"revision", revision},
          {"deployments", {{"speller", {{"change", change}, {"revision", revision}, {"message", ""}}}}},
          {"warnings", json::array()}};
}

} // namespace

TEST_CASE("the token is the environment's, else the file's in the data directory; without one none is sent") {
  cli_world w;
  const scripted_server server{always(200, {{"applications", json::array()}})};
  CHECK(w.run(server, {"status"}).code == 0);
  w.file("data/token", "from-file\n");
  CHECK(w.run(server, {"status"}).code == 0);
  w.variables["TROUPE_TOKEN"] = "from-environment";
  CHECK(w.run(server, {"status"}).code == 0);
  const auto asked = server.questions();
  REQUIRE(asked.size() == 3);
  CHECK(asked[0].authorization == "");
  CHECK(asked[1].authorization == "Bearer from-file");
  CHECK(asked[2].authorization == "Bearer from-environment");
  CHECK(asked[0].line() == "GET /api/troupe/v1/applications");
  CHECK(asked[0].host == server.address());
  w.variables["TROUPE_TOKEN"] = "a\r\nX: b";
  CHECK(w.run(server, {"status"}).code == 2);
  CHECK(server.questions().size() == 3);
}

TEST_CASE("refusals say what to do, and end with 1, bad configs with 2") {
  cli_world w;
  const auto refused = [&](unsigned status, int code, const std::string& piece) {
    const scripted_server server{always(status, {{"error", {{"code", "x"}, {"message", "no way"}}}})};
    const auto result = w.run(server, {"status"});
    CAPTURE(status);
    CHECK(result.code == code);
    CHECK(has(result.err, "troupe: no way"));
    CHECK_MESSAGE(has(result.err, piece), result.err);
  };
  refused(400, 2, "no way");
  refused(401, 1, "the daemon wants its token; none is in");
  refused(403, 1, "is it that of another daemon?");
  refused(409, 1, "no way");
  refused(412, 1, "somebody else changed it meanwhile");
  refused(500, 1, "no way");
  const scripted_server other{[](const question&) { return answer{200, "<html>"}; }};
  CHECK(has(w.run(other, {"status"}).err, "is no troupe daemon"));
  const scripted_server closing{[](const question&) { return answer{0, ""}; }};
  CHECK(w.run(closing, {"status"}).code == 3);
  const scripted_server server{always(409, {{"error", {{"code", "busy"}, {"message", "no way"}}}})};
  CHECK(json::parse(w.run(server, {"status", "-o", "json"}).out)["error"]["code"] == "busy");
}

TEST_CASE("a daemon that does not answer in time is unreachable") {
  cli_world w;
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor silent{context, {boost::asio::ip::address_v4::loopback(), 0}};
  w.variables["TROUPE_API_ADDRESS"] = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const auto result = w.run({"status", "--timeout", "0.05"});
  CHECK(result.code == 3);
  CHECK(has(result.err, "no answer within"));
}

TEST_CASE("deploy sends the whole file and tells what was set in motion") {
  cli_world w;
  const scripted_server server{always(200, {{"applications", {{"spell", accepted("replaced", 8)}}},
                                            {"removed", {"old"}},
                                            {"warnings", {"http_options are read at the next start"}}})};
  const auto result = w.run(server, {"deploy", w.file("a.yaml", one_app)});
  CHECK(result.code == 0);
  CHECK(has(result.out, "spell/speller: replicas are being replaced, revision 8\n"));
  CHECK(has(result.out, "old: is being removed\n"));
  CHECK(has(result.err, "warning: http_options are read at the next start"));
  w.run(server, {"deploy", w.file("a.yaml", one_app), "--prune", "-o", "json"});
  const auto asked = server.questions();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].line() == "PUT /api/troupe/v1/applications?prune=false");
  CHECK(asked[0].content_type == "application/json");
  CHECK(json::parse(asked[0].body) == config::read_text(one_app, "a.yaml").document.as_given);
  CHECK(asked[1].line() == "PUT /api/troupe/v1/applications?prune=true");
}

TEST_CASE("deploy reads standard input, and knows nothing is to be sent when the config is bad") {
  cli_world w;
  const scripted_server server{always(200, json::object())};
  w.input = one_app;
  CHECK(w.run(server, {"deploy", "-"}).code == 0);
  w.input = "applications:\n- name: a/b\n  import_path: libx.so:app\n  colour: red\n";
  const auto bad = w.run(server, {"deploy", "-"});
  CHECK(bad.code == 2);
  CHECK(has(bad.err, "(standard input):2:3: applications[0].name: \"a/b\" is not allowed"));
  CHECK(has(bad.err, "warning: (standard input):4:3: applications[0].colour"));
  CHECK(w.run(server, {"deploy", "/no/such/file"}).code == 2);
  CHECK(server.questions().size() == 1);
}

TEST_CASE("--if-revision sends one application with If-Match") {
  cli_world w;
  const scripted_server server{always(200, accepted("light", 8))};
  const auto file = w.file("a.yaml", one_app);
  CHECK(w.run(server, {"deploy", file, "--if-revision", "7"}).code == 0);
  const auto asked = server.questions();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].line() == "PUT /api/troupe/v1/applications/spell");
  CHECK(asked[0].if_match == "\"7\"");
  CHECK(w.run(server, {"deploy", file, "--if-revision", "7", "--prune"}).code == 2);
  CHECK(w.run(server, {"deploy", w.file("b.yaml", "applications: []"), "--if-revision", "7"}).code == 2);
}

TEST_CASE("what the daemon refuses in a config is told with the line of the file") {
  cli_world w;
  const scripted_server server{[](const question& q) {
    const bool is_one = q.target.find("/spell") != std::string::npos;
    const json field{{"path", std::string(is_one ? "" : "applications[0].") + "deployments[0].name"},
                     {"value", "\"speller\""},
                     {"allowed", "a deployment that libspell.so:app declares: other"}};
    return answer{400, json{{"error", {{"code", "invalid_spec"}, {"message", "bad"}, {"fields", {field}}}}}.dump()};
  }};
  const auto file = w.file("a.yaml", one_app);
  for (const auto& words :
       {std::vector<std::string>{"deploy", file}, {"deploy", file, "--if-revision", "1"}, {"plan", file}}) {
    const auto result = w.run(server, words);
    CHECK(result.code == 2);
    CHECK_MESSAGE(
        has(result.err, file + ":6:5: applications[0].deployments[0].name: \"speller\" is not allowed; expected a "
                               "deployment that libspell.so:app declares: other"),
        result.err);
  }
}

TEST_CASE("plan shows fields with what they do, and the revision") {
  cli_world w;
  const scripted_server server{
      always(200, {{"changes",
                    {{{"application", "spell"},
                      {"deployment", "speller"},
                      {"change", "replaced"},
                      {"text", "replaces 10 replicas"},
                      {"fields",
                       {{{"path", "version"}, {"from", "1"}, {"to", "2"}, {"class", "code"}},
                        {{"path", "idempotent"}, {"from", false}, {"to", true}, {"class", "light"}}}}}}},
                   {"revision", {{"spell", 7}}}})};
  const auto result = w.run(server, {"plan", w.file("a.yaml", one_app)});
  CHECK(result.code == 0);
  CHECK(has(result.out, "spell/speller: replaces 10 replicas\n"));
  CAPTURE(result.out);
  CHECK(has(result.out, "    version     \"1\" -> \"2\"     replaces replicas\n"));
  CHECK(has(result.out, "    idempotent  false -> true  touches no replica\n"));
  CHECK(has(result.out, "Revision of spell: 7\n"));
  CHECK(server.questions().at(0).line() == "POST /api/troupe/v1/plan?prune=false");
  const scripted_server nothing{always(200, {{"changes", json::array()}, {"revision", json::object()}})};
  CHECK(has(w.run(nothing, {"plan", w.file("a.yaml", one_app)}).out, "Nothing would change."));
  const auto proxies = [&](const char* from, const char* to) {
    const scripted_server s{
        always(200, {{"changes", json::array()}, {"proxy_location", {{"from", from}, {"to", to}}}})};
    return w.run(s, {"plan", w.file("a.yaml", one_app)}).out;
  };
  CHECK(has(proxies("EveryNode", "HeadOnly"), "proxy_location: EveryNode -> HeadOnly\nNothing was done; "));
  CHECK(has(proxies("HeadOnly", "HeadOnly"), "Nothing would change."));
}

TEST_CASE("config prints the proxy location with the whole, where it is not the default") {
  cli_world w;
  const auto printed = [&](const char* proxies, std::vector<std::string> more) {
    const scripted_server s{[proxies](const question& q) {
      if (q.target.ends_with("/config"))
        return answer{200, R"({"given": {}, "effective": {}})"};
      return answer{200, json{{"applications", {{{"name", "a"}}}}, {"proxy_location", proxies}}.dump()};
    }};
    more.insert(more.begin(), {"config", "-o", "json"});
    return json::parse(w.run(s, more).out);
  };
  CHECK(printed("HeadOnly", {})["proxy_location"] == "HeadOnly");
  CHECK_FALSE(printed("EveryNode", {}).contains("proxy_location"));
  CHECK(printed("EveryNode", {"--effective"})["proxy_location"] == "EveryNode");
  CHECK_FALSE(printed("HeadOnly", {"a"}).contains("proxy_location"));
}

TEST_CASE("status: tables, one application, one deployment, replicas, JSON") {
  cli_world w;
  auto d = deployment_json("UPDATING", "rolling");
  d["replicas"] = {{{"id", 3},
                    {"version", "v1"},
                    {"revision", 1},
                    {"config_revision", 1},
                    {"state", "RUNNING"},
                    {"node", "local"},
                    {"since_s", 75.5},
                    {"restarts", 0},
                    {"ongoing", 2},
                    {"given_up", false}}};
  const auto all = applications_json(d);
  const scripted_server server{[&](const question& q) {
    if (q.target == "/api/troupe/v1/applications" || q.target == "/api/troupe/v1/applications?replicas=true")
      return answer{200, all.dump()};
    if (q.target == "/api/troupe/v1/applications/spell" ||
        q.target == "/api/troupe/v1/applications/spell?replicas=true")
      return answer{200, all["applications"][0].dump()};
    return answer{404, R"({"error":{"code":"unknown","message":"no"}})"};
  }};
  const auto result = w.run(server, {"status"});
  CHECK(result.code == 0);
  CHECK(has(result.out, "spell        RUNNING  /spell  7         libspell.so:app\n"));
  CHECK(has(result.out, "spell/speller  UPDATING  10/10  wave 2 of 5, 4 of 10 done, 2 under way"));
  CHECK(has(w.run(server, {"status", "spell", "-r"}).out,
            "3        v1       1         1       RUNNING  local  1 min 15 s"));
  CHECK(w.run(server, {"status", "spell/speller"}).code == 0);
  CHECK(json::parse(w.run(server, {"status", "-o", "json"}).out) == all);
  for (const auto* wrong : {"spel", "speller", "spell/x"}) {
    const auto missing = w.run(server, {"status", wrong});
    CHECK(missing.code == 1);
    CHECK(has(missing.err, std::string("nothing is called \"") + wrong + "\""));
  }
  CHECK(has(w.run(server, {"status", "spel"}).err, "did you mean \"spell\"?"));
  CHECK(has(w.run(server, {"status", "speller"}).err, "did you mean \"spell/speller\"?"));
  const scripted_server empty{always(200, {{"applications", json::array()}})};
  CHECK(has(w.run(empty, {"status"}).out, "Nothing is deployed"));
}

TEST_CASE("names travel percent-encoded") {
  cli_world w;
  const scripted_server server{always(200, json::object())};
  w.run(server, {"scale", "a b/\xC3\xA9?", "3"});
  CHECK(server.questions().at(0).line() == "POST /api/troupe/v1/applications/a%20b/deployments/%C3%A9%3F/scale");
}

TEST_CASE("scale, pause, resume, promote, abort, restart, undo, history: what they send") {
  cli_world w;
  const scripted_server server{always(200, {{"revision", 9}, {"message", "as you wish"}})};
  const auto sends = [&](const std::vector<std::string>& words, const std::string& line, const json& body) {
    const auto before = server.questions().size();
    const auto result = w.run(server, words);
    CHECK_MESSAGE(result.code == 0, result.err);
    REQUIRE(server.questions().size() == before + 1);
    const auto asked = server.questions().back();
    CHECK(asked.line() == line);
    CHECK((asked.body.empty() ? json(nullptr) : json::parse(asked.body)) == body);
  };
  const std::string base = "/api/troupe/v1/applications/spell/deployments/speller";
  sends({"scale", "spell/speller", "25"}, "POST " + base + "/scale", {{"num_replicas", 25}});
  for (const std::string action : {"pause", "resume", "promote", "abort", "restart"})
    sends({"rollout", action, "spell/speller"}, "POST " + base + "/rollout", {{"action", action}});
  sends({"rollout", "undo", "spell/speller"}, "POST " + base + "/rollout", {{"action", "rollback"}, {"revision", 0}});
  sends({"rollout", "undo", "spell/speller", "--to-revision", "3", "--if-revision", "8"}, "POST " + base + "/rollout",
        {{"action", "rollback"}, {"revision", 3}});
  CHECK(server.questions().back().if_match == "\"8\"");
  sends({"scale", "speller", "0", "--if-revision", "8"},
        "POST /api/troupe/v1/applications/default/deployments/speller/scale", {{"num_replicas", 0}});
  CHECK(server.questions().back().if_match == "\"8\"");
  sends({"rollout", "history", "spell/speller"}, "GET " + base + "/history", nullptr);
  CHECK(has(w.run(server, {"rollout", "undo", "spell/speller"}).out,
            "spell/speller: goes back, revision 9 (as you wish)"));
}

TEST_CASE("history marks target and base") {
  cli_world w;
  const scripted_server server{always(
      200, {{"revisions",
             {{{"number", 1}, {"cause", "deploy"}, {"version", "v1"}, {"is_base", true}, {"is_target", false}},
              {{"number", 2}, {"cause", "restart"}, {"version", "v1"}, {"is_base", false}, {"is_target", true}}}}})};
  const auto result = w.run(server, {"rollout", "history", "x"});
  CHECK(has(result.out, "1         deploy   v1       base\n"));
  CHECK(has(result.out, "2         restart  v1       target\n"));
}

TEST_CASE("shutdown asks on a terminal, and only a yes goes on") {
  cli_world w;
  const scripted_server server{always(200, json::object())};
  w.is_terminal = true;
  w.input = "n\n";
  CHECK(w.run(server, {"shutdown"}).code == 1);
  w.input = "";
  CHECK(w.run(server, {"shutdown"}).code == 1);
  CHECK(server.questions().empty());
  w.input = "y\n";
  CHECK(w.run(server, {"shutdown"}).code == 0);
  CHECK(w.run(server, {"shutdown", "--yes"}).code == 0);
  w.is_terminal = false;
  w.input = "";
  CHECK(w.run(server, {"shutdown"}).code == 0);
  CHECK(server.questions().size() == 3);
  CHECK(server.questions()[0].line() == "POST /api/troupe/v1/shutdown");
}

TEST_CASE("delete takes several applications; a wrong name is told with a suggestion") {
  cli_world w;
  const scripted_server server{[](const question& q) {
    if (q.method == "GET")
      return answer{200, applications_json(deployment_json("HEALTHY", "complete")).dump()};
    return q.target.ends_with("/spell") ? answer{200, ""} : answer{404, "{}"};
  }};
  CHECK(w.run(server, {"delete", "spell"}).out == "spell: is being removed\n");
  const auto wrong = w.run(server, {"delete", "spel"});
  CHECK(wrong.code == 1);
  CHECK(has(wrong.err, "there is no application \"spel\"; did you mean \"spell\"?"));
}

TEST_CASE("what the daemon says cannot move the cursor") {
  cli_world w;
  auto d = deployment_json("DEPLOY_FAILED", "failed");
  d["message"] = "\x1b[2Jboo\nhoo\a";
  const scripted_server server{always(200, applications_json(d))};
  const auto result = w.run(server, {"status"});
  CHECK(result.out.find('\x1b') == std::string::npos);
  CHECK(has(result.out, "?[2Jboo | hoo?"));
}

} // namespace troupe::commands_test
