// The end of a runtime: prompt, complete, and honest about user code that does not return.
#include <troupe/troupe.hpp>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe::shutdown_test {

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct ping {};
struct pong {};

constexpr auto long_time = 60s;

struct registered : caf::actor_system_config {
  registered() { register_messages(*this); }
};

// Counts the objects that live. Shared through the factory: no globals.
struct census {
  std::atomic<int> made{0}, alive{0};
};

class counted {
public:
  explicit counted(std::shared_ptr<census> c) : census_(std::move(c)) {
    ++census_->made;
    ++census_->alive;
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --census_->alive; }
  pong operator()(const ping&) { return {}; }

private:
  std::shared_ptr<census> census_;
};

auto making(const std::shared_ptr<census>& c) {
  return [c] { return std::make_unique<counted>(c); };
}

// Blocks in its handler until the test lets it go.
struct gate {
  std::promise<void> inside;
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
};

class blocker {
public:
  explicit blocker(std::shared_ptr<gate> g) : gate_(std::move(g)) {}
  pong operator()(const ping&) {
    gate_->inside.set_value();
    gate_->opened.wait();
    return {};
  }

private:
  std::shared_ptr<gate> gate_;
};

// A handler that never answers: it keeps its promise.
class keeper {
public:
  void operator()(const ping&, promise<pong> p) { kept_.push_back(std::move(p)); }

private:
  std::vector<promise<pong>> kept_;
};

// Idle replicas that have no time to drain are given up for a moment, too.
bool given_up_becomes(const runtime& rt, std::uint32_t n) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (rt.given_up() != n && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  return rt.given_up() == n;
}

// The host's own actor still works.
void check_intact(caf::actor_system& host) {
  auto twice = host.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int x) { return 2 * x; }}; });
  caf::scoped_actor self{host};
  int answer = 0;
  self->request(twice, caf::infinite, 21).receive([&](int x) { answer = x; }, [](const caf::error&) {});
  CHECK(answer == 42);
}

// Replicas and control actors are counted by CAF. The last of them has said that it ends, which takes a moment.
bool comes_down_to(caf::actor_system& host, std::size_t n) {
  const auto until = std::chrono::steady_clock::now() + long_time;
  while (host.registry().running() > n && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  return host.registry().running() == n;
}

} // namespace

TEST_CASE("a system without register_messages is refused with the sentence that helps") {
  caf::actor_system_config config;
  caf::actor_system host{config};
  try {
    runtime rt{host};
    FAIL("accepted");
  } catch (const command_failed& e) {
    CHECK(e.code() == errc::not_registered);
    CHECK(std::string{e.what()}.find("troupe::register_messages(config)") != std::string::npos);
  }
}

TEST_CASE("a host's system is left clean and working") {
  registered config;
  caf::actor_system host{config};
  const auto count = std::make_shared<census>();
  const auto before = host.registry().running();
  {
    runtime rt{host};
    rt.run<counted>(deployment_options{"a"}.num_replicas(20), making(count));
    rt.run<counted>(deployment_options{"text/b"}.num_replicas(3), making(count));
    REQUIRE(rt.wait_until_healthy("a", long_time));
    REQUIRE(rt.wait_until_healthy("text/b", long_time));
    CHECK(count->alive == 23);
  }
  CHECK(count->alive == 0);
  CHECK(comes_down_to(host, before));
  check_intact(host);
}

TEST_CASE("a runtime without deployments ends at once, also right after it was made") {
  registered config;
  caf::actor_system host{config};
  for (int i = 0; i < 20; ++i)
    runtime rt{host};
  CHECK(comes_down_to(host, 0));
}

TEST_CASE("the end in the middle of a rollout leaves nothing behind") {
  registered config;
  caf::actor_system host{config};
  const auto count = std::make_shared<census>();
  for (int i = 0; i < 10; ++i) {
    runtime rt{host};
    rt.run<counted>(deployment_options{"a"}.num_replicas(10), making(count));
    if (i % 2 == 0) {
      REQUIRE(rt.wait_until_healthy("a", long_time));
      rt.run<counted>(deployment_options{"a"}.num_replicas(10), making(count));
    }
  }
  CHECK(count->made > 0);
  CHECK(count->alive == 0);
  CHECK(comes_down_to(host, 0));
  check_intact(host);
}

TEST_CASE("handles outlive the runtime and say why they do not work") {
  registered config;
  caf::actor_system host{config};
  handle<pong(ping)> h;
  {
    runtime rt{host};
    rt.run<keeper>("keeper");
    h = rt.handle<pong(ping)>("keeper");
  }
  try {
    h.async(ping{}).get();
    FAIL("answered");
  } catch (const request_failed& e) {
    CHECK(e.code() == errc::runtime_stopped);
  }
}

TEST_CASE("every request has its outcome when the runtime has ended") {
  registered config;
  caf::actor_system host{config};
  std::vector<std::future<pong>> answers;
  {
    runtime rt{host};
    rt.run<keeper>(deployment_options{"keeper"}.max_ongoing_requests(2).graceful_shutdown_timeout(0ms));
    auto h = rt.handle<pong(ping)>("keeper");
    for (int i = 0; i < 10; ++i)
      answers.push_back(h.async(ping{}));
    REQUIRE(rt.wait_until(
        "keeper", [](const auto& s) { return s.queued == 8; }, long_time));
  }
  for (auto& a : answers) {
    REQUIRE(a.wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(a.get(), request_failed);
  }
}

TEST_CASE("a handler that never answers: the caller gets its timeout, the status shows it overdue") {
  runtime rt;
  rt.run<keeper>(deployment_options{"keeper"}.graceful_shutdown_timeout(0ms));
  REQUIRE(rt.wait_until_healthy("keeper", long_time));
  auto h = rt.handle<pong(ping)>("keeper");
  try {
    h.async(ping{}, {.timeout = 1ms}).get();
    FAIL("answered");
  } catch (const request_failed& e) {
    CHECK(e.code() == errc::timed_out);
  }
  // It may have timed out before it was begun; one with time enough to begin is overdue for certain.
  call_token token;
  auto cancelled = h.async(ping{}, {}, &token);
  REQUIRE(rt.wait_until(
      "keeper", [](const auto& s) { return s.ongoing >= 1 && s.queued == 0; }, long_time));
  token.cancel();
  CHECK_THROWS_AS(cancelled.get(), request_failed);
  CHECK(rt.wait_until(
      "keeper", [](const auto& s) { return s.overdue >= 1; }, long_time));
}

TEST_CASE("code that blocks is given up: told, counted, replaced, and gone once it returns") {
  registered config;
  caf::actor_system host{config};
  const auto g = std::make_shared<gate>();
  std::mutex mutex;
  std::vector<std::string> told;
  std::future<pong> answer;
  {
    runtime rt{host, {.on_event = [&](const runtime_event& x) {
                 const std::unique_lock guard{mutex};
                 if (x.what == "still_running")
                   told.push_back(x.message);
               }}};
    rt.run<blocker>(deployment_options{"blocker"}.graceful_shutdown_timeout(0ms),
                    [g] { return std::make_unique<blocker>(g); });
    answer = rt.handle<pong(ping)>("blocker").async(ping{});
    g->inside.get_future().wait();
    rt.restart("blocker");
    REQUIRE(rt.wait_until(
        "blocker", [](const auto& s) { return s.given_up == 1 && is_healthy(s); }, long_time));
    CHECK(rt.given_up() == 1);
    CHECK(rt.healthy());
    CHECK_THROWS_AS(answer.get(), request_failed);
    rt.remove("blocker");
    CHECK(given_up_becomes(rt, 1)); // of a deployment that is gone
  }
  CHECK(told.size() == 1);
  g->open.set_value(); // the host's system can end now
}

TEST_CASE("a given-up replica of a removed deployment that returns is counted no more") {
  runtime rt;
  const auto g = std::make_shared<gate>();
  rt.run<blocker>(deployment_options{"blocker"}.graceful_shutdown_timeout(0ms),
                  [g] { return std::make_unique<blocker>(g); });
  auto answer = rt.handle<pong(ping)>("blocker").async(ping{});
  g->inside.get_future().wait();
  rt.remove("blocker");
  CHECK(given_up_becomes(rt, 1));
  rt.run<keeper>(deployment_options{"blocker"}.graceful_shutdown_timeout(0ms)); // the name is free
  REQUIRE(rt.wait_until_healthy("blocker", long_time));
  g->open.set_value();
  CHECK(given_up_becomes(rt, 0));
  CHECK(rt.wait_until_healthy("blocker", long_time));
}

TEST_CASE("shutdown_timeout bounds a drain that would take longer") {
  registered config;
  caf::actor_system host{config};
  const auto g = std::make_shared<gate>();
  std::mutex mutex;
  std::vector<std::string> told;
  std::future<pong> answer;
  {
    runtime rt{host, {.shutdown_timeout = 10ms, .on_log = [&](log_level, std::string_view text) {
                        const std::unique_lock guard{mutex};
                        told.emplace_back(text);
                      }}};
    rt.run<blocker>(deployment_options{"blocker"}.graceful_shutdown_timeout(1h),
                    [g] { return std::make_unique<blocker>(g); });
    answer = rt.handle<pong(ping)>("blocker").async(ping{});
    g->inside.get_future().wait();
  }
  REQUIRE(!told.empty());
  CHECK(told[0].find("blocker") != std::string::npos);
  g->open.set_value();
}

TEST_CASE("two runtimes in one system do not know of each other") {
  registered config;
  caf::actor_system host{config};
  const auto count = std::make_shared<census>();
  auto first = std::make_unique<runtime>(host);
  runtime second{host};
  first->run<counted>(deployment_options{"a"}.num_replicas(2), making(count));
  second.run<counted>(deployment_options{"a"}.num_replicas(3), making(count));
  REQUIRE(first->wait_until_healthy("a", long_time));
  REQUIRE(second.wait_until_healthy("a", long_time));
  CHECK(first->status("a").available == 2);
  first.reset();
  CHECK(count->alive == 3);
  second.handle<pong(ping)>("a").async(ping{}).get();
}

TEST_CASE("two runtimes with systems of their own") {
  runtime first, second;
  first.run<keeper>(deployment_options{"k"}.num_replicas(2));
  CHECK_THROWS_AS(second.status("k"), command_failed);
  CHECK(first.wait_until_healthy("k", long_time));
}

} // namespace troupe::shutdown_test
