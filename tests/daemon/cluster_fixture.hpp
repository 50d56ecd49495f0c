// A real controller and real nodes, on this machine.
#pragma once

#include "daemon/workers_fixture.hpp"

#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

struct cluster : workers {
  /// Starts the controller, with the library of `build` where `app` looks for it.
  void start_head(std::vector<std::string> more = {}) {
    if (!std::filesystem::exists(code_dir / "x"))
      install_isolated("one", "x");
    more.insert(more.end(), {"--cluster-address", "127.0.0.1:" + std::to_string(door)});
    const bool up = start(std::move(more));
    REQUIRE_MESSAGE(up, errors());
    door = port_of_nodes;
    REQUIRE(door != 0);
  }

  /// As by `kill -9`; nodes stay.
  void kill_and_start_head() {
    daemon->signal(SIGKILL);
    start_head();
  }

  /// `as`: of several with one name.
  process& start_node(const std::string& name, std::vector<std::string> more = {}, std::string as = {}) {
    if (as.empty())
      as = name;
    std::vector<std::string> words{"node", "--join", "127.0.0.1:" + std::to_string(door), "--name", name};
    if (std::find(more.begin(), more.end(), "--data-dir") == more.end())
      words.insert(words.end(), {"--data-dir", (folder.path() / ("node-" + as)).string()});
    words.insert(words.end(), more.begin(), more.end());
    auto& at = nodes[as];
    at.reset();
    at = std::make_unique<process>(troupe_program(), std::move(words),
                                   std::vector<std::string>{"ASAN_OPTIONS=detect_leaks=0"},
                                   folder.path() / ("err-" + as));
    return *at;
  }
  /// It counts where replicas go when this returns: the node itself knows a moment before.
  void must_join(const std::string& name, std::vector<std::string> more = {}) {
    const bool takes_http = std::find(more.begin(), more.end(), "--http-address") != more.end();
    auto& started = start_node(name, std::move(more));
    if (takes_http)
      fronts[name] = port_in(started.line_with("takes HTTP"));
    const auto line = started.line_with("has joined");
    REQUIRE_MESSAGE(!line.empty(), node_errors(name));
    REQUIRE(node_becomes(name, [](const json& x) { return x.at("state") == "READY" || x.at("state") == "DRAINING"; }));
  }
  std::string node_errors(const std::string& name) const { return read_whole(folder.path() / ("err-" + name)); }

  /// Whether it comes to say that on stderr.
  bool says(const std::string& name, const std::string& text) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!contains(node_errors(name), text))
      if (std::chrono::steady_clock::now() > until)
        return false;
    return true;
  }

  static json here(json options = json::object()) {
    options["isolation"] = "none";
    return options;
  }
  void must_deploy(const json& options) const {
    const auto done = deploy(app(here(options)));
    REQUIRE_MESSAGE(done.status == 200, done.body);
  }

  /// With four replicas, which are up.
  void start_two_nodes() {
    start_head();
    must_join("n1");
    must_join("n2");
    must_deploy({{"num_replicas", 4}});
    REQUIRE(is_whole("a"));
  }

  json list() const {
    const auto x = call_api("GET", "/nodes");
    REQUIRE_MESSAGE(x.status == 200, x.body);
    return json::parse(x.body).at("nodes");
  }
  json node(const std::string& name) const {
    for (const auto& x : list())
      if (x.at("name") == name)
        return x;
    return {{"state", "none"}, {"replicas", 0}, {"empty", false}};
  }
  template <class Condition>
  bool node_becomes(const std::string& name, const Condition& good) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until)
      if (good(node(name)))
        return true;
    MESSAGE(list().dump(1));
    return false;
  }
  bool node_is(const std::string& name, const std::string& state) const {
    return node_becomes(name, [&](const json& x) { return x.at("state") == state; });
  }

  /// Processes that answer; each of `times` requests goes somewhere.
  std::set<std::string> who_answers(int times = 50, const std::string& path = "/a/process") const {
    std::set<std::string> out;
    for (int i = 0; i < times; ++i)
      out.insert(get(path));
    return out;
  }
  /// A request to a node's own ingress, and what is answered; its status first if that is not 200.
  std::string get_from(const std::string& name, const std::string& path) const {
    const auto x = client{fronts.at(name)}.ask(testing_http::get(path));
    return x.status == 200 ? x.body : std::to_string(x.status) + " " + x.body;
  }
  bool comes_to_answer(const std::string& name, const std::string& path, const std::string& what) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::string last;
    while (std::chrono::steady_clock::now() < until)
      if ((last = get_from(name, path)) == what)
        return true;
    MESSAGE(last);
    return false;
  }
  std::string pid_of(const std::string& name) const { return std::to_string(nodes.at(name)->pid()); }

  std::uint16_t door = 0;
  std::map<std::string, std::uint16_t> fronts;           ///< Ports of nodes' own ingress.
  std::map<std::string, std::unique_ptr<process>> nodes; // end before the daemon
};

} // namespace troupe::test
