// The daemon's core behind its REST API on a loopback port, with the test libraries to deploy from.
#pragma once

#include "../http/http_client.hpp"
#include "../library/library_fixture.hpp"
#include <troupe/app/api/server.hpp>
#include <troupe/app/cli/api.hpp>
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/event_log.hpp>
#include <troupe/app/storage/database.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

/// An answer with its JSON; null where it has none.
struct api_answer {
  int status = 0;
  std::string head, body;
  json value;
  std::string field(const std::string& name) const {
    return testing_http::answer{status, head, body, true}.field(name);
  }
  std::string message() const { return value.at("error").at("message").get<std::string>(); }
};

struct api_fixture {
  explicit api_fixture(std::string token = {}, cluster::node_operator* nodes = nullptr)
      : rest(parts(nodes), {.token = std::move(token), .hosts = {}}, limits()) {
    std::filesystem::create_directory(code_dir);
    install("greeter_1");
    port = rest.listen("127.0.0.1", 0);
    rest.start();
  }
  ~api_fixture() {
    rest.stop();
    db.freeze();
  }

  void install(const std::string& plugin, const std::string& as = "libgreeter.so") const {
    std::filesystem::copy_file(built_plugins() / ("lib" + plugin + ".so"), code_dir / as,
                               std::filesystem::copy_options::overwrite_existing);
  }

  api_answer ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& headers = {}) const {
    return raw(method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers +
                   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
               method == "HEAD");
  }
  api_answer raw(const std::string& bytes, bool of_head = false) const {
    testing_http::client c{port};
    c.send(bytes);
    const auto x = c.read(of_head);
    return {x.status, x.head, x.body, json::parse(x.body, nullptr, false)};
  }

  api_answer get(const std::string& path) const { return ask("GET", v1(path)); }
  api_answer put(const std::string& path, const json& body, const std::string& headers = {}) const {
    return ask("PUT", v1(path), body.dump(), headers);
  }
  api_answer post(const std::string& path, const json& body, const std::string& headers = {}) const {
    return ask("POST", v1(path), body.dump(), headers);
  }
  static std::string v1(const std::string& path) { return "/api/troupe/v1" + path; }

  /// Deploys and waits until it is healthy.
  json deployed(const std::string& name, const json& app) {
    const auto x = put("/applications/" + name, app);
    REQUIRE_MESSAGE(x.status == 200, x.body);
    for (const auto& d : x.value.at("deployments").items())
      REQUIRE(rt.wait_until_healthy(deployment_name{name, d.key()}.full(), 20s));
    return x.value;
  }
  json state_of(const std::string& name) const { return get("/applications/" + name).value; }

  static http::options limits() {
    http::options x;
    x.body_bytes = config::max_text_bytes + 1024;
    return x;
  }
  api::subjects parts(cluster::node_operator* nodes) {
    return {.apps = apps,
            .rt = rt,
            .code = code,
            .events = events,
            .metrics = [] { return std::string{"# nothing\n"}; },
            .shut_down = [this] { ++shut_downs; },
            .data_dir = folder.path() / "data",
            .http_host = "127.0.0.1",
            .http_port = [] { return 8000; },
            .nodes = nodes};
  }

  temporary_folder folder;
  std::filesystem::path code_dir = folder.path() / "lib";
  storage::database db{folder.path() / "data"};
  library::store files{{.data_dir = folder.path() / "data", .code_dirs = {code_dir}}};
  library::loader code{files, {}};
  daemon::event_log events;
  std::vector<ingress::route> routes;
  std::vector<ingress::route> node_routes; ///< Those of nodes.
  std::mutex routes_mutex;
  int shut_downs = 0;
  runtime rt{runtime_options{.on_event = [this](const runtime_event& e) { events.add(e); },
                             .store = {std::shared_ptr<void>{}, &db}}};
  daemon::applications apps{{.db = db,
                             .files = files,
                             .code = code,
                             .rt = rt,
                             .set_routes =
                                 [this](std::vector<ingress::route> r) {
                                   const std::lock_guard guard{routes_mutex};
                                   routes = std::move(r);
                                 },
                             .log = [](log_level, const std::string&) {},
                             .set_node_routes =
                                 [this](const std::vector<ingress::route>& r) {
                                   const std::lock_guard guard{routes_mutex};
                                   node_routes = r;
                                 },
                             .secrets = std::make_shared<const secrets::keeper>(
                                 secrets::options{folder.path() / "data", folder.path() / "secrets", {}})}};
  api::server rest;
  std::uint16_t port = 0;
};

/// `libgreeter.so:app` with options of its deployment.
inline json greeter(json options = json::object(), json more = json::object()) {
  options["name"] = "greeter";
  more["import_path"] = "libgreeter.so:app";
  more["route_prefix"] = nullptr;
  more["deployments"] = json::array({std::move(options)});
  return more;
}

/// A config of several applications.
inline json config_of(std::vector<std::pair<std::string, json>> apps) {
  json list = json::array();
  for (auto& [name, app] : apps) {
    app["name"] = name;
    list.push_back(std::move(app));
  }
  return {{"applications", std::move(list)}};
}

} // namespace troupe::test
