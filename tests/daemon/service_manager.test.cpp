// What a service manager hands over and hears (systemd's protocols), and a restart over one socket.
#include "daemon/daemon_fixture.hpp"

#include <atomic>
#include <sys/un.h>
#include <thread>

using namespace troupe;
using namespace troupe::test;

namespace {

struct listening {
  listening() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    socklen_t size = sizeof to;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), size) == 0);
    REQUIRE(::listen(fd.get(), 4096) == 0);
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&to), &size) == 0);
    port = ntohs(to.sin_port);
  }
  owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port = 0;
};

struct manager {
  explicit manager(const std::filesystem::path& at) : path(at.string()) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof to.sun_path);
    path.copy(to.sun_path, path.size());
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  std::string hear() const {
    REQUIRE(is_readable(fd.get()));
    std::array<char, 256> text{};
    const auto n = ::recv(fd.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
  }
  std::string path;
  owned_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

} // namespace

TEST_CASE_FIXTURE(daemon_fixture, "a restart over an inherited socket refuses no connection and loses no request") {
  install("served");
  const listening at;
  REQUIRE(start({config_file(json::array({application()}))}, {}, at.fd.get()));
  CHECK(http == at.port);
  std::atomic<bool> over{false};
  std::atomic<int> answered{0};
  std::string first_failure;
  std::thread load{[&] {
    while (!over && first_failure.empty()) {
      client x{at.port}; // fails the test when it is refused
      const auto got = x.ask(testing_http::get("/load"));
      if (got.body == "/load version 1")
        ++answered;
      else
        first_failure = std::to_string(got.status) + " " + got.head;
    }
  }};
  const auto answers_more = [&] {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (const int before = answered; answered < before + 20;) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::yield();
    }
    return true;
  };
  bool goes_on = true;
  for (int restarts = 0; restarts < 3 && goes_on; ++restarts) {
    goes_on = answers_more();
    daemon->signal(SIGTERM);
    CHECK(daemon->exit_code() == 0);
    goes_on = goes_on && start({}, {}, at.fd.get()) && answers_more();
  }
  over = true;
  load.join();
  CHECK(first_failure == "");
  CHECK(goes_on);
  CHECK(answered >= 120);
}

TEST_CASE_FIXTURE(daemon_fixture, "descriptor 3 that is no listening socket is refused in words") {
  const owned_fd other{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  CHECK_FALSE(start({}, {}, other.get()));
  CHECK(daemon->exit_code() == 1);
  CHECK(contains(errors(), "is not a listening socket"));
}

TEST_CASE_FIXTURE(daemon_fixture, "the service manager hears when it serves and when it stops") {
  install("served");
  const manager m{folder.path() / "notify"};
  REQUIRE(start({config_file(json::array({application()}))}, {"NOTIFY_SOCKET=" + m.path}));
  CHECK(m.hear() == "READY=1");
  CHECK(fetch("/").status == 200);
  client busy{http};
  hold(busy);
  daemon->signal(SIGTERM);
  CHECK(m.hear() == "STOPPING=1");
  release();
  CHECK(busy.read().status == 200);
  CHECK(daemon->exit_code() == 0);
}
