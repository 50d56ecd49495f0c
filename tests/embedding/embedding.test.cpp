// troupe inside a host's program: its actors call deployments, deployments call each other, nothing else changes.
#include <troupe/troupe.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <utility>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto long_time = 60s;

struct count {
  std::string text;
};
struct spell {
  std::string text;
};
struct report {
  std::size_t words = 0;
  bool ok = false;
  std::string application;
};

struct counter {
  std::size_t operator()(const count& x) {
    std::size_t words = x.text.empty() ? 0 : 1;
    for (const char c : x.text)
      words += c == ' ' ? 1U : 0U;
    return words;
  }
};

// Composition: holds a handle to another deployment, and answers when that has.
class speller {
public:
  explicit speller(handle<std::size_t(count)> to) : counter_(std::move(to)) {}

  void operator()(const spell& x, promise<report> p) {
    auto answer = std::make_shared<promise<report>>(std::move(p));
    counter_.request(count{x.text})
        .then(
            [answer](std::size_t words) {
              answer->answer({words, true, {}});
            },
            [answer](const error& why) { answer->fail(to_string(why)); });
  }

private:
  handle<std::size_t(count)> counter_;
};

struct registered : caf::actor_system_config {
  registered() { register_messages(*this); }
};

// What goes to a file descriptor while it lives.
class captured {
public:
  explicit captured(int fd) : fd_(fd), saved_(dup(fd)) {
    path_ =
        std::filesystem::temp_directory_path() / ("troupe_captured_" + std::to_string(getpid()) + std::to_string(fd));
    const int file = open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(file, fd_);
    close(file);
  }
  ~captured() {
    restore();
    std::filesystem::remove(path_);
  }
  std::string text() {
    restore();
    std::ifstream in{path_};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

private:
  void restore() {
    if (saved_ < 0)
      return;
    dup2(saved_, fd_);
    close(std::exchange(saved_, -1));
  }
  int fd_;
  int saved_;
  std::filesystem::path path_;
};

} // namespace

TEST_CASE("deployments call each other, through rollouts of either") {
  runtime rt;
  rt.run<counter>(deployment_options{"counter"}.version("1").num_replicas(2));
  const auto deploy = [&](const char* version) {
    rt.run<speller>(deployment_options{"speller"}.version(version).num_replicas(2),
                    [h = rt.handle<counter>("counter")] { return speller{h}; });
  };
  deploy("1");
  auto h = rt.handle<speller>("speller");
  CHECK(h.async(spell{"one two three"}).get().words == 3);
  rt.run<counter>(deployment_options{"counter"}.version("2").num_replicas(3));
  deploy("2");
  for (int i = 0; i < 100; ++i)
    CHECK(h.async(spell{"one two"}).get().words == 2);
  REQUIRE(rt.wait_until_healthy("counter", long_time));
  REQUIRE(rt.wait_until_healthy("speller", long_time));
  CHECK(h.async(spell{"one"}).get().ok);
}

TEST_CASE("a host's actor calls a deployment and asks the controller, without blocking") {
  registered config;
  caf::actor_system host{config};
  runtime rt{host};
  rt.run<counter>(deployment_options{"counter"}.num_replicas(2));
  std::promise<report> done;
  host.spawn([&, h = rt.handle<counter>("counter"), front = rt.controller()](caf::event_based_actor* self) {
    h.request(self, count{"a b c"})
        .then(
            [&, self, front](std::size_t words) {
              self->request(front, caf::infinite, get_deployment{{"default", "counter"}, false})
                  .then(
                      [&, words](const deployment_status& s) {
                        done.set_value({words, true, s.application});
                      },
                      [&](const caf::error&) { done.set_value({}); });
            },
            [&](const error&) { done.set_value({}); });
  });
  const auto r = done.get_future().get();
  CHECK(r.words == 3);
  CHECK(r.application == "default");
}

TEST_CASE("an actor of the host deploys by message") {
  registered config;
  caf::actor_system host{config};
  runtime rt{host};
  std::promise<bool> done;
  host.spawn([&, front = rt.controller()](caf::event_based_actor* self) {
    deploy_deployment wish{deployment_options{"counter"}.spec(), {"counter", make_code<counter>()}};
    self->request(front, caf::infinite, wish)
        .then([&](const command_result& r) { done.set_value(r.change == change_kind::created); },
              [&](const caf::error&) { done.set_value(false); });
  });
  CHECK(done.get_future().get());
  CHECK(rt.wait_until_healthy("counter", long_time));
}

TEST_CASE("nothing is printed and no signal or terminate handler is changed") {
  std::array<struct sigaction, 32> before{};
  for (int s = 1; s < 32; ++s)
    sigaction(s, nullptr, &before[static_cast<std::size_t>(s)]);
  const auto terminate = std::get_terminate();
  std::string printed;
  {
    captured out{STDOUT_FILENO}, err{STDERR_FILENO};
    {
      struct broken {
        broken() { throw std::runtime_error("broken"); }
        std::size_t operator()(const count&) { return 0; }
      };
      struct throwing {
        std::size_t operator()(const count&) { throw std::runtime_error("handler"); }
      };
      runtime rt;
      rt.run<broken>(deployment_options{"broken"}.max_start_attempts(1));
      rt.run<throwing>(deployment_options{"throwing"}.version("1"));
      auto answer = rt.handle<throwing>("throwing").async(count{});
      answer.wait();
      rt.run<throwing>(deployment_options{"throwing"}.version("2"));
      (void)rt.wait_until_healthy("throwing", long_time);
      (void)rt.wait_until_healthy("broken", long_time);
      rt.remove("throwing");
    }
    printed = out.text() + err.text();
  }
  CHECK(printed == "");
  for (int s = 1; s < 32; ++s) {
    struct sigaction now {};
    sigaction(s, nullptr, &now);
    const bool same = now.sa_handler == before[static_cast<std::size_t>(s)].sa_handler;
    CHECK_MESSAGE(same, s);
  }
  const bool same_terminate = std::get_terminate() == terminate;
  CHECK(same_terminate);
}
