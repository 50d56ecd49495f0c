// What a node's process consists of, how it begins and how it ends.
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/scheduler_policy.hpp>
#include <troupe/app/cluster/agent.hpp>
#include <troupe/app/cluster/connector.hpp>
#include <troupe/app/cluster/job_thread.hpp>
#include <troupe/app/cluster/node.hpp>
#include <troupe/app/cluster/node_ingress.hpp>
#include <troupe/app/cluster/route_board.hpp>
#include <troupe/app/cluster/transport.hpp>
#include <troupe/app/daemon/logs.hpp>
#include <troupe/app/daemon/stop_signals.hpp>
#include <troupe/app/library/file.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::cluster {

namespace {

namespace fs = std::filesystem;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{"?"};
}

/// Two nodes must not use one folder.
library::descriptor lock(const fs::path& data_dir) {
  fs::create_directories(data_dir);
  const auto file = data_dir / "node.lock";
  library::descriptor out{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!out)
    throw std::runtime_error(file.string() + ": " + library::text_of_errno(errno));
  if (::flock(out.get(), LOCK_EX | LOCK_NB) != 0)
    throw std::runtime_error(data_dir.string() + " is in use by another node; give each one its own --data-dir");
  return out;
}

std::uint64_t new_incarnation() {
  const auto x = std::stoull(library::random_hex().substr(0, 16), nullptr, 16);
  return x == 0 ? 1 : x;
}

std::vector<node_label> labels_of(const std::map<std::string, std::string>& labels) {
  std::vector<node_label> out;
  for (const auto& [key, value] : labels)
    out.push_back({key, value});
  return out;
}

void check_peer(const node_options& options) {
  if (options.cluster_dir.empty() && options.peer && !is_loopback(options.peer->host))
    throw std::runtime_error("--peer-address " + options.peer->host + ":" + std::to_string(options.peer->port) +
                             " is no loopback address: nodes on other machines take certificates; give --cluster-dir "
                             "DIR with a bundle of `troupe cluster certificate --role node`");
}

/// The last act of the ingress: what was begun is answered, until `last`. False: something was cut off.
bool end_http(node_ingress& front, std::chrono::steady_clock::time_point last) {
  front.stop_listening();
  const bool is_idle = front.wait_idle(last);
  front.stop();
  return is_idle;
}

/// User code may still run, and its static destructors may wait for it: the process's end is all that is left.
[[noreturn]] void end(int code) {
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  ::_exit(code);
}

int run(const node_options& options) {
  daemon::stop_signals signals;
  daemon::log_lines log{options.log_level};
  const auto warn = [&](const std::string& text) { log.write(log_level::warning, text); };
  if (options.cluster_dir.empty() && !is_loopback(options.join.host))
    throw std::runtime_error("--join " + options.join.host + ":" + std::to_string(options.join.port) +
                             " is on another machine: that takes certificates; give --cluster-dir DIR with a bundle of "
                             "`troupe cluster certificate --role node`");
  check_peer(options);
  std::shared_ptr<const identity> self;
  if (!options.cluster_dir.empty()) {
    self = identity_in(options.cluster_dir, role::node, warn);
    if (self->info.name != options.name)
      throw std::runtime_error("the certificate in " + options.cluster_dir.string() + " is of node \"" +
                               self->info.name + "\", --name says \"" + options.name + '"');
  }
  const auto locked = lock(options.data_dir);
  library::store files{{.data_dir = options.data_dir, .code_dirs = {}}};
  library::loader code{files, {}};

  caf::actor_system_config config;
  register_messages(config);
  control::set_scheduler_policy(config, "local");
  if (options.threads > 0)
    config.set("scheduler.max-threads", static_cast<std::size_t>(options.threads));
  configure(config, options.cluster_dir);
  caf::actor_system system{config};
  const auto env = control::make_environment(system);
  env->on_log = [&](log_level l, std::string_view text) { log.write(l, text); };
  code_cache cache{
      system, files, {.limits = {.cache_bytes = options.cache_bytes}, .log = [&](log_level l, const std::string& text) {
                        log.write(l, text);
                      }}};
  job_thread jobs;
  const auto say = [&](const std::string& line) {
    if (!options.quiet)
      std::cout << line << std::endl;
  };

  std::optional<node_ingress> front;
  if (options.http) {
    front.emplace(system, *options.http, log);
    say("troupe: node " + options.name + " takes HTTP on http://" + options.http->address.host + ":" +
        std::to_string(front->port()));
  }
  const auto incarnation = new_incarnation();
  const auto ports = std::make_shared<worker::port_table>();
  const bool has_tls = self != nullptr;
  const auto peer_host = options.peer ? options.peer->host : own_address_towards(options.join.host, options.join.port);
  const auto peer_port = publish(system, spawn_peer_door(env, incarnation, ports), peer_host,
                                 options.peer ? options.peer->port : std::uint16_t{0}, has_tls);
  if (has_tls && !options.peer && is_loopback(peer_host))
    warn("other machines do not reach this one at " + peer_host +
         ", and cannot send requests to its replicas; give "
         "--peer-address");
  const auto routers = std::make_shared<router_table>(system, incarnation);
  job_thread calls_to_peers; // apart: one that is out of reach is waited for
  board_boot boot{
      .incarnation = incarnation,
      .routers = routers,
      .ports = ports,
      .connect = [&, has_tls](const peer_address& x) { return connect_peer(system, x.host, x.port, has_tls); },
      .later = [&](std::function<void()> job) { calls_to_peers.post(std::move(job)); },
      .set_routes = {}};
  if (front)
    boot.set_routes = [&](std::vector<ingress::route> routes) { front->set_routes(std::move(routes)); };
  const auto board = spawn_route_board(env, std::move(boot));
  routers->open(board);

  std::atomic<bool> is_turned_off{false};
  std::promise<bool> released;
  std::atomic<bool> is_released{false};
  std::optional<connector> connection;
  agent_actor agent;
  const auto where = options.join.host + ":" + std::to_string(options.join.port);
  std::string last_failure;
  agent = spawn_agent(
      env, {.name = options.name,
            .host = host_name(),
            .labels = labels_of(options.labels),
            .total = options.total,
            .incarnation = incarnation,
            .release = options.release,
            .self = self,
            .cache = &cache,
            .peer_host = peer_host,
            .peer_port = peer_port,
            .ports = ports,
            .board = board,
            .load =
                [&](const load_code& x) {
                  auto out = code.load({.digest = x.digest,
                                        .import_path = x.import_path,
                                        .application = x.application,
                                        .args = x.args.get(),
                                        .others = peers{std::make_shared<node_peers>(routers, x.application)}});
                  if (out)
                    for (const auto& d : out->deployments)
                      routers->expect({x.application, d.defaults.name});
                  return out;
                },
            .later = [&](std::function<void()> job) { jobs.post(std::move(job)); },
            .lost =
                [&](const std::string& why) {
                  log.write(log_level::warning, "no controller: " + why + "; what runs goes on");
                  connection->lost();
                },
            .turned_off =
                [&](const std::string& why) {
                  log.write(log_level::error, "turned away: " + why);
                  is_turned_off = true;
                  ::kill(::getpid(), SIGTERM);
                },
            .released =
                [&](bool is_empty) {
                  if (!is_released.exchange(true))
                    released.set_value(is_empty);
                },
            .joined =
                [&](std::uint64_t id) {
                  connection->joined();
                  say("troupe: node " + options.name + " has joined " + where + " as number " + std::to_string(id));
                }});
  caf::anon_send(board, board_opened{caf::actor_cast<route_watcher_actor>(agent)});
  connection.emplace([&] {
    auto door = connect(system, options.join.host, options.join.port, self != nullptr);
    if (!door) {
      if (std::exchange(last_failure, door.why().message) != door.why().message)
        log.write(log_level::warning, "cannot reach the controller at " + where + ": " + last_failure);
      return false;
    }
    last_failure.clear();
    caf::anon_send(agent, agent_connected{std::move(*door)});
    return true;
  });

  connection->lost(); // only now: it may be used at once

  signals.wait();
  const auto last = std::chrono::steady_clock::now() + options.drain_timeout;
  signals.end_at_next(last + std::chrono::seconds{5});
  if (front)
    front->begin_drain();
  if (is_turned_off) {
    if (front)
      end_http(*front, last);
    end(1);
  }
  say("troupe: leaving, another signal ends at once");
  // Requests are taken until the node is empty: whoever balances the load needs a while to look elsewhere, and what
  // moves away is reached from here as it was. A part of the time is for those that are under way then.
  auto until = last;
  if (front) {
    until -= std::min<std::chrono::milliseconds>(options.drain_timeout / 10, std::chrono::seconds{1});
    std::this_thread::sleep_for(std::min(options.http->shutdown_delay, options.drain_timeout));
  }
  caf::anon_send(agent, agent_leave{});
  auto answer = released.get_future();
  const bool is_in_time = answer.wait_until(until) == std::future_status::ready;
  const bool is_empty = is_in_time && answer.get();
  if (!is_empty)
    log.write(log_level::warning, is_in_time ? "replicas were still here, and no controller to move them"
                                             : "replicas were still here after --drain-timeout");
  const bool is_idle = !front || end_http(*front, last);
  if (!is_idle)
    log.write(log_level::warning, "requests were still under way after --drain-timeout");
  say("troupe: ended");
  end(is_empty && is_idle ? 0 : 1);
}

} // namespace

int run_node(const node_options& options) {
  try {
    return run(options);
  } catch (const std::exception& e) {
    std::cerr << "troupe node: " << e.what() << std::endl;
    return 1;
  }
}

} // namespace troupe::cluster
