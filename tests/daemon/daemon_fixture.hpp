// The real program `troupe serve` for tests: started with ports of its own, talked to over loopback, ended by its pid.
#pragma once

#include "app/http/http_client.hpp"
#include "app/library/library_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fixtures/process.hpp>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::test {

using testing_http::answer;
using testing_http::client;
using namespace std::chrono_literals;

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
    daemon.emplace(troupe_program(), std::move(words), std::move(variables), folder.path() / "err", inherited);
  }

  /// Runs `troupe serve`; false when it ended before it was up.
  bool start(std::vector<std::string> more = {}, std::vector<std::string> variables = {}, int inherited = -1) {
    std::vector<std::string> words{"serve",       "--api-address", "127.0.0.1:0",     "--no-token",     "--data-dir",
                                   data.string(), "--code-dir",    code_dir.string(), "--http-address", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    run(std::move(words), std::move(variables), inherited);
    http = port_in(daemon->line_with("troupe: serving "));
    api = port_in(daemon->line_with("troupe: API on "));
    if (std::find(more.begin(), more.end(), "--cluster-address") != more.end())
      port_of_nodes = port_in(daemon->line_with("troupe: nodes join at "));
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
  std::uint16_t http = 0, api = 0, port_of_nodes = 0;
  std::optional<process> daemon; // ends first

protected:
  /// Of "http://127.0.0.1:8265, ...".
  static std::uint16_t port_in(const std::string& line) {
    const auto at = line.find("127.0.0.1:");
    return at == std::string::npos ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoul(line.substr(at + 10)));
  }
};

} // namespace troupe::test
