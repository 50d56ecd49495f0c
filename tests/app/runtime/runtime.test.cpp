// The embedding API with real threads; nothing here sleeps.
#include <troupe/troupe.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <thread>

namespace troupe::runtime_test {

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct ping {
  int n = 0;
};
struct pong {
  int n = 0;
  std::string by;
};
struct unknown_request {};

struct echo {
  pong operator()(const ping& x) { return {x.n, "echo"}; }
};

// All that a class may have.
class full {
public:
  using calls = signatures<pong(ping), std::string(std::string)>;
  explicit full(const json& init_args) : by_(init_args.is_null() ? "none" : init_args.at("by")) {}
  pong operator()(const ping& x) { return {x.n, by_ + "/" + config_}; }
  std::string operator()(const std::string& x, const request_context&) { return x + by_; }
  void reconfigure(const json& config) { config_ = config.at("c"); }
  void check_health() {}

private:
  std::string by_, config_ = "-";
};

struct throws_at_start {
  throws_at_start() { throw std::runtime_error("no licence"); }
  pong operator()(const ping&) { return {}; }
};

constexpr auto long_time = 60s; // far beyond what anything here takes

error refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const command_failed& e) {
    return e.why();
  }
  return {};
}

} // namespace

TEST_CASE("a deployment runs, answers, is asked about and removed") {
  runtime rt;
  const auto first = rt.run<echo>(deployment_options{"echo"}.version("1").num_replicas(3));
  CHECK(first.change == change_kind::created);
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  auto h = rt.handle<pong(ping)>("echo");
  CHECK(h.async(ping{42}).get().n == 42);
  const auto s = rt.status("echo");
  CHECK(s.available == 3);
  CHECK(s.replicas.size() == 3);
  CHECK(rt.status("echo", false).replicas.empty());
  CHECK(rt.config("echo").num_replicas == 3);
  CHECK(rt.history("echo").size() == 1);
  REQUIRE(rt.applications().size() == 1);
  CHECK(rt.applications()[0].state == application_state_name::running);
  CHECK(rt.healthy());
  rt.remove("echo");
  CHECK(rt.applications().empty());
  CHECK(refusal([&] { rt.status("echo"); }).code == errc::unknown_deployment);
  CHECK_THROWS_AS(h.async(ping{}).get(), request_failed);
}

TEST_CASE("requests wait for the first replica") {
  runtime rt;
  rt.run<echo>("echo");
  CHECK(rt.handle<echo>("echo").async(ping{1}).get().n == 1);
}

TEST_CASE("init_args, user_config and several call operators") {
  runtime rt;
  auto options = deployment_options{"text/full"}.version("1").init_args({{"by", "me"}}).user_config({{"c", "one"}});
  rt.run<full>(options);
  auto h = rt.handle<full>("text/full");
  CHECK(h.async(ping{1}).get().by == "me/one");
  CHECK(h.async(std::string{"x"}).get() == "xme");
  CHECK(rt.run<full>(options).change == change_kind::none);
  CHECK(rt.run<full>(options.user_config({{"c", "two"}})).change == change_kind::reconfigured);
  REQUIRE(rt.wait_until_healthy("text/full", long_time));
  CHECK(h.async(ping{1}).get().by == "me/two");
  CHECK(rt.run<full>(options.max_ongoing_requests(9)).change == change_kind::light);
}

TEST_CASE("a factory makes the objects, of a class that cannot be copied or moved too") {
  struct pinned {
    explicit pinned(int x) : n(x) {}
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;
    pong operator()(const ping&) { return {n, {}}; }
    int n;
  };
  runtime rt;
  rt.run<pinned>("pinned", [] { return std::make_unique<pinned>(7); });
  CHECK(rt.handle<pinned>("pinned").async(ping{}).get().n == 7);
}

TEST_CASE("all bad fields are reported at once and nothing changes") {
  runtime rt;
  try {
    rt.run<echo>(deployment_options{"a#b"}.num_replicas(0).user_config(1).init_args({1}));
    FAIL("accepted");
  } catch (const deploy_error& e) {
    CHECK(e.code() == errc::invalid_spec);
    std::set<std::string> paths;
    for (const auto& f : e.fields())
      paths.insert(f.path);
    CHECK(paths == std::set<std::string>{"name", "num_replicas", "user_config", "init_args"});
  }
  CHECK(rt.applications().empty());
  const auto answer = rt.try_run<echo>(deployment_options{"x"}.num_replicas(0));
  CHECK(answer.code() == errc::invalid_spec);
}

TEST_CASE("a handle is checked when it is made") {
  runtime rt;
  CHECK(refusal([&] { rt.handle<pong(ping)>("echo"); }).code == errc::unknown_deployment);
  rt.run<echo>("echo");
  const auto why = refusal([&] { rt.handle<pong(unknown_request)>("echo"); });
  CHECK(why.code == errc::signature_mismatch);
  CHECK(why.message.find("ping") != std::string::npos);
  CHECK(refusal([&] { rt.handle<pong(ping)>("ecco"); }).message.find("did you mean \"echo\"") != std::string::npos);
}

TEST_CASE("scale, roll, roll back, pause and resume") {
  runtime rt;
  auto v1 = deployment_options{"echo"}.version("1").num_replicas(5);
  rt.run<echo>(v1);
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  CHECK(rt.scale("echo", 10).change == change_kind::scaled);
  REQUIRE(rt.wait_until(
      "echo", [](const auto& s) { return s.available == 10; }, long_time));

  rt.run<echo>(deployment_options{"echo"}.version("2").num_replicas(10).canary(1));
  REQUIRE(rt.wait_until(
      "echo", [](const auto& s) { return s.state == deployment_state_name::paused; }, long_time));
  CHECK(rt.wait_until_settled("echo", long_time));
  rt.resume("echo");
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  for (const auto& r : rt.status("echo").replicas)
    CHECK(r.version == "2");

  CHECK(rt.rollback("echo").change == change_kind::replaced);
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  const auto back = rt.status("echo");
  CHECK(back.available == 10); // a rollback keeps the number
  for (const auto& r : back.replicas)
    CHECK(r.version == "1");
  CHECK(rt.history("echo").size() == 3);
  rt.restart("echo");
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  CHECK(refusal([&] { rt.pause("echo"); }).code == errc::rejected);
  CHECK(refusal([&] { rt.rollback("echo", 99); }).code == errc::rejected);
}

TEST_CASE("a rollout loses no request") {
  runtime rt;
  rt.run<echo>(deployment_options{"echo"}.version("1").num_replicas(4));
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  std::atomic<bool> stop{false};
  std::latch calling{1}; // the rollouts may be over before the thread has started
  std::uint64_t failed = 0, answered = 0;
  std::thread caller{[&, h = rt.handle<pong(ping)>("echo")] {
    for (int i = 0; !stop; ++i) {
      try {
        if (h.async(ping{i}).get().n == i)
          ++answered;
      } catch (const request_failed&) {
        ++failed;
      }
      if (i == 0)
        calling.count_down();
    }
  }};
  calling.wait();
  for (int version = 2; version < 6; ++version) {
    rt.run<echo>(deployment_options{"echo"}.version(std::to_string(version)).num_replicas(4));
    CHECK(rt.wait_until_healthy("echo", long_time));
  }
  stop = true;
  caller.join();
  CHECK(failed == 0);
  CHECK(answered > 0);
}

TEST_CASE("code that cannot start fails its deployment alone, and the wait says so early") {
  runtime rt;
  rt.run<echo>("echo");
  rt.run<throws_at_start>(deployment_options{"bad"}.version("1").max_start_attempts(1));
  CHECK_FALSE(rt.wait_until_healthy("bad", long_time));
  const auto s = rt.status("bad");
  CHECK(s.state == deployment_state_name::deploy_failed);
  CHECK(s.message.find("no licence") != std::string::npos);
  CHECK(rt.wait_until_healthy("echo", long_time));
}

TEST_CASE("a wait ends in time") {
  runtime rt;
  rt.run<echo>("echo");
  CHECK_FALSE(rt.wait_until(
      "echo", [](const auto&) { return false; }, 0ms));
  CHECK(refusal([&] { (void)rt.wait_until_healthy("ecco", 0ms); }).code == errc::unknown_deployment);
}

TEST_CASE("room is shared over all deployments") {
  runtime rt{runtime_options{.max_replicas = 3}};
  rt.run<echo>(deployment_options{"a"}.num_replicas(2));
  rt.run<echo>(deployment_options{"b"}.num_replicas(2));
  REQUIRE(rt.wait_until(
      "b", [](const auto& s) { return s.available == 1 && s.waiting_for_room == 1; }, long_time));
  rt.remove("a");
  CHECK(rt.wait_until_healthy("b", long_time));
}

TEST_CASE("two deploys that race are both accepted and one target wins") {
  runtime rt;
  rt.run<echo>(deployment_options{"echo"}.version("0"));
  const auto deploy = [&](const char* version, std::uint32_t n) {
    return std::async(std::launch::async, [&rt, version, n] {
      for (int i = 0; i < 20; ++i)
        rt.run<echo>(deployment_options{"echo"}.version(version).num_replicas(n));
    });
  };
  auto a = deploy("a", 2), b = deploy("b", 3);
  a.get();
  b.get();
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  const auto s = rt.status("echo");
  const auto config = rt.config("echo");
  CHECK(s.available == (config.version == "a" ? 2 : 3));
  for (const auto& r : s.replicas)
    CHECK(r.version == config.version);
}

TEST_CASE("metrics count requests and events per deployment") {
  runtime rt;
  rt.run<echo>(deployment_options{"echo"}.version("1").num_replicas(2));
  REQUIRE(rt.wait_until_healthy("echo", long_time));
  const auto all = rt.metrics();
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == deployment_name{"default", "echo"});
  CHECK(all[0].ongoing == 0);
  CHECK(all[0].events.at("deploy_accepted") == 1);
}

TEST_CASE("a hook hears of a rollout, and may not block") {
  std::mutex mutex;
  std::set<std::string> heard;
  std::promise<bool> refused;
  std::atomic<bool> asked{false};
  runtime* alias = nullptr;
  runtime rt{runtime_options{.on_event = [&](const runtime_event& x) {
    {
      const std::unique_lock guard{mutex};
      heard.insert(x.what);
    }
    if (x.what != "rollout_complete" || asked.exchange(true))
      return;
    try {
      alias->status("echo");
      refused.set_value(false);
    } catch (const std::logic_error&) {
      refused.set_value(true);
    }
  }}};
  alias = &rt;
  rt.run<echo>("echo");
  CHECK(refused.get_future().get());
  const std::unique_lock guard{mutex};
  CHECK(heard.contains("deploy_accepted"));
}

} // namespace troupe::runtime_test
