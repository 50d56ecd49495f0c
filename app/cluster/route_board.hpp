// The routers of a node's process: they learn from the controller where replicas are, and find them there themselves.
#pragma once

#include <troupe/actors/control/control_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/app/ingress/route_table.hpp>
#include <troupe/app/library/peers.hpp>
#include <troupe/app/worker/replica_port.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/routes.hpp>

#include <caf/allowed_unsafe_message_type.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::cluster {

// -- local

/// To whoever speaks with the controller: these are to be watched, from now on too when it has another connection.
struct watch_routes {
  std::vector<deployment_name> names;
};
using route_watcher_actor = caf::typed_actor<takes<watch_routes>>;

/// What the controller has said, by way of the agent: nobody else can send these.
struct board_sets {
  replica_sets sets;
};
struct board_paths {
  node_routes paths;
};
/// Who that is. Sent once.
struct board_opened {
  route_watcher_actor watcher;
};
/// A router was made.
struct board_router {
  deployment_name name;
  std::shared_ptr<router> calls;
};
struct board_connected {
  std::uint64_t incarnation = 0;
  peer_door_actor door; ///< Null: `why`.
  std::string why;
};
/// A replica that this process reaches has ended, or is out of reach.
struct board_ended {
  deployment_name name;
  std::uint64_t incarnation = 0;
  std::uint64_t port = 0;
  std::uint64_t number = 0; ///< Of the actor that stood for it.
};
struct board_tick {
  std::uint64_t incarnation = 0;
};

using route_board_actor =
    peer_seeker_actor::extend<takes<board_sets>, takes<board_paths>, takes<board_opened>, takes<board_router>,
                              takes<board_connected>, takes<board_ended>, takes<board_tick>>;

/// The routers of a process, made as they are asked for. Thread-safe.
class router_table {
public:
  /// `seed`: of the choices among replicas; unlike those of other processes.
  explicit router_table(caf::actor_system& sys, std::uint64_t seed = 0) : system_(sys), seed_(seed) {}

  /// Who hears of new ones. Before the first is asked for.
  void open(route_board_actor board);
  std::shared_ptr<router> of(const deployment_name& name);
  /// As `of`, once it is known that the deployment is there and answers these: that takes a while at the first time.
  /// Throws `command_failed`: `unknown_deployment`, `signature_mismatch`, or `unavailable` where no controller says so
  /// in time.
  std::shared_ptr<router> of(const deployment_name& name, const std::vector<signature_info>& wanted);

  /// Waits for that word for a while. On a thread that may wait: constructors that ask first would wait on those that
  /// the word needs to get here.
  void expect(const deployment_name& name);

  void heard(const deployment_name& name, bool exists, std::vector<std::uint64_t> signatures);
  /// Their requests are refused.
  void close();

private:
  struct entry {
    std::shared_ptr<router> calls;
    caf::actor timeouts;
    bool is_known = false;
    bool exists = false;
    std::vector<std::uint64_t> signatures;
  };
  entry& entry_of(const deployment_name& name); // under mutex_

  caf::actor_system& system_;
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::map<deployment_name, entry> entries_;
  route_board_actor board_;
  std::uint64_t last_number_ = 0;
  bool is_closed_ = false;
};

/// For user code on a node: the deployments of its application, and by `application/name` those of others.
class node_peers final : public peer_lookup {
public:
  node_peers(std::shared_ptr<router_table> routers, std::string application)
      : routers_(std::move(routers)), application_(std::move(application)) {}
  std::shared_ptr<router> find(std::string_view name, const std::vector<signature_info>& wanted) const override;

private:
  const std::shared_ptr<router_table> routers_;
  const std::string application_;
};

struct board_boot {
  std::uint64_t incarnation = 0; ///< Of this process.
  std::shared_ptr<router_table> routers;
  std::shared_ptr<const worker::port_table> ports; ///< Of this process.
  /// Blocks; called by jobs.
  std::function<result<peer_door_actor>(const peer_address&)> connect;
  std::function<void(std::function<void()>)> later; ///< Runs a job on a thread that may block.
  /// On the control thread; empty: this process takes no HTTP.
  std::function<void(std::vector<ingress::route>)> set_routes;
};

/// Any thread; it runs on the control thread. What it was told stays true while there is no controller; a process whose
/// connection is lost is tried again for as long as it is said to have replicas, 100 ms doubling to 2 s.
route_board_actor spawn_route_board(const control::environment_ptr& env, board_boot b);

/// Where other processes find the ports of this one.
peer_door_actor spawn_peer_door(const control::environment_ptr& env, std::uint64_t incarnation,
                                std::shared_ptr<const worker::port_table> ports);

} // namespace troupe::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::watch_routes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_sets)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_paths)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_router)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_connected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::board_tick)
