// Waiting: when it ends, with which exit code, and what is shown meanwhile.
#include "cli_world.hpp"
#include <troupe/app/cli/status_view.hpp>
#include <troupe/app/cli/text.hpp>

#include <atomic>

namespace troupe::follow_test {

using namespace troupe;
using cli::outcome;
using cli::outcome_of;

namespace {

using question = scripted_server::question;
using answer = scripted_server::answer;

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

// A daemon whose status goes through `steps`, one per look, the last for ever.
struct stepping {
  std::vector<json> steps;
  std::atomic<std::size_t> looks{0};

  scripted_server::script script() {
    return [this](const question& q) {
      if (q.method != "GET")
        return answer{200, json{{"revision", 2}}.dump()};
      if (!q.target.starts_with("/api/troupe/v1/applications"))
        return answer{404, "{}"};
      if (q.target.find("/deployments/") != std::string::npos)
        return answer{200, steps.back()["applications"][0]["deployments"][0].dump()};
      if (q.target == "/api/troupe/v1/applications/spell")
        return answer{200, steps.back()["applications"][0].dump()};
      return answer{200, steps[std::min<std::size_t>(looks++, steps.size() - 1)].dump()};
    };
  }
};

json app(const std::string& state, const std::string& phase, std::uint64_t target = 2) {
  return applications_json(deployment_json(state, phase, target));
}

} // namespace

TEST_CASE("what a status means for somebody who waits") {
  const auto is = [](const std::string& state, const std::string& phase, outcome expected) {
    CAPTURE(state);
    CHECK(outcome_of(deployment_json(state, phase)) == expected);
  };
  is("HEALTHY", "complete", outcome::done);
  is("UPDATING", "rolling", outcome::pending);
  is("UPDATING", "baking", outcome::pending);
  is("UPSCALING", "complete", outcome::pending);
  is("DOWNSCALING", "complete", outcome::pending);
  is("UNHEALTHY", "complete", outcome::pending);
  is("ROLLING_BACK", "rolling", outcome::pending);
  is("PAUSED", "paused", outcome::paused);
  is("DEPLOY_FAILED", "failed", outcome::failed);
  is("DEPLOY_FAILED", "complete", outcome::failed); // rolled back
  auto back = deployment_json("DEPLOY_FAILED", "rolling");
  back["rollout"]["rolling_back"] = true;
  CHECK(outcome_of(back) == outcome::pending); // still on its way back
  auto held = deployment_json("UPDATING", "rolling");
  held["num_replicas"] = 0;
  CHECK(outcome_of(held) == outcome::done);
  held["stopping"] = 1;
  CHECK(outcome_of(held) == outcome::pending);
  CHECK(outcome_of(json::object()) == outcome::pending);
}

TEST_CASE("what room means for somebody who waits") {
  auto partly = deployment_json("UPSCALING", "complete"); // 10 replicas, room for 7
  partly["available"] = 7;
  CHECK(outcome_of(partly) == outcome::pending);
  partly["waiting_for_room"] = 2;
  CHECK(outcome_of(partly) == outcome::pending);
  partly["waiting_for_room"] = 3;
  CHECK(outcome_of(partly) == outcome::done);
  CHECK(outcome_of(partly, 3) == outcome::failed); // another one's
  CHECK(cli::rollout_text(partly) == "complete, revision 2, 3 of 10 replicas wait for room");
  partly["stopping"] = 1; // may make room
  CHECK(outcome_of(partly) == outcome::pending);
  auto none = partly;
  none["stopping"] = none["available"] = 0;
  none["waiting_for_room"] = 10;
  CHECK(outcome_of(none) == outcome::pending);
  none["message"] = "waiting for room: 10 replicas want 8 num_cpus each, more than there is in all (4): it can never "
                    "start here";
  CHECK(outcome_of(none) == outcome::failed);

  auto wave = deployment_json("UPDATING", "rolling"); // 10 serve on
  wave["rollout"]["reason"] = "waiting for room";
  wave["message"] = "waiting for room: 1 replica wants 4 num_cpus, 0 of 10 free";
  CHECK(outcome_of(wave) == outcome::pending);
  wave["message"] = none["message"];
  CHECK(outcome_of(wave) == outcome::failed);
  CHECK(outcome_of(wave, 2) == outcome::failed);
  CHECK(outcome_of(wave, 3) == outcome::failed);
  for (const auto* still : {"starting", "reconfiguring", "stopping"}) {
    auto moving = wave;
    moving[still] = 1;
    CHECK(outcome_of(moving) == outcome::pending);
  }
  auto first = deployment_json("UPDATING", "rolling", 1); // no wave: its slots wait
  first["available"] = 0;
  first["message"] = none["message"];
  CHECK(outcome_of(first) == outcome::pending);
  first["waiting_for_room"] = 10;
  CHECK(outcome_of(first) == outcome::failed);
  CHECK(cli::room_text(deployment_json("HEALTHY", "complete")).empty());
}

TEST_CASE("a deploy that was taken back, or superseded, has failed once nothing moves") {
  CHECK(outcome_of(deployment_json("HEALTHY", "complete", 7), 8) == outcome::failed);
  CHECK(outcome_of(deployment_json("DEPLOY_FAILED", "complete", 7), 8) == outcome::failed);
  CHECK(outcome_of(deployment_json("ROLLING_BACK", "rolling", 7), 8) == outcome::pending);
  CHECK(outcome_of(deployment_json("HEALTHY", "complete", 8), 8) == outcome::done);
  CHECK(outcome_of(deployment_json("HEALTHY", "complete", 9), 8) == outcome::failed);
  CHECK(outcome_of(deployment_json("PAUSED", "paused", 7), 8) == outcome::pending);
}

TEST_CASE("watching ends with 0 when all is done, printing a line per change") {
  cli_world w;
  stepping s;
  s.steps = {app("UPDATING", "rolling"), app("UPDATING", "rolling"), app("HEALTHY", "complete")};
  const scripted_server server{s.script()};
  const auto result = w.run(server, {"status", "--watch"});
  CHECK(result.code == 0);
  CHECK(w.waits == 2);
  CHECK(result.out == "0.0 s  spell/speller  UPDATING  10/10 available  wave 2 of 5, 4 of 10 done, 2 under way\n"
                      "1.0 s  spell/speller  HEALTHY  10/10 available  complete, revision 2\n"
                      "Done after 1.0 s.\n");
}

TEST_CASE("where room lacks, watching ends with 0 and says who waits, or with 1 and says why nobody can ever start") {
  cli_world w;
  stepping s;
  s.steps = {app("UPDATING", "rolling"), app("UPSCALING", "complete")};
  auto& waits = s.steps[0]["applications"][0]["deployments"][0];
  waits["rollout"]["reason"] = "waiting for room";
  waits["message"] = "waiting for room: 1 replica wants 4 num_cpus, 2 of 8 free";
  auto& partly = s.steps[1]["applications"][0]["deployments"][0];
  partly["available"] = 2;
  partly["waiting_for_room"] = 8;
  const scripted_server server{s.script()};
  const auto done = w.run(server, {"status", "--watch"});
  CHECK(done.code == 0);
  CHECK(has(done.out, "waiting for room: 1 replica wants 4 num_cpus, 2 of 8 free\n")); // as progress
  CHECK(has(done.out, "Done after 0.5 s.\nspell/speller: 8 of 10 replicas wait for room; they start when there is "
                      "some.\n"));

  stepping waiting;
  waiting.steps = {s.steps[0]};
  const scripted_server still{waiting.script()};
  const auto late = w.run(still, {"rollout", "status", "spell/speller", "--wait-timeout", "3"});
  CHECK(late.code == 1);
  CHECK(has(late.err, "not finished after 3.0 s"));

  waits["message"] = "waiting for room: 1 replica wants 9 num_cpus, more than there is in all (8): it can never start "
                     "here";
  stepping never;
  never.steps = {s.steps[0]};
  const scripted_server stuck{never.script()};
  w.waits = 0;
  const auto failed = w.run(stuck, {"rollout", "status", "spell/speller"});
  CHECK(failed.code == 1);
  CHECK(w.waits == 0);
  CHECK(has(failed.err, "troupe: spell/speller: waiting for room: 1 replica wants 9 num_cpus, more than there is"));
  CHECK(w.run(stuck, {"rollout", "status", "spell/speller", "--no-wait"}).code == 1);
}

TEST_CASE("watching ends with 1 when it failed, with the reason, and with 4 when it is paused") {
  cli_world w;
  {
    auto failed = app("DEPLOY_FAILED", "complete");
    failed["applications"][0]["deployments"][0]["message"] = "rolled back to R1: boom";
    stepping s;
    s.steps = {app("UPDATING", "rolling"), failed};
    const scripted_server server{s.script()};
    const auto result = w.run(server, {"status", "spell", "--watch"});
    CHECK(result.code == 1);
    CHECK(has(result.err, "troupe: spell/speller: rolled back to R1: boom\n"));
  }
  stepping s;
  s.steps = {app("PAUSED", "paused")};
  const scripted_server server{s.script()};
  const auto result = w.run(server, {"rollout", "status", "spell/speller"});
  CHECK(result.code == 4);
  CHECK(has(result.out, "troupe rollout resume"));
  CHECK(w.run(server, {"rollout", "status", "spell/speller", "--no-wait"}).code == 4);
}

TEST_CASE("deploy --wait waits until its own revision is complete") {
  cli_world w;
  const auto file = w.file("a.yaml", "applications: [{name: spell, import_path: 'libx.so:app'}]");
  std::atomic<int> looks{0};
  const scripted_server server{[&](const question& q) {
    if (q.method == "PUT")
      return answer{200,
                    R"({"applications":{"spell":{"deployments":{"speller":{"change":"replaced","revision":8}}}}})"};
    const bool moves = ++looks < 3;
    return answer{200, app(moves ? "UPDATING" : "HEALTHY", moves ? "rolling" : "complete", 8).dump()};
  }};
  CHECK(w.run(server, {"deploy", file, "--wait"}).code == 0);
  CHECK(looks == 3);
}

TEST_CASE("an application that failed before it had deployments is a failure, one that is gone too") {
  cli_world w;
  const auto file = w.file("a.yaml", "applications: [{name: spell, import_path: 'libx.so:app'}]");
  auto status = json{
      {"applications",
       {{{"name", "spell"}, {"state", "DEPLOY_FAILED"}, {"message", "no such file"}, {"deployments", json::array()}}}}};
  std::atomic<bool> is_gone{false};
  const scripted_server server{[&](const question& q) {
    if (q.method == "PUT")
      return answer{200, R"({"applications":{"spell":{"deployments":{}}}})"};
    return answer{200, is_gone ? R"({"applications":[]})" : status.dump()};
  }};
  const auto result = w.run(server, {"deploy", file, "--wait"});
  CHECK(result.code == 1);
  CHECK(has(result.err, "troupe: spell: no such file"));
  is_gone = true;
  CHECK(has(w.run(server, {"deploy", file, "--wait"}).err, "somebody deleted it"));
}

TEST_CASE("delete --wait ends when nothing is left") {
  cli_world w;
  stepping s;
  s.steps = {app("UPDATING", "rolling"), app("HEALTHY", "complete"), json{{"applications", json::array()}}};
  const scripted_server server{s.script()};
  CHECK(w.run(server, {"delete", "spell", "--wait"}).code == 0);
  CHECK(w.waits == 2);
}

TEST_CASE("a daemon that restarts meanwhile is waited for; one that stays away is unreachable") {
  cli_world w;
  std::atomic<int> looks{0};
  const scripted_server server{[&](const question&) {
    return ++looks < 4 ? answer{0, ""} : answer{200, app("HEALTHY", "complete").dump()};
  }};
  CHECK(w.run(server, {"status", "--watch"}).code == 0);
  CHECK(w.waits == 3);
  const scripted_server away{[](const question&) { return answer{0, ""}; }};
  CHECK(w.run(away, {"status", "--watch"}).code == 3);
}

TEST_CASE("--wait-timeout ends the wait, not the rollout") {
  cli_world w;
  stepping s;
  s.steps = {app("UPDATING", "rolling")};
  const scripted_server server{s.script()};
  const auto result = w.run(server, {"status", "--watch", "--wait-timeout", "3"});
  CHECK(result.code == 1);
  CHECK(has(result.err, "not finished after 3.0 s; it goes on without this command"));
  CHECK(w.waits == 6);
}

TEST_CASE("on a terminal the waves are drawn in place; with JSON only the last status is printed") {
  cli_world w;
  stepping s;
  auto rolling = app("UPDATING", "rolling");
  auto& replicas = rolling["applications"][0]["deployments"][0]["replicas"];
  for (const auto* state : {"RUNNING", "RUNNING", "STARTING", "STOPPING"})
    replicas.push_back({{"state", state}, {"revision", replicas.empty() ? 1 : 2}, {"config_revision", 1}});
  s.steps = {rolling, app("HEALTHY", "complete")};
  w.is_terminal = true;
  {
    const scripted_server server{s.script()};
    const auto result = w.run(server, {"status", "--watch"});
    CHECK(result.code == 0);
    CHECK(has(result.out, "  o#+-\x1b[K\n"));
    CHECK(has(result.out, "\x1b[4A")); // back up over the four lines
    CHECK(has(server.questions().at(0).target, "?replicas=true"));
  }
  s.looks = 0;
  const scripted_server server{s.script()};
  const auto result = w.run(server, {"status", "--watch", "-o", "json"});
  CHECK(json::parse(result.out)["applications"][0]["deployments"][0]["state"] == "HEALTHY");
}

TEST_CASE("a row of many replicas shows the most telling of each group") {
  auto d = deployment_json("UPDATING", "rolling");
  for (int i = 0; i < 1000; ++i)
    d["replicas"].push_back({{"state", i == 555 ? "STARTING" : "RUNNING"}, {"revision", i < 500 ? 1 : 2}});
  const auto row = cli::replica_row(d, 10);
  CHECK(row == "ooooo+####");
  d["rollout"]["rolling_back"] = true;
  d["rollout"]["target_revision"] = 3;
  CHECK(cli::replica_row(d, 10) == "#####+oooo"); // back to the base, revision 1
}

TEST_CASE("text: widths are characters, tables align, durations are short") {
  CHECK(cli::table({{"A", "B"}, {"\xC3\xA9\xC3\xA9", "x"}, {"abc", ""}}) == "A    B\n\xC3\xA9\xC3\xA9   x\nabc\n");
  CHECK(cli::cut("abcdef", 6) == "abcdef");
  CHECK(cli::cut("\xC3\xA9"
                 "bcdefg",
                 5) == "\xC3\xA9"
                       "b...");
  CHECK(cli::cut("abcdef", 2) == "..");
  CHECK(cli::duration_text(std::chrono::milliseconds{12'345}) == "12.3 s");
  CHECK(cli::duration_text(std::chrono::seconds{61}) == "1 min 1 s");
  CHECK(cli::duration_text(std::chrono::seconds{7260}) == "2 h 1 min");
  CHECK(cli::duration_text(std::chrono::hours{25}) == "1 d 1 h");
  CHECK(cli::harmless("a\n\x1b\xC2\x9b\tb\n") == "a | ?? b");
}

} // namespace troupe::follow_test
