// The real program `troupe serve` for tests: started with ports of its own, talked to over loopback, ended by its pid.
#pragma once

#include "app/http/http_client.hpp"
#include "app/library/library_fixture.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::test {

using testing_http::answer;
using testing_http::client;
using namespace std::chrono_literals;

/// Against a hang, not to wait for something.
inline constexpr std::chrono::seconds patience{60};

inline bool is_readable(int fd, std::chrono::milliseconds at_most = patience) {
  pollfd x{fd, POLLIN, 0};
  int n = 0;
  do
    n = ::poll(&x, 1, static_cast<int>(at_most.count()));
  while (n < 0 && errno == EINTR);
  return n == 1;
}

/// Closed at the end.
class owned_fd {
public:
  explicit owned_fd(int fd = -1) : fd_(fd) {}
  owned_fd(owned_fd&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {}
  owned_fd& operator=(owned_fd&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }
  ~owned_fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const noexcept { return fd_; }

private:
  int fd_;
};

/// A process of the program, killed at the end if it still runs.
class process {
public:
  /// `inherited` becomes descriptor 3. Variables of ours that would change what it does are left out.
  process(const std::filesystem::path& program, std::vector<std::string> words, std::vector<std::string> variables,
          const std::filesystem::path& err, int inherited = -1) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    out_ = owned_fd{ends[0]};
    const owned_fd write_end{ends[1]};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (inherited >= 0) {
      posix_spawn_file_actions_adddup2(&actions, inherited, 3);
      // LISTEN_PID is the pid of a process that there is not yet: a shell becomes it.
      words.insert(words.begin(), {"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\"", program.string()});
      variables.emplace_back("LISTEN_FDS=1");
    } else {
      words.insert(words.begin(), program.string());
    }
    for (char** x = environ; *x; ++x)
      if (const std::string_view v{*x};
          !v.starts_with("TROUPE_") && !v.starts_with("LISTEN_") && !v.starts_with("NOTIFY_"))
        variables.emplace_back(v);
    auto argv = pointers(words), env = pointers(variables);
    const int rc = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), env.data());
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(rc == 0);
    watch_ = owned_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
    REQUIRE(watch_.get() >= 0);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }

  /// The next line of stdout that holds `part`; empty when the output ends without one.
  std::string line_with(const std::string& part) {
    for (;;) {
      for (std::size_t end = 0; (end = text_.find('\n')) != std::string::npos;) {
        auto line = text_.substr(0, end);
        text_.erase(0, end + 1);
        if (line.find(part) != std::string::npos)
          return line;
      }
      std::array<char, 4096> block{};
      REQUIRE_MESSAGE(is_readable(out_.get()), "nothing was printed for a minute; waited for " << part);
      const auto n = ::read(out_.get(), block.data(), block.size());
      if (n <= 0)
        return {};
      text_.append(block.data(), static_cast<std::size_t>(n));
    }
  }

  /// Its status as of waitpid.
  int wait() {
    REQUIRE_MESSAGE(is_readable(watch_.get()), "the process does not end");
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = 0;
    return status;
  }
  /// Its exit code; 128 + the number of a signal that ended it.
  int exit_code() {
    const int status = wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

private:
  static std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (auto& x : words)
      out.push_back(x.data());
    out.push_back(nullptr);
    return out;
  }

  pid_t pid_ = 0;
  owned_fd out_, watch_;
  std::string text_;
};

/// A code directory, a data directory, and one daemon at a time on them.
struct daemon_fixture {
  daemon_fixture() {
    std::filesystem::create_directory(code_dir);
    for (const auto* name : {"begun", "go"}) {
      const auto file = folder.path() / name;
      REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    }
    // Both ways, so that neither side waits for the other to open it.
    begun = owned_fd{::open((folder.path() / "begun").c_str(), O_RDWR | O_CLOEXEC)};
    go = owned_fd{::open((folder.path() / "go").c_str(), O_RDWR | O_CLOEXEC)};
  }

  static std::filesystem::path program() { return std::filesystem::path{TROUPE_TEST_BIN_DIR} / "troupe"; }

  void install(const std::string& plugin, const std::string& as = "libserved.so") const {
    const auto to = code_dir / as; // a new file: the one that runs may be mapped
    std::filesystem::remove(to);
    std::filesystem::copy_file(built_plugins() / ("lib" + plugin + ".so"), to);
  }

  json application(const std::string& name = "served", const std::string& prefix = "/",
                   const std::string& file = "libserved.so") const {
    return {{"name", name},
            {"route_prefix", prefix},
            {"import_path", file + ":app"},
            {"args", {{"folder", folder.path().string()}}}};
  }
  /// A config file with these applications; its path.
  std::string config_file(const json& applications) const {
    const auto file = folder.path() / "config.json";
    overwrite_in_place(file, json{{"applications", applications}}.dump());
    return file.string();
  }

  /// Runs `troupe` with these words.
  void run(std::vector<std::string> words, std::vector<std::string> variables = {}, int inherited = -1) {
    daemon.reset();
    overwrite_in_place(folder.path() / "err", "");
    daemon.emplace(program(), std::move(words), std::move(variables), folder.path() / "err", inherited);
  }

  /// Runs `troupe serve`; false when it ended before it was up.
  bool start(std::vector<std::string> more = {}, std::vector<std::string> variables = {}, int inherited = -1) {
    std::vector<std::string> words{"serve",       "--api-address", "127.0.0.1:0",     "--no-token",     "--data-dir",
                                   data.string(), "--code-dir",    code_dir.string(), "--http-address", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    run(std::move(words), std::move(variables), inherited);
    http = port_in(daemon->line_with("troupe: serving "));
    api = port_in(daemon->line_with("troupe: API on "));
    return !daemon->line_with("troupe: data in ").empty();
  }
  void must_start(std::vector<std::string> more = {}) {
    const bool up = start(std::move(more));
    REQUIRE_MESSAGE(up, errors());
  }

  std::string errors() const { return read_whole(folder.path() / "err"); }

  /// GET of the ingress; status 0 when the process ended meanwhile.
  answer fetch(const std::string& path) const { return client{http}.ask(testing_http::get(path)); }

  answer call_api(const std::string& method, const std::string& path, const std::string& body = "") const {
    return client{api}.ask(method + " /api/troupe/v1" + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\nContent-Type: application/json\r\n\r\n" + body);
  }
  /// Status 0 when the process ended meanwhile.
  answer deploy(const json& app) const {
    return call_api("PUT", "/applications/" + app.at("name").get<std::string>(), app.dump());
  }
  json status_of(const std::string& app) const {
    const auto x = call_api("GET", "/applications/" + app);
    REQUIRE_MESSAGE(x.status == 200, x.body);
    return json::parse(x.body);
  }

  /// Sends a request that is held in its handler, until `release`.
  void hold(client& x) const {
    x.send(testing_http::get("/hold"));
    REQUIRE(is_readable(begun.get()));
    char c = 0;
    REQUIRE(::read(begun.get(), &c, 1) == 1);
  }
  void release() const { REQUIRE(::write(go.get(), "x", 1) == 1); }

  temporary_folder folder;
  std::filesystem::path code_dir = folder.path() / "lib", data = folder.path() / "data";
  owned_fd begun, go;
  std::uint16_t http = 0, api = 0;
  std::optional<process> daemon; // ends first

private:
  /// Of "http://127.0.0.1:8265, ...".
  static std::uint16_t port_in(const std::string& line) {
    const auto at = line.find("127.0.0.1:");
    return at == std::string::npos ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoul(line.substr(at + 10)));
  }
};

} // namespace troupe::test
