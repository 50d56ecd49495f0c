// A world for the commands: a clock that waiting moves, an environment of the test's, output in strings.
#pragma once

#include "scripted_server.hpp"
#include <troupe/app/cli/run.hpp>
#include <troupe/messages/json_doc.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace troupe {

struct cli_run {
  int code;
  std::string out, err;
};

/// Runs commands; has a folder of its own, which goes with it.
class cli_world {
public:
  cli_world() : folder_(std::filesystem::temp_directory_path() / ("troupe_cli_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    variables["TROUPE_DATA_DIR"] = (folder_ / "data").string();
  }
  ~cli_world() { std::filesystem::remove_all(folder_); }
  cli_world(const cli_world&) = delete;
  cli_world& operator=(const cli_world&) = delete;

  cli_run run(const std::vector<std::string>& arguments) {
    std::istringstream in{input};
    std::ostringstream out;
    std::ostringstream err;
    cli::world w{.in = in,
                 .out = out,
                 .err = err,
                 .is_terminal = is_terminal,
                 .has_colour = false,
                 .width = width,
                 .environment = [this](const char* name) -> std::optional<std::string> {
                   const auto it = variables.find(name);
                   return it == variables.end() ? std::nullopt : std::optional{it->second};
                 },
                 .now = [this] { return now; },
                 .wait =
                     [this](std::chrono::milliseconds x) {
                       now += x;
                       ++waits;
                       if (on_wait)
                         on_wait(waits);
                     },
                 .serve =
                     [this](const daemon::serve_options& o) {
                       served = o;
                       return 0;
                     },
                 .run_node =
                     [this](const cluster::node_options& o) {
                       hosted = o;
                       return 0;
                     }};
    const auto code = cli::run(arguments, w);
    return {code, out.str(), err.str()};
  }

  /// Against `server`.
  cli_run run(const scripted_server& server, std::vector<std::string> arguments) {
    variables["TROUPE_API_ADDRESS"] = server.address();
    return run(arguments);
  }

  std::string file(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << text;
    return path.string();
  }

  /// What bash offers for the word `at` of these, with the completion script in the file `script`.
  std::string completed(const std::string& script, const std::string& words, int at) const {
    const auto test =
        file("run.sh", "source '" + script + "'\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" + std::to_string(at) +
                           "\n_troupe\nprintf '%s ' \"${COMPREPLY[@]}\"\n");
    std::string result;
    auto* pipe = ::popen(("bash '" + test + "' 2>&1").c_str(), "r"); // NOLINT(cert-env33-c)
    REQUIRE(pipe);
    char buffer[256];
    while (std::fgets(buffer, sizeof buffer, pipe))
      result += buffer;
    ::pclose(pipe);
    return result;
  }

  std::map<std::string, std::string, std::less<>> variables;
  std::string input;
  bool is_terminal = false;
  unsigned width = 100;
  std::chrono::steady_clock::time_point now{};
  int waits = 0;
  std::function<void(int)> on_wait;
  std::optional<daemon::serve_options> served;
  std::optional<cluster::node_options> hosted;

private:
  std::filesystem::path folder_;
};

/// A deployment as the API shows it.
inline json deployment_json(const std::string& state, const std::string& phase, std::uint64_t target = 2,
                            const std::string& application = "spell") {
  return {{"application", application},
          {"name", "speller"},
          {"state", state},
          {"message", ""},
          {"num_replicas", 10},
          {"available", 10},
          {"rollout",
           {{"phase", phase},
            {"rolling_back", false},
            {"target_revision", target},
            {"base_revision", 1},
            {"wave", 2},
            {"waves", 5},
            {"done", 4},
            {"in_flight", 2},
            {"reason", "none"},
            {"message", ""}}}};
}

inline json applications_json(const json& deployment) {
  return {{"applications",
           {{{"name", deployment["application"]},
             {"state", "RUNNING"},
             {"message", ""},
             {"route_prefix", "/spell"},
             {"import_path", "libspell.so:app"},
             {"revision", 7},
             {"deployments", {deployment}}}}}};
}

} // namespace troupe
