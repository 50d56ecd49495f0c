// The program's commands against a real daemon: what they print, and how they end.
#include "program.hpp"

namespace troupe::daemon_test {

using namespace troupe;
using namespace troupe::test;

namespace {

/// Ends with `code`; all pieces are in its output, errors included.
command_run expect(const command_run& x, int code, const std::vector<std::string>& pieces = {}) {
  INFO("stdout: ", x.out, "\nstderr: ", x.err);
  CHECK(x.code == code);
  for (const auto& piece : pieces)
    CHECK_MESSAGE(contains(x.out + x.err, piece), piece);
  return x;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t n = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1))
    ++n;
  return n;
}

} // namespace

TEST_CASE("an application's life by the command line: plan, deploy, look, scale, roll, undo, restart, prune, delete") {
  program_fixture t;
  expect(t.run({"status"}), 0, {"Nothing is deployed"});
  const auto config = t.config("num_replicas: 2");
  expect(t.run({"plan", config}), 0, {"a/greeter: creates it with 2 replicas", "Nothing was done"});
  expect(t.run({"status"}), 0, {"Nothing is deployed"});
  expect(t.run({"deploy", config, "--wait"}), 0, {"a/greeter: created, revision 1", "2/2 available", "Done after"});
  expect(t.run({"plan", config}), 0, {"a/greeter: changes nothing", "Nothing would change", "Revision of a: 1"});
  expect(t.run({"status"}), 0, {"APPLICATION", "RUNNING", "libgreeter.so:app", "a/greeter", "HEALTHY", "2/2"});
  expect(t.run({"status", "a/greeter", "--replicas"}), 0, {"Replicas of a/greeter"});
  const auto state = t.run({"status", "--output", "json"}).value();
  CHECK(state["applications"][0]["deployments"][0]["available"] == 2);
  expect(t.run({"status", "a/greter"}), 1, {"nothing is called", "did you mean \"a/greeter\""});
  expect(t.run({"config", "a"}), 0, {"import_path: \"libgreeter.so:app\"", "num_replicas: 2"});
  CHECK(t.run({"config", "--output", "json"}).value()["applications"][0]["name"] == "a");
  CHECK(t.run({"config", "--effective", "--output", "json"})
            .value()["applications"][0]["deployments"]["greeter"]["max_ongoing_requests"] == 5);

  expect(t.run({"scale", "a/greeter", "3", "--wait"}), 0, {"3/3 available"});
  expect(t.run({"deploy", config, "--if-revision", "1", "--wait"}), 0, {"2/2 available"});
  const auto late = expect(t.run({"deploy", config, "--if-revision", "1"}), 1,
                           {"application a is at revision 2, not 1", "try again with the new revision"});
  CHECK(late.out.empty());
  expect(t.run({"scale", "a/greeter", "3", "--if-revision", "1"}), 1, {"is at revision 2, not 1"});
  CHECK(t.run({"deploy", config, "--if-revision", "1", "-o", "json"}).value()["error"]["code"] == "revision_moved");

  t.install("greeter_2");
  expect(t.run({"deploy", config, "--wait", "--output", "json"}), 0, {"\"HEALTHY\""});
  expect(t.run({"rollout", "undo", "a/greeter", "--if-revision", "2"}), 1, {"is at revision 3, not 2"});
  expect(t.run({"rollout", "undo", "a/greeter", "--wait"}), 0, {"goes back, revision", "Done after"});
  expect(t.run({"rollout", "restart", "a/greeter", "--wait"}), 0, {"replicas are being replaced", "Done after"});
  const auto history = expect(t.run({"rollout", "history", "a/greeter"}), 0, {"REVISION", "rollback to R", "restart"});
  CHECK(count(history.out, "\n") >= 5);
  expect(t.run({"rollout", "status", "a/greeter"}), 0, {"HEALTHY", "complete"});
  expect(t.run({"rollout", "pause", "a/greeter"}), 1, {"no rollout is running"});
  expect(t.run({"rollout", "undo", "a/greeter", "--to-revision", "99"}), 1, {"has no revision R99"});
  expect(t.run({"rollout", "status", "a/nothing"}), 1, {"there is no deployment \"a/nothing\""});

  const auto other = t.config("num_replicas: 1", "b");
  expect(t.run({"deploy", other, "--wait"}), 0);
  expect(t.run({"status"}), 0, {"a/greeter", "b/greeter"}); // without --prune the others stay
  expect(t.run({"deploy", other, "--prune"}), 0, {"a: is being removed", "b/greeter: unchanged"});
  expect(t.run({"delete", "b", "--wait"}), 0, {"b: is being removed", "Done after"});
  expect(t.run({"delete", "b"}), 1, {"there is no application \"b\""});
  expect(t.run({"shutdown", "--yes"}), 0, {"The daemon drains and ends."});
  CHECK(t.ended() == 0);
  expect(t.run({"status"}), 3, {"no daemon answers at", "troupe serve"});
  expect(t.run({"deploy", config}), 3);
}

TEST_CASE("the exit code tells how a rollout ended: 0 done, 1 failed or rolled back, 4 paused") {
  program_fixture t;
  const std::string fails = "num_replicas: 1, init_args: {fail: so}";
  expect(t.run({"deploy", t.config(fails), "--wait"}), 1, {"DEPLOY_FAILED", "cannot start: so"});
  expect(t.run({"deploy", t.config("num_replicas: 2"), "--wait"}), 0);
  expect(t.run({"deploy", t.config(fails + ", max_start_attempts: 1"), "--wait"}), 1,
         {"rolled back to R", "cannot start: so"});

  // A canary pauses; it is let go on, and the next one is taken back.
  const auto canary = [&](int edition) {
    return t.config("num_replicas: 2, init_args: {edition: " + std::to_string(edition) +
                    "}, rolling_update: {canary: 1}");
  };
  expect(t.run({"deploy", canary(1), "--wait"}), 4, {"PAUSED", "Paused after", "troupe rollout resume"});
  expect(t.run({"rollout", "status", "a/greeter"}), 4);
  expect(t.run({"rollout", "resume", "a/greeter", "--wait"}), 0, {"goes on", "Done after"});
  expect(t.run({"deploy", canary(2), "--wait"}), 4);
  expect(t.run({"rollout", "promote", "a/greeter", "--wait"}), 0, {"promoted", "Done after"});
  expect(t.run({"deploy", canary(3), "--wait"}), 4);
  expect(t.run({"rollout", "abort", "a/greeter", "--wait"}), 0, {"goes back", "Done after"});
  expect(t.run({"status"}), 0, {"HEALTHY"});

  // Paused by hand, in the rest between two waves.
  expect(t.run({"deploy", t.config("num_replicas: 2, init_args: {edition: 4}, rolling_update: {bake_s: 600}")}), 0,
         {"replicas are being replaced", "Accepted"});
  expect(t.run({"rollout", "pause", "a/greeter"}), 0, {"paused; the running wave ends"});
  expect(t.run({"rollout", "status", "a/greeter"}), 4);
  expect(t.run({"status", "--watch"}), 4);
  expect(t.run({"rollout", "abort", "a/greeter", "--wait"}), 0);
  expect(t.run({"deploy", t.config("num_replicas: 2, init_args: {edition: 5}, rolling_update: {bake_s: 600}"), "--wait",
                "--wait-timeout", "0.2"}),
         1, {"1 of 2 done", "not finished after 0.2 s; it goes on without this command"});
}

TEST_CASE("faults of a config end with 2 and say where in the file; warnings are told once") {
  program_fixture t;
  expect(t.run({"deploy", t.config("num_replicas: -1")}), 2,
         {"a.yaml:6:", "num_replicas: -1 is not allowed", "nothing was sent"});
  expect(t.run({"deploy", "/no/such/file"}), 2, {"there is no such file"});
  expect(t.run({"deploy"}), 2);
  expect(t.run({"scale", "a/greeter", "many"}), 2);
  expect(t.run({"rolout", "status"}), 2, {"did you mean"});
  // What only the daemon can tell has its place in the file, too.
  const auto wrong =
      t.file("wrong.yaml", "applications:\n- name: b\n  import_path: libgreeter.so:app\n  route_prefix: null\n"
                           "- name: c\n  import_path: libgreeter.so:app\n  route_prefix: null\n"
                           "  deployments:\n  - name: greter\n");
  for (const auto* command : {"deploy", "plan"})
    expect(t.run({command, wrong}), 2, {"wrong.yaml:9:5: applications[1].deployments[0].name: \"greter\""});
  const auto unknown = t.config("num_replica: 3");
  for (const auto* command : {"plan", "deploy"}) {
    const auto x = expect(t.run({command, unknown}), 0, {"a.yaml:6:", "did you mean \"num_replicas\""});
    CHECK(count(x.err, "warning") == 1);
  }
}

TEST_CASE("a version that is written again for other bytes is warned of by plan and deploy") {
  program_fixture t;
  const auto config = t.config("version: one");
  CHECK(expect(t.run({"deploy", config, "--wait"}), 0).err.empty());
  t.install("greeter_2");
  const std::string warning =
      "troupe: warning: a/greeter: version \"one\" is written, and known from revision 1 with other";
  expect(t.run({"plan", config}), 0,
         {warning, "the new bytes are not run", "write another version", "Nothing would change"});
  expect(t.run({"deploy", config, "--wait"}), 0, {warning, "unchanged, revision 1"});
  expect(t.run({"deploy", config, "--if-revision", "1"}), 0, {warning});
}

} // namespace troupe::daemon_test
