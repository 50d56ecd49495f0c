// What does a replica on a node cost? A call against a request to a bare actor in another process over CAF's own
// network layer, and against bytes over TCP. And how long is what a node had missing when its process is killed?
#include "machine.hpp"
#include "outside.hpp"
#include "panel.hpp"
#include "questions.hpp"
#include "remote_calls.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace troupe::bench {

namespace {

constexpr std::uint32_t replicas = 30;
/// Who dies sooner is taken for a bad start, and replaced only after 100 ms (SPEC 1.3).
constexpr auto early = std::chrono::seconds{10};

/// Three nodes with as many replicas each.
class three_nodes {
public:
  explicit three_nodes(const std::string& policy) : all_{policy, outside::where::nodes} {
    for (const auto* name : {"n1", "n2", "n3"})
      all_.add_node(name);
    all_.deploy("echo", 1, replicas);
  }

  outside::loss kill_one() {
    std::this_thread::sleep_for(early);
    const auto lost = all_.kill_node("n3");
    if (lost.replicas != replicas / 3)
      throw std::runtime_error("the node had " + std::to_string(lost.replicas) + " replicas");
    return lost;
  }
  /// Milliseconds until as many more as a node has are available.
  double add_third() {
    const auto start = steady::now();
    all_.scale("echo", replicas + replicas / 3);
    return seconds_since(start) * 1e3;
  }

private:
  outside all_;
};

/// Milliseconds from SIGKILL of an actor's process until who monitors it is told.
double kill_bare(const std::string& policy) {
  child server{bare_actor_program(policy), -1};
  const auto port = static_cast<std::uint16_t>(std::stoi(server.line()));
  caf::actor_system_config config;
  set_remote(config, policy);
  caf::actor_system system{config};
  const auto to = system.middleman().remote_actor("127.0.0.1", port);
  if (!to)
    throw std::runtime_error(system.render(to.error()));
  caf::scoped_actor self{system};
  self->monitor(*to);
  self->request(*to, caf::infinite, std::uint64_t{1}).receive([](std::uint64_t) {}, [](const caf::error&) {});
  const auto start = steady::now();
  server.kill();
  self->receive([](const caf::down_msg&) {});
  return seconds_since(start) * 1e3;
}

} // namespace

void add_node(suite& to) {
  const auto policy = to.policy;
  add_remote_calls(to, "call/node/", outside::where::nodes);
  const auto one = calls_of_window(1, to.quick);
  to.questions.push_back({.name = "call/node-tcp/1",
                          .unit = "calls/s",
                          .how = comparison::rate_at_least,
                          .bound = 0.3,
                          .ours = {"handle", [=] { return call_outside(one, policy, outside::where::nodes); }},
                          .references = {{"bytes over TCP", [=] { return call_tcp(one); }}}});
  enum : std::size_t { killed, monitored, scaled };
  enum : std::size_t { seen, replaced };
  panel kill;
  kill.contestants = {{"a node",
                       [=]() -> std::vector<double> {
                         const auto lost = three_nodes{policy}.kill_one();
                         return {lost.seen_ms, lost.replaced_ms};
                       }},
                      {"monitor of a bare actor",
                       [=]() -> std::vector<double> {
                         return {kill_bare(policy), 0};
                       }},
                      {"scaling by 10", [=]() -> std::vector<double> {
                         return {0, three_nodes{policy}.add_third()};
                       }}};
  kill.lines = {{"nodes/kill/seen", "ms", comparison::cost_at_most, 0, seen, killed, monitored},
                {"nodes/kill/replaced", "ms", comparison::cost_at_most, 0, replaced, killed, scaled}};
  to.panels.push_back(std::move(kill));
}

} // namespace troupe::bench
