// The built program `troupe`: a daemon of a test's own, and commands that talk to it.
#pragma once

#include "../library/library_fixture.hpp"
#include <troupe/messages/json_doc.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace troupe::test {

struct command_run {
  int code = -1;
  std::string out, err;
  json value() const { return json::parse(out, nullptr, false); }
};

/// `troupe serve` on free loopback ports, with a code directory; killed at the end unless it has ended.
class troupe_program {
public:
  troupe_program() {
    std::filesystem::create_directory(code_dir_);
    install("greeter_1");
    start();
  }
  ~troupe_program() {
    if (daemon_ > 0) {
      ::kill(daemon_, SIGKILL);
      ::waitpid(daemon_, nullptr, 0);
    }
    ::close(lines_);
  }
  troupe_program(const troupe_program&) = delete;
  troupe_program& operator=(const troupe_program&) = delete;

  void install(const std::string& plugin) const {
    std::filesystem::copy_file(built_plugins() / ("lib" + plugin + ".so"), code_dir_ / "libgreeter.so",
                               std::filesystem::copy_options::overwrite_existing);
  }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream{folder_.path() / name} << text;
    return (folder_.path() / name).string();
  }
  /// A config of one application `a`, whose deployment has these further options.
  std::string config(const std::string& options, const std::string& name = "a") const {
    return file(name + ".yaml",
                "applications:\n- name: " + name +
                    "\n  import_path: libgreeter.so:app\n  route_prefix: null\n  deployments:\n  - {name: "
                    "greeter, " +
                    options + "}\n");
  }

  command_run run(const std::vector<std::string>& arguments) const {
    const auto out = (folder_.path() / "out").string();
    const auto err = (folder_.path() / "err").string();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const auto child = spawn(arguments, files);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_whole(out), read_whole(err)};
  }

  /// The daemon's exit code, once it ends by itself.
  int ended() {
    int status = 0;
    REQUIRE(::waitpid(daemon_, &status, 0) == daemon_);
    daemon_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

private:
  pid_t spawn(const std::vector<std::string>& arguments, posix_spawn_file_actions_t& files) const {
    std::vector<std::string> words{std::string{TROUPE_TEST_BIN_DIR} + "/troupe"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables{"TROUPE_DATA_DIR=" + (folder_.path() / "data").string()};
    if (!api_.empty())
      variables.push_back("TROUPE_API_ADDRESS=" + api_);
    std::vector<char*> argv;
    std::vector<char*> env;
    for (auto& w : words)
      argv.push_back(w.data());
    for (auto& v : variables)
      env.push_back(v.data());
    for (char** v = environ; *v != nullptr; ++v)
      env.push_back(*v);
    argv.push_back(nullptr);
    env.push_back(nullptr);
    pid_t child = -1;
    REQUIRE(::posix_spawn(&child, words[0].c_str(), &files, nullptr, argv.data(), env.data()) == 0);
    posix_spawn_file_actions_destroy(&files);
    return child;
  }

  void start() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    daemon_ = spawn({"serve", "--http-address", "127.0.0.1:0", "--api-address", "127.0.0.1:0", "--code-dir",
                     code_dir_.string(), "--log-level", "error"},
                    files);
    ::close(ends[1]);
    std::string lines;
    while (lines.find("troupe: data in") == std::string::npos) {
      pollfd p{ends[0], POLLIN, 0};
      REQUIRE(::poll(&p, 1, 30'000) == 1);
      std::array<char, 4096> block{};
      const auto n = ::read(ends[0], block.data(), block.size());
      REQUIRE_MESSAGE(n > 0, "the daemon did not start: " << lines);
      lines.append(block.data(), static_cast<std::size_t>(n));
    }
    lines_ = ends[0]; // stays open: what the daemon still says must not end it
    const std::string before = "API on http://";
    const auto from = lines.find(before) + before.size();
    api_ = lines.substr(from, lines.find(',', from) - from);
  }

  temporary_folder folder_;
  std::filesystem::path code_dir_ = folder_.path() / "lib";
  std::string api_;
  pid_t daemon_ = -1;
  int lines_ = -1;
};

} // namespace troupe::test
