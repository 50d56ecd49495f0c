// The real daemon with an application whose replicas run in worker processes.
#pragma once

#include "daemon/daemon_fixture.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

struct workers : daemon_fixture {
  /// The library of folder `build` ("one", "two") with its dependency, as `as` in the code directory.
  void install_isolated(const std::string& build, const std::string& where) const {
    const auto from = built_plugins() / build;
    const auto to = code_dir / where;
    std::filesystem::remove_all(to);
    std::filesystem::create_directory(to);
    std::filesystem::copy_file(from / ("libisolated_" + build + ".so"), to / "libisolated.so");
    std::filesystem::copy_file(from / "libdep.so.1", to / "libdep.so.1");
  }

  json app(json options = json::object(), const std::string& name = "a", const std::string& where = "x") const {
    options["name"] = "isolated";
    if (!options.contains("isolation"))
      options["isolation"] = "process";
    return {{"name", name},
            {"route_prefix", "/" + name},
            {"import_path", where + "/libisolated.so:app"},
            {"deployments", {options}}};
  }

  /// Starts with one application `a`, up and whole.
  void serve(json options = json::object(), const std::vector<std::string>& arguments = {}) {
    install_isolated("one", "x");
    // A sanitizer would report a signal and exit; what users see is the signal.
    const bool up =
        start(arguments, {"ASAN_OPTIONS=handle_segv=0:handle_abort=0:detect_leaks=0:allocator_may_return_null=0"});
    REQUIRE_MESSAGE(up, errors());
    const auto done = deploy(app(std::move(options)));
    REQUIRE_MESSAGE(done.status == 200, done.body);
    REQUIRE(is_whole("a"));
  }

  template <class Condition>
  bool becomes(const std::string& name, const Condition& good) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
      const auto now = status_of(name);
      if (good(now.at("deployments").at(0), now))
        return true;
    }
    MESSAGE(status_of(name).dump(1));
    return false;
  }
  bool is_whole(const std::string& name) const {
    return becomes(name, [](const json& d, const json& all) {
      return d.at("available") == d.at("num_replicas") && d.at("rollout").at("phase") == "complete" &&
             d.at("stopping") == 0 && all.at("state") == "RUNNING";
    });
  }
  /// Of application "a": `status_of` has none.
  json replicas() const {
    return json::parse(call_api("GET", "/applications/a/deployments/isolated").body).at("replicas");
  }
  std::set<std::uint64_t> replica_ids() const {
    std::set<std::uint64_t> out;
    for (const auto& r : replicas())
      out.insert(r.at("id").get<std::uint64_t>());
    return out;
  }
  bool is_alive(pid_t pid) const {
    std::ifstream status{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number;
    std::string name;
    std::string state;
    return status >> number >> name >> state && state != "Z" && state != "X";
  }
  std::string get(const std::string& path) const {
    const auto x = fetch(path);
    return x.status == 200 ? x.body : std::to_string(x.status) + " " + x.body;
  }
};

} // namespace troupe::test
