// `isolation: process`: a crash costs one worker, each deployment has its own libraries and variables (SPEC 1.5, 1.6,
// 5).
#include "daemon/workers_fixture.hpp"

#include <algorithm>
#include <csignal>
#include <set>

using namespace troupe;
using namespace troupe::test;

TEST_CASE_FIXTURE(workers, "replicas run in a process of their own, which ends with them") {
  serve({{"user_config", {{"a", 1}}}});
  const auto pid = std::stoi(get("/a/process"));
  CHECK(is_alive(pid));
  CHECK(get("/a/config") == R"({"a":1})");
  CHECK(get("/a/throw").starts_with("500 "));
  CHECK(get("/a/dependency") == "1");
  REQUIRE(deploy(app({{"user_config", {{"a", 2}}}})).status == 200);
  CHECK(becomes("a", [&](const json&, const json&) { return get("/a/config") == R"({"a":2})"; }));
  CHECK(get("/a/process") == std::to_string(pid)); // in place
  REQUIRE(call_api("DELETE", "/applications/a").status < 300);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (is_alive(pid) && std::chrono::steady_clock::now() < until) {
  }
  CHECK_FALSE(is_alive(pid));
  daemon->signal(SIGTERM);
  CHECK(daemon->exit_code() == 0);
}

TEST_CASE_FIXTURE(workers, "every way to end a process costs one worker, and the status says how") {
  serve({{"num_replicas", 2}});
  const std::pair<const char*, const char*> ways[] = {
      {"segv", "signal 11"},  {"abort", "signal 6"},      {"exit", "exit code 3"}, {"_exit", "exit code 4"},
      {"stack", "signal 11"}, {"destructor", "signal 6"}, {"thread", "signal 11"}};
  for (const auto& way : ways) {
    const std::string how = way.first;
    CAPTURE(how);
    const auto x = fetch("/a/crash/" + how);
    CHECK(x.status == 500);
    CHECK(is_whole("a"));
    CHECK(get("/a/x") == "here");
    const auto text = errors();
    CHECK_MESSAGE(contains(text, way.second), text);
    CHECK(contains(text, "about to end by " + how));
  }
}

TEST_CASE_FIXTURE(workers, "a rollout whose new version crashes goes back") {
  serve();
  for (const auto& options : {json{{"init_args", {{"crash", "segv"}}}}, json{{"user_config", {{"crash", "abort"}}}}}) {
    REQUIRE(deploy(app(options)).status == 200);
    CHECK(becomes("a", [&](const json&, const json& all) { return all.at("state") == "DEPLOY_FAILED"; }));
    CHECK(get("/a/x") == "here");
    const auto message = status_of("a").at("message").get<std::string>();
    CHECK_MESSAGE(contains(message, "rolled back"), message);
    CHECK_MESSAGE(contains(message, "signal"), message);
    CHECK(contains(message, "about to end by"));
  }
}

TEST_CASE_FIXTURE(workers, "code that crashes where it is loaded is an error of the deploy") {
  serve();
  const auto x = deploy(app({{"runtime_env", {{"env_vars", {{"CRASH_AT_LOAD", "segv"}}}}}}));
  CHECK(x.status >= 400);
  CHECK_MESSAGE(contains(x.body, "signal 11"), x.body);
  CHECK_MESSAGE(contains(x.body, "about to end by segv"), x.body);
  CHECK(get("/a/x") == "here");
}

TEST_CASE_FIXTURE(workers, "a worker that crashes while its replica drains ends the drain, and the request in it") {
  serve();
  const auto pid = std::stoi(get("/a/process"));
  client waiting{http};
  waiting.send(testing_http::get("/a/wait"));
  CHECK(becomes("a", [](const json& d, const json&) { return d.at("ongoing") == 1; }));
  REQUIRE(call_api("POST", "/applications/a/deployments/isolated/scale", R"({"num_replicas": 0})").status == 200);
  CHECK(becomes("a", [](const json& d, const json&) { return d.at("stopping") == 1; }));
  REQUIRE(::kill(pid, SIGSEGV) == 0);
  CHECK(waiting.read(false).status == 500);
  CHECK(becomes("a", [](const json& d, const json&) { return d.at("stopping") == 0; }));
}

TEST_CASE_FIXTURE(workers, "two builds of one dependency side by side, in two applications and over a rollout") {
  serve();
  install_isolated("two", "y");
  REQUIRE(deploy(app({}, "b", "y")).status == 200);
  REQUIRE(is_whole("b"));
  CHECK(get("/a/dependency") == "1");
  CHECK(get("/b/dependency") == "2");
  install_isolated("two", "x"); // the same path, other bytes
  REQUIRE(deploy(app()).status == 200);
  CHECK(becomes("a", [&](const json&, const json&) { return get("/a/dependency") == "2"; }));
  CHECK(is_whole("a"));
}

TEST_CASE_FIXTURE(workers, "variables and folder are the deployment's own; what is wrong with them is told at once") {
  serve({{"runtime_env", {{"env_vars", {{"COLOUR", "red"}}}, {"working_dir", "/usr"}}}});
  CHECK(get("/a/variable/COLOUR") == "red");
  CHECK(get("/a/folder") == "/usr");
  const auto gone = deploy(app({{"runtime_env", {{"working_dir", "/not/there"}}}}));
  CHECK(gone.status == 400);
  CHECK_MESSAGE(contains(gone.body, "runtime_env.working_dir: /not/there: No such file"), gone.body);
  const auto bare = deploy(app({{"isolation", "none"}, {"runtime_env", {{"working_dir", "/usr"}}}}));
  CHECK(bare.status == 400);
  CHECK_MESSAGE(contains(bare.body, "isolation: process"), bare.body);
  const auto small = deploy(app({{"runtime_env", {{"limits", {{"memory", "1MiB"}}}}}}));
  CHECK(small.status == 400);
  CHECK_MESSAGE(contains(small.body, "less than a worker needs"), small.body);
  CHECK(get("/a/folder") == "/usr");
}

#if !defined(__SANITIZE_ADDRESS__) // its allocator maps more than it is asked for, and hangs where it may not; the
                                   // release build's tests have this one
TEST_CASE_FIXTURE(workers, "memory beyond its limit costs one worker") {
  serve({{"runtime_env", {{"limits", {{"memory", "300MiB"}}}}}});
  CHECK(fetch("/a/crash/memory").status == 500);
  CHECK(is_whole("a"));
  CHECK(get("/a/x") == "here");
  CHECK(contains(errors(), "about to end by memory"));
}
#endif

TEST_CASE_FIXTURE(workers, "replicas that share a worker, and one crash") {
  serve({{"num_replicas", 4}, {"replicas_per_worker", 2}});
  std::set<std::string> processes;
  for (int i = 0; i < 60; ++i)
    processes.insert(get("/a/process"));
  CHECK(processes.size() == 2);
  const auto before = replica_ids();
  REQUIRE(before.size() == 4);
  CHECK(fetch("/a/crash/segv").status == 500);
  CHECK(becomes("a", [&](const json&, const json&) { // the neighbour's end is heard after the answer
    const auto now = replica_ids();
    return std::count_if(before.begin(), before.end(), [&](auto id) { return now.contains(id); }) == 2;
  }));
  CHECK(is_whole("a"));
  CHECK(get("/a/x") == "here");
}

TEST_CASE_FIXTURE(workers, "replicas in workers hold what they ask for, and what doesn't fit waits") {
  json asking{{"num_replicas", 2}, {"ray_actor_options", {{"num_cpus", 1}}}};
  serve(asking, {"--resources", "num_cpus=2"});
  asking["num_replicas"] = 3;
  REQUIRE(deploy(app(asking)).status == 200);
  CHECK(becomes("a", [](const json& d, const json&) {
    return d.at("available") == 2 && d.at("waiting_for_room") == 1 &&
           d.at("message") == "waiting for room: 1 replica wants 1 num_cpus, 0 of 2 free";
  }));
  CHECK(fetch("/a/crash/segv").status == 500); // what the dead one held is its successor's
  CHECK(becomes("a", [](const json& d, const json&) { return d.at("available") == 2; }));
  CHECK(get("/a/x") == "here");
}

TEST_CASE_FIXTURE(workers, "no worker survives a daemon that is killed, and the next one starts them again") {
  serve({{"num_replicas", 2}});
  std::set<pid_t> pids;
  for (int i = 0; i < 40; ++i)
    pids.insert(std::stoi(get("/a/process")));
  daemon->signal(SIGKILL);
  daemon->wait();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  const auto alive = [&] { return std::any_of(pids.begin(), pids.end(), [&](pid_t p) { return is_alive(p); }); };
  while (alive() && std::chrono::steady_clock::now() < until) {
  }
  CHECK_FALSE(alive());
  must_start();
  CHECK(is_whole("a"));
  CHECK(get("/a/x") == "here");
}

TEST_CASE_FIXTURE(workers, "a frozen worker is noticed, killed and replaced") {
  serve();
  const auto pid = std::stoi(get("/a/process"));
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  CHECK(becomes("a", [&](const json&, const json&) { return !is_alive(pid); }));
  CHECK(is_whole("a"));
  CHECK(get("/a/process") != std::to_string(pid));
}

TEST_CASE("`troupe worker` started by hand says what it is") {
  const temporary_folder folder;
  process by_hand{troupe_program(), {"worker"}, {}, folder.path() / "err"};
  CHECK(WEXITSTATUS(by_hand.wait()) == 2);
  CHECK(contains(read_whole(folder.path() / "err"), "`troupe serve` starts workers by itself"));
}
