// One seeded story: operators, clients and faults act on a world at any moment; then it must come to rest.
#pragma once

#include "books.hpp"
#include "ledger.hpp"
#include "nodes.hpp"
#include "workers.hpp"
#include <troupe/testing/simulated_store.hpp>
#include <troupe/testing/simulation.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::simulation_tests {

/// Deliberately wrong variants around the router and the callers; those of the rollout are
/// `deployment_state::wrong_rule`.
enum class wrong_request_rule : std::uint8_t {
  none,
  exceeds_limit,     ///< The router lets one more request into each replica than max_ongoing_requests.
  always_idempotent, ///< Begun requests of a dead replica are tried again though nobody said so.
  refuses_meanwhile, ///< Requests fail while a replica is replaced.
  answers_twice,     ///< A caller hears the same outcome again.
  leaks_object,      ///< A user object is not destroyed.
  loses_stopped,     ///< `replica_stopped` is lost.
  answers_early,     ///< A replica counts a request as ended while its handler still works on it.
  overtakes,         ///< Of two requests the later one is sent to a replica first.
  unsynced_answers,  ///< The store acknowledges what a crash may take.
};

struct scenario_options {
  std::uint64_t seed = 1;
  std::size_t trace_lines = 0;
  bool on_nodes = false; ///< Replicas run on nodes of a cluster.
  deployment_state::wrong_rule wrong = deployment_state::wrong_rule::none;
  wrong_request_rule wrong_request = wrong_request_rule::none;
  caf::actor_system_config* config = nullptr;
};

struct scenario_result {
  std::uint64_t digest = 0;
  std::uint64_t steps = 0;
  std::uint32_t commands = 0;
  std::uint32_t rejected = 0;
  std::uint32_t requests = 0;
  std::uint32_t answers = 0;
  std::uint32_t objects = 0;
  std::uint32_t crashes = 0;
  bool in_workers = false;
  std::uint32_t lost_nodes = 0;
  std::uint32_t adopted = 0;    ///< Replicas that nodes brought.
  std::uint32_t from_nodes = 0; ///< Requests that were sent by routers there.
  std::uint32_t far_answers = 0;
  std::uint32_t healthy = 0; ///< Deployments that ended HEALTHY.
  std::uint32_t failed = 0;
  std::uint32_t paused = 0;
  std::uint32_t other = 0; ///< Deleted, scaled to 0, waiting for room.
  std::string trace;       ///< With `trace_lines`.
};

/// Throws `testing::invariant_broken`.
scenario_result run_scenario(const scenario_options& options);

/// What one scenario does. Confined to `run_scenario`.
class scenario {
public:
  explicit scenario(const scenario_options& options);
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;
  ~scenario();
  scenario_result run();

private:
  struct deployment_plan {
    deployment_spec spec; ///< Of the next deploy.
    bool exists = false;
    std::uint32_t config = 0;
  };

  // scenario.cpp
  void plan();
  void act();
  void let_time_pass();
  void disturb();
  void send_requests();
  void send(std::size_t deployment);
  void send_from_thread(std::size_t deployment, request_record r, call_options options);
  std::optional<std::uint32_t> send_from_node(std::size_t machine, std::size_t deployment, request_record r,
                                              const call_options& options, caf::event_based_actor& self);
  void keep_wrong_rule();
  void submit(std::function<void()> f);

  // lives.cpp
  void begin_life();
  void end_life();
  void crash();
  void check_promises();

  // commands.cpp
  void command();
  void deploy(std::size_t i);
  void scale(std::size_t i, std::uint32_t n);
  void change_code(deployment_spec& spec);
  void change_resources(deployment_spec& spec);
  void choose_nodes(deployment_spec& spec);
  void prefer_other_nodes(deployment_spec& spec);
  void change_config(deployment_plan& p);
  void change_light_options(deployment_spec& spec);
  void say(rollout_action action, std::size_t i);
  void take_up();
  void disturb_nodes();
  template <class Answer, class Question>
  void ask(Question question, std::optional<std::size_t> promise = {}, std::function<void()> then = {});

  // conclusion.cpp
  void conclude();
  void come_to_rest();
  bool at_rest();
  bool stays_at_rest();
  void check_stored();
  void check_rest(std::size_t i, const deployment_status& s);
  void check_ledger();
  void check_waiting();
  void check_routes();
  std::optional<deployment_status> status(std::size_t i);

  deployment_name name_of(std::size_t i) const { return {"default", plans_[i].spec.name}; }
  bool in_use(std::size_t i) { return simulation_->router_of(name_of(i)) != nullptr; }

  scenario_options options_;
  scenario_result result_;
  books books_;
  std::function<void()> overtaken_;                 ///< For `wrong_request_rule::overtakes`.
  std::shared_ptr<testing::simulated_store> store_; ///< Null: nothing outlives a world, and no world crashes.
  std::unique_ptr<simulated_workers> workers_;      ///< Null: replicas run in the world's own process.
  std::unique_ptr<simulated_nodes> nodes_;          ///< Null: there is no cluster.
  stored_nodes stored_nodes_;
  std::vector<machine_plan> machines_;
  std::unique_ptr<testing::simulation> simulation_;
  testing::random_source chance_;
  testing::random_source fate_; ///< Of the store and of crashes: what else happens does not depend on them.
  std::uint32_t crashes_left_ = 0;
  ledger ledger_;
  testing::fault_plan faults_;
  bool faulty_ = false;
  bool kills_ = false;
  bool quiet_ = true; ///< At rest nothing is tried again.
  bool all_healthy_ = true;
  std::uint32_t max_replicas_ = 0;
  testing::random_source appetite_;  ///< Of resources: what else happens does not depend on them.
  testing::random_source geography_; ///< Of nodes, likewise.
  testing::random_source locality_;  ///< Of labels and of what deployments say of nodes, likewise.
  testing::random_source distance_;  ///< Of who sends requests from where, likewise.
  resources local_;                  ///< Empty: nobody asks for anything.
  std::uint32_t most_replicas_ = 8;
  std::vector<deployment_plan> plans_;
  std::vector<std::string> bad_versions_;
  std::shared_ptr<const code> user_code_;
  std::shared_ptr<const code> code_; ///< The same, where it runs in workers.
  std::vector<std::vector<handle<task_done(quick_task), task_done(slow_task)>>> handles_; // by client and deployment
};

} // namespace troupe::simulation_tests
