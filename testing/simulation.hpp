// The engine of a simulated world: real actors on CAF's test coordinator, one seeded step at a time.
#pragma once

#include <troupe/actors/controller/controller_actor.hpp>
#include <troupe/actors/deployment_state/observer.hpp>
#include <troupe/testing/faults.hpp>
#include <troupe/testing/random.hpp>
#include <troupe/testing/rollout_invariants.hpp>
#include <troupe/testing/trace.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace troupe::testing {

/// Thrown where a rule of SPEC section 7 does not hold. `what()` is for people: rule, sentence, seed, last steps.
class invariant_broken : public std::runtime_error {
public:
  invariant_broken(int number, std::string text, std::uint64_t seed, const std::string& last_steps);
  int number() const noexcept { return number_; }
  const std::string& sentence() const noexcept { return sentence_; }
  std::uint64_t seed() const noexcept { return seed_; }

private:
  int number_;
  std::string sentence_;
  std::uint64_t seed_;
};

struct simulation_options {
  std::uint64_t seed = 1;
  std::uint32_t life = 0; ///< Of worlds that follow one another under one seed: each has its own chance.
  std::shared_ptr<control::deployment_store> store{};                      ///< Null: nothing outlives this world.
  std::uint32_t max_replicas = 0;                                          ///< Over all deployments; 0 = no bound.
  resources local{};                                                       ///< What the machine has.
  bool on_nodes = false;                                                   ///< As `controller::boot` has it.
  std::size_t trace_lines = 0;                                             ///< Kept for `invariant_broken`; costs time.
  deployment_state::wrong_rule wrong = deployment_state::wrong_rule::none; ///< For simulations that must fail.
  caf::actor_system_config* config = nullptr; ///< From `make_config`; null = makes its own, which costs time.
};

/// A configuration for simulations; may be used for many, one after the other.
std::unique_ptr<caf::actor_system_config> make_config();

/// One runtime in virtual time. Confined to the thread that made it. Nothing happens but in `step` and what calls it.
class simulation final : private deployment_state::observer {
public:
  using time_point = caf::actor_clock::time_point;
  using duration = std::chrono::nanoseconds;

  explicit simulation(const simulation_options& options);
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  ~simulation() override; ///< Ends all actors; never waits.

  // -- steps

  /// Runs one message of an actor chosen by the seed; if there is none, moves the clock to the next timeout. False when
  /// there is neither, or only timeouts after `limit`. Throws `invariant_broken`.
  bool step(time_point limit = time_point::max());
  /// Runs until no message is left, then for `d` of virtual time.
  void advance(duration d);
  bool has_messages() const noexcept { return !scheduler_.jobs.empty(); }
  std::uint64_t steps() const noexcept { return steps_; }
  time_point now() const noexcept { return scheduler_.clock().current_time; }

  // -- acting in it

  /// Runs `f` as a message of the operator's actor, or of client number `client` (from 1), which is made at first use.
  void post(std::function<void(caf::event_based_actor&)> f, std::size_t client = 0, duration delay = duration{0});
  /// Asks the controller; `then` gets the answer, or the error.
  template <class Answer, class Question>
  void ask(Question question, std::function<void(Answer*, const error&)> then) {
    post([this, question = std::move(question), then = std::move(then)](caf::event_based_actor& self) {
      self.request(controller_, caf::infinite, question)
          .then(
              [then, asleep = people_asleep_](Answer& x) {
                if (!*asleep)
                  then(&x, {});
              },
              [this, then, asleep = people_asleep_](caf::error& e) {
                if (!*asleep)
                  then(nullptr, from_caf(e, system_));
              });
    });
  }
  /// Kills the actor of a replica; false when there is none with this id.
  bool kill(const std::string& deployment, std::uint64_t replica);
  std::shared_ptr<router> router_of(const deployment_name& name) const;

  // -- chance and faults

  random_source& chance() noexcept { return chance_; }
  message_faults& messages() noexcept { return messages_; }
  code_faults& user_code() noexcept { return user_code_; }
  void use(const fault_plan& plan);
  /// Tells the invariants that there are faults: rules that hold only without them are no longer checked.
  void allow_faults();

  // -- looking at it

  /// The rules of one deployment, by full name; null before its first step.
  rollout_invariants* rollout_of(const std::string& deployment);
  /// Which replica's user code runs now, and of which deployment; precondition: called from user code.
  std::pair<std::string, replica_ref> running_replica() const;
  /// Whose message is handled now; 0 = nobody's.
  caf::actor_id running_actor() const;
  testing::trace& trace() noexcept { return trace_; }
  std::uint64_t seed() const noexcept { return options_.seed; }
  std::uint64_t digest() const noexcept { return trace_.digest(); }
  caf::actor_system& system() noexcept { return system_; }
  const controller_actor& controller() const noexcept { return controller_; }
  std::shared_ptr<const control::environment> environment() const noexcept { return environment_; }

  /// By all replicas that live or stop.
  resources held() const;
  /// Notes that a rule is broken; the present or next step throws. The first one counts.
  void report(int invariant, std::string sentence);
  /// Throws if one was reported.
  void check();
  /// Called after each step of a DeploymentState.
  std::function<void(const std::string& deployment, const deployment_state::any_event&,
                     const deployment_state::transition&)>
      on_transition;
  /// Called when the world ends: while its actors still run, and when they have ended and none of their calls is left.
  std::function<void()> before_end, at_end;

private:
  struct followed {
    rollout_invariants rules;
    caf::actor_id state_actor = 0; // a later one may have the same name, while the former still waits for its code
    std::map<std::uint64_t, caf::actor_addr> actors;
  };

  void stepped(const deployment_name& name, const deployment_state::any_event& ev,
               const deployment_state::transition& t, const deployment_state::machine& m) override;
  void note_run(control::user_code_kind kind, const replica_ref& replica, const std::string& deployment);
  void check_room();
  void run_next_message();

  simulation_options options_;
  testing::trace trace_;
  random_source chance_;
  std::unique_ptr<caf::actor_system_config> own_config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  message_faults messages_;
  code_faults user_code_;
  std::shared_ptr<control::environment> environment_;
  std::shared_ptr<controller::directory> listed_;
  controller_actor controller_;
  std::shared_ptr<bool> people_asleep_ = std::make_shared<bool>(false);
  std::vector<caf::actor> people_; // the operator, then clients
  std::map<std::string, followed> deployments_;
  std::map<caf::actor_id, std::pair<std::string, replica_ref>> replicas_;
  caf::resumable* running_ = nullptr;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_at_now_ = 0; ///< Since the clock moved last.
  std::optional<std::pair<int, std::string>> broken_;
  bool faults_allowed_ = false;
};

} // namespace troupe::testing
