// The built program `troupe`: a daemon of a test's own, and commands that talk to it.
#pragma once

#include "../library/library_fixture.hpp"
#include <troupe/messages/json_doc.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fixtures/process.hpp>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace troupe::test {

struct command_run {
  int code = -1;
  std::string out, err;
  json value() const { return json::parse(out, nullptr, false); }
};

/// `troupe serve` on free loopback ports, with a code directory; killed at the end unless it has ended.
class program_fixture {
public:
  program_fixture() {
    std::filesystem::create_directory(code_dir_);
    install("greeter_1");
    start();
  }
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

  command_run run(std::vector<std::string> arguments) const {
    const auto err = folder_.path() / "err";
    std::filesystem::remove(err);
    process x{troupe_program(), std::move(arguments), {data(), "TROUPE_API_ADDRESS=" + api_}, err};
    auto out = x.rest();
    return {x.exit_code(), std::move(out), read_whole(err)};
  }

  /// The daemon's exit code, once it ends by itself.
  int ended() { return daemon_->exit_code(); }

private:
  std::string data() const { return "TROUPE_DATA_DIR=" + (folder_.path() / "data").string(); }

  void start() {
    const std::vector<std::string> words{"serve",       "--http-address", "127.0.0.1:0",      "--api-address",
                                         "127.0.0.1:0", "--code-dir",     code_dir_.string(), "--log-level",
                                         "error"};
    daemon_.emplace(troupe_program(), words, std::vector{data()}, folder_.path() / "log");
    const auto line = daemon_->line_with("API on http://");
    REQUIRE_FALSE(daemon_->line_with("troupe: data in").empty());
    const auto from = line.find("//") + 2;
    api_ = line.substr(from, line.find(',') - from);
  }

  temporary_folder folder_;
  std::filesystem::path code_dir_ = folder_.path() / "lib";
  std::string api_;
  std::optional<process> daemon_; // ends first
};

} // namespace troupe::test
