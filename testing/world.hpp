// A simulated world for tests of users' classes: deployments, requests and faults in virtual time, the same for the
// same seed.
//
//   troupe::testing::world w{seed};
//   w.run<speller>(troupe::deployment_options{"spell"}.version("1").num_replicas(10));
//   auto answer = w.request<verdict(word)>("spell", word{"wrod"});
//   w.kill_one("spell");
//   w.settle();
//   CHECK(w.status("spell").state == troupe::deployment_state_name::healthy);
//   CHECK(w.requests().lost() == 0);
//
// It runs the real controller, deployments, routers and replicas on one thread; the order in which they run is drawn
// from the seed, and after each step the rules of a rollout are checked: one that does not hold throws
// `invariant_broken`. User code takes no virtual time unless told so by `slow_start` and the like, or by promises that
// are answered later.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/runtime/deployment_options.hpp>
#include <troupe/app/runtime/errors.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/testing/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe::testing {

struct request_totals {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::map<errc, std::uint64_t> errors; ///< `failed`, by code.
  /// Without an outcome so far; after `settle` there should be none.
  std::uint64_t lost() const { return sent - answered - failed; }
};

/// The outcome of one request, now or later. A value; copies share the outcome. Must not outlive its world.
template <class Response>
class outcome {
public:
  bool done() const noexcept { return state_->got.has_value(); }
  bool ok() const noexcept { return done() && state_->got->ok(); }
  /// Precondition: ok(); else throws `request_failed`, also when there is no outcome yet (`timed_out`).
  const Response& value() const {
    if (!done())
      throw request_failed{{errc::timed_out, "the request has no outcome yet"}};
    return state_->got->value();
  }
  /// `none` when it was answered or has no outcome yet.
  errc code() const noexcept { return done() ? state_->got->code() : errc::none; }
  /// The caller gives up; takes effect at once.
  void cancel() {
    if (state_->give_up)
      state_->give_up();
  }

private:
  friend class world;
  struct state {
    std::optional<troupe::result<Response>> got;
    std::function<void()> give_up;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct world_options {
  std::uint64_t seed = 1;
  std::uint32_t max_replicas = 0;             ///< Room over all deployments; 0 = no bound.
  resources local{};                          ///< What the machine has; what it doesn't name is none.
  std::size_t trace_lines = 40;               ///< Last steps that a broken rule shows; 0 = none, and faster.
  caf::actor_system_config* config = nullptr; ///< As in `simulation_options`.
};

/// Confined to its thread. Names are `[application/]name`. Commands run the world until they are answered and throw
/// `command_failed`, as `troupe::runtime` does. The destructor ends everything and never waits.
class world {
public:
  explicit world(std::uint64_t seed = 1) : world(world_options{.seed = seed}) {}
  explicit world(const world_options& options);

  // -- deployments

  template <class T>
  command_result run(const deployment_options& what) {
    return run(what, make_code<T>());
  }
  template <class T, class Factory>
  command_result run(const deployment_options& what, Factory make) {
    return run(what, make_code<T>(std::move(make)));
  }
  command_result run(const deployment_options& what, std::shared_ptr<const code> user_code);
  command_result scale(std::string_view name, std::uint32_t num_replicas);
  command_result pause(std::string_view name) { return say(name, rollout_action::pause); }
  command_result resume(std::string_view name) { return say(name, rollout_action::resume); }
  command_result promote(std::string_view name) { return say(name, rollout_action::promote); }
  command_result abort(std::string_view name) { return say(name, rollout_action::abort); }
  command_result restart(std::string_view name) { return say(name, rollout_action::restart); }
  command_result rollback(std::string_view name, std::uint64_t revision = 0) {
    return say(name, rollout_action::rollback, revision);
  }
  void remove(std::string_view name); ///< Returns when it is gone.
  deployment_status status(std::string_view name, bool with_replicas = true);

  // -- requests

  /// Sends one from a client; the client's turn comes with the next steps. An unknown deployment is an outcome.
  template <class Signature>
  outcome<response_of<Signature>> request(std::string_view name, request_of<Signature> what, call_options options = {});
  const request_totals& requests() const noexcept { return totals_; }

  // -- time

  /// One step: a message, else the next timeout. False when there is neither.
  bool step() { return engine_.step(); }
  void advance(std::chrono::nanoseconds d) { engine_.advance(d); }
  /// Runs until nothing but health checks is left to do: no replica starts, stops or reconfigures, every request that
  /// can be served has its outcome. False when that takes more than `most` of virtual time.
  bool settle(std::chrono::nanoseconds most = std::chrono::hours{1});
  simulation::time_point now() const noexcept { return engine_.now(); }

  // -- faults

  bool kill(std::string_view name, std::uint64_t replica);       ///< False when no such replica lives.
  bool kill_one(std::string_view name);                          ///< One of those that serve, chosen by the seed.
  void fail_start(std::string message, std::uint32_t count = 1); ///< The next constructors throw.
  void fail_reconfigure(std::string message, std::uint32_t count = 1);
  void fail_check(std::string message, std::uint32_t count = 1);
  void slow_start(milliseconds takes); ///< All constructors from now on; 0 = at once.
  void slow_reconfigure(milliseconds takes);
  void slow_check(milliseconds takes);
  void use(const fault_plan& plan) { engine_.use(plan); } ///< Chances of all kinds of faults.

  random_source& chance() noexcept { return engine_.chance(); }
  simulation& engine() noexcept { return engine_; }

private:
  command_result say(std::string_view name, rollout_action action, std::uint64_t revision = 0);
  template <class Answer, class Question>
  Answer demand(Question question);
  bool rests();
  void count(errc code);

  simulation engine_;
  request_totals totals_;
  std::map<std::uint64_t, call_token>
      open_; ///< Requests without an outcome: kept here, since a call holds its continuation.
};

/// Runs `scenario(world)` for the seeds `first`, `first` + 1, ... What it throws is thrown on, after the seed and the
/// last steps were written to std::cerr: `world w{seed}` replays it.
void for_seeds(std::uint64_t count, const std::function<void(world&)>& scenario, std::uint64_t first = 1,
               world_options options = {});

// -- implementation

template <class Signature>
outcome<response_of<Signature>> world::request(std::string_view name, request_of<Signature> what,
                                               call_options options) {
  using response = response_of<Signature>;
  outcome<response> answer;
  const auto number = ++totals_.sent;
  answer.state_->give_up = [this, number] {
    if (const auto it = open_.find(number); it != open_.end())
      call_token{it->second}.cancel();
  };
  auto send = [this, number, state = answer.state_, to_name = parse_deployment_name(name), what = std::move(what),
               options = std::move(options)](caf::event_based_actor& self) mutable {
    const auto done = [this, number, state](result<response> x) {
      if (state->got)
        engine_.report(3, "a request has two outcomes");
      count(x.code());
      state->got.emplace(std::move(x));
      open_.erase(number);
    };
    const auto to = engine_.router_of(to_name);
    if (!to)
      return done(error{errc::unknown_deployment, "no deployment is named " + to_name.full()});
    const handle<Signature> h{to};
    auto token = h.request(&self, std::move(what), std::move(options))
                     .then([done](response x) { done(std::move(x)); }, [done](const error& why) { done(why); });
    if (!state->got)
      open_.emplace(number, std::move(token));
  };
  engine_.post(std::move(send), 1);
  return answer;
}

} // namespace troupe::testing
