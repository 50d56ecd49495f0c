// The nodes of a simulated cluster: the real door, agents, hosts and routers, over connections that break and freeze,
// on machines that die and come back.
#pragma once

#include "network.hpp"
#include <troupe/actors/nodes/places.hpp>
#include <troupe/app/cluster/agent.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/testing/random.hpp>
#include <troupe/testing/simulation.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::simulation_tests {

/// What the controller stores of its nodes; outlives a life of its process.
struct stored_nodes {
  std::map<std::string, nodes::known_node> known;
  std::uint64_t last_id = 0;
};

struct machine_plan {
  resources total;
  node_labels labels;
};

/// Confined to its simulation, which it outlives.
class simulated_nodes {
public:
  /// `machines`: what each of them has; `max_replicas` over all of them, 0 = no bound.
  simulated_nodes(std::uint64_t seed, std::vector<machine_plan> machines, std::uint32_t max_replicas,
                  stored_nodes& stored);
  ~simulated_nodes();

  /// Opens the door; the machines' processes start soon after.
  void attach(testing::simulation& world);
  /// Slow and failing transfers of code; deaths, cuts and freezes come with `break_something`.
  void allow_faults(bool yes) { faults_ = yes; }

  /// One more load of `inner`, as a library's deployment `name`.
  std::shared_ptr<const code> code_for(std::shared_ptr<const code> inner, std::string name);

  /// What an operator does with some node: cordon, uncordon, drain, remove, or a signal that asks its process to end.
  void operate();
  /// A death, a cut, or a freeze, for a while; of a machine, or between two that reach the controller meanwhile.
  void break_something();
  /// Some connection is slow for a moment, which is no fault.
  void stutter();
  /// Faults end: what is cut or frozen heals, what is down comes up; what operators wanted stands, or not.
  void heal(bool uncordon);

  /// The routers in a machine's process, and its number, never 0 nor reused; null: it is down.
  struct process {
    std::uint32_t number = 0;
    std::string machine;
    std::shared_ptr<cluster::router_table> routers;
  };
  process process_of(std::size_t i) const;
  /// It has ended, or is about to: nobody there hears of an outcome any more.
  std::function<void(std::uint32_t process)> on_process_end;
  /// Requests may have lost their way there, or their order.
  std::function<void()> on_peers_cut;

  /// A posted message passes by. False: it goes between actors of one process that rely on order, and must not be
  /// copied or delayed.
  bool look_at(const caf::message& what);

  /// Of nodes that take replicas, the first one that has room for another one of `what`, by name; empty = there is
  /// none.
  std::string has_room_for(const deployment_spec& what) const;
  std::uint32_t machines() const { return static_cast<std::uint32_t>(machines_.size()); }
  std::uint32_t losses() const { return losses_; }
  std::uint32_t adopted() const { return adopted_; } ///< Replicas, by other ones that started.

private:
  class supply;
  struct machine {
    std::string name;
    resources total;
    std::vector<node_label> labels;
    std::uint64_t start = 0;    ///< Counts its processes.
    cluster::agent_actor agent; ///< Null: it is down.
    std::shared_ptr<connection> line;
    bool leaving = false;
    std::uint64_t incarnation = 0; ///< This and the rest: of its process.
    std::uint32_t process = 0;
    std::shared_ptr<cluster::router_table> routers;
    cluster::route_board_actor board;
    peer_door_actor door;
    testing::simulation::time_point alone_until{}; ///< Other machines do not reach it.
  };
  struct peer_line {
    std::size_t from = 0, to = 0; ///< Machines; the first one has dialed.
    std::shared_ptr<connection> over;
  };
  struct seat {
    deployment_name of;
    resources each;
    placement_options where;
    std::uint64_t node = 0; ///< 0 = waits.
  };
  struct offered {
    std::string name;
    resources total, taken;
    node_labels labels;
    std::map<deployment_name, std::uint32_t> replicas;
    bool open = false;
  };

  void later(std::chrono::milliseconds delay, std::function<void()> f);
  void come_up(std::size_t i);
  void come_up_later(std::size_t i, std::chrono::milliseconds at_most);
  void die(std::size_t i, const std::string& how);
  void end_itself(std::size_t i, std::uint64_t start, std::string how);
  /// Whether the process that was started there as the `start`th one is the present one.
  bool runs(std::size_t i, std::uint64_t start) const { return machines_[i].start == start && machines_[i].agent; }
  void dial(std::size_t i, std::uint64_t start);
  result<peer_door_actor> dial_peer(std::size_t i, std::uint64_t start, const peer_address& whom);
  bool reaches(std::size_t i, std::size_t k) const;
  void end_peer_lines(std::size_t i);
  /// Of the lines of `i`: all, or those with `only`.
  void freeze_peer_lines(std::size_t i, std::optional<std::size_t> only, std::chrono::milliseconds how_long);
  void break_between_peers();
  void say(nodes::any_event what);
  void note(const std::string& text);

  testing::random_source chance_;
  testing::random_source distance_; ///< Of what is between machines: what else happens does not depend on it.
  const std::uint32_t max_replicas_;
  stored_nodes& stored_;
  testing::simulation* world_ = nullptr;
  bool faults_ = false;
  bool healed_ = false;
  std::vector<machine> machines_;
  std::uint32_t last_process_ = 0;
  std::vector<peer_line> peer_lines_;
  std::map<std::pair<std::size_t, std::size_t>, testing::simulation::time_point> apart_until_; ///< The lower one first.
  std::vector<std::unique_ptr<supply>> supplies_; ///< Agents refer to them.
  std::shared_ptr<nodes::node_places> places_ = std::make_shared<nodes::node_places>();
  nodes::door_actor door_;
  std::uint64_t last_code_ = 0;
  std::map<std::uint64_t, std::shared_ptr<const code>> inner_; ///< By number of the load.
  std::map<std::uint64_t, seat> seats_;
  std::map<deployment_name, caf::actor_id> claimers_; ///< The state actor that has claimed room last, by name.
  std::uint32_t taken_ = 0;                           ///< Seats.
  std::map<std::uint64_t, offered> offered_;          ///< By id of the node.
  std::uint32_t losses_ = 0;
  std::uint32_t adopted_ = 0;
};

} // namespace troupe::simulation_tests
