// The embedding front door: runs deployments of actors in a host's actor system, or in one of its own.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/handle/handle_type.hpp>
#include <troupe/app/runtime/conditions.hpp>
#include <troupe/app/runtime/deployment_options.hpp>
#include <troupe/app/runtime/errors.hpp>
#include <troupe/app/runtime/runtime_options.hpp>
#include <troupe/messages/control.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// Figures of one deployment, taken without asking an actor.
struct deployment_metrics {
  deployment_name name;
  std::uint64_t queued = 0;                    ///< Requests that wait for a replica.
  std::uint64_t ongoing = 0;                   ///< Requests sent to replicas and not yet finished.
  std::uint64_t overdue = 0;                   ///< Handlers that still run though the caller has its outcome.
  std::map<std::string, std::uint64_t> events; ///< By kind, since its first deploy ("wave_ended", "replica_died", ...).
};

/// Thread-safe. All functions that ask about or change deployments block until there is an answer (`remove` until the
/// deployment is gone), so they are for plain threads: inside an actor or a handler of execution `pool` they would hold
/// up a scheduler thread (there, ask `controller()`), and inside a hook they throw `std::logic_error`. Errors are
/// thrown as `command_failed`: `unknown_deployment` (with what there is), `rejected`, `unavailable`.
///
/// Names are `[application/]name`; the application is "default" unless said. It installs no signal handlers and prints
/// nothing; several runtimes in one process, or in one actor system, do not know of each other.
class runtime {
public:
  /// In the host's system, which must outlive the runtime. Throws `command_failed` (`not_registered`) unless the
  /// system's configuration went through `register_messages`.
  explicit runtime(caf::actor_system& host, runtime_options options = {});
  /// With an actor system of its own.
  explicit runtime(runtime_options options = {});
  /// Drains all deployments, at most `shutdown_timeout`, then ends whatever is left. Those that hold handles to others,
  /// got while their user code ran (in a constructor, most often), stop before these. No actor of the runtime and no
  /// thread remain, except those whose user code does not return: these are told by `on_log` and an event
  /// "still_running". (With a system of its own it waits for these, as CAF does.) Not from within a hook or a handler.
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Instead of `runtime_options::shutdown_timeout`. Not during the destruction.
  void set_shutdown_timeout(milliseconds at_most);

  // -- deploying: creates or updates; declarative, the last accepted target wins

  /// Runs class T, constructed from nothing or from `init_args`. Throws `deploy_error` with all bad fields at once.
  template <class T>
  command_result run(deployment_options what) {
    return run(std::move(what), make_code<T>());
  }
  /// `make` returns a T or a unique_ptr of one, from nothing or `const json&`; it is called on many threads.
  template <class T, class Factory>
  command_result run(deployment_options what, Factory make) {
    return run(std::move(what), make_code<T>(std::move(make)));
  }
  command_result run(deployment_options what, std::shared_ptr<const code> user_code);

  template <class T>
  result<command_result> try_run(deployment_options what) {
    return try_run(std::move(what), make_code<T>());
  }
  template <class T, class Factory>
  result<command_result> try_run(deployment_options what, Factory make) {
    return try_run(std::move(what), make_code<T>(std::move(make)));
  }
  result<command_result> try_run(deployment_options what, std::shared_ptr<const code> user_code);

  /// As `try_run` for a spec that was read or built elsewhere, and code with the name under which it is stored.
  result<command_result> try_deploy(deployment_spec spec, code_ref user_code);
  /// Takes up a deployment where a snapshot left it: as many replicas of each revision as its rollout position says.
  /// `rejected` when it runs already. Where others are restored with it (`others_follow`), it takes no more room than
  /// it had until `finish_restoration`, so that each gets its own back.
  command_result restore(std::shared_ptr<const stored_deployment> state, bool others_follow = false);
  void finish_restoration();

  // -- requests

  /// `handle<pong(ping)>(name)`, or `handle<T>(name)` for all that class T answers. Does not block. It stays good
  /// through rollouts, and through a delete followed by a new deploy; after the runtime its requests fail. Throws
  /// `unknown_deployment` before the first accepted deploy, `signature_mismatch` when the code of the last accepted
  /// deploy does not answer one of them.
  template <class... Ts>
  typename detail::handle_type<Ts...>::type handle(std::string_view name) const {
    using type = detail::handle_type<Ts...>;
    return typename type::type{find_router(name, type::wanted())};
  }
  /// What such a handle sends to, for callers whose signatures are known at run time only. Throws the same.
  std::shared_ptr<router> find_router(std::string_view name, const std::vector<signature_info>& wanted) const;

  // -- control

  command_result scale(std::string_view name, std::uint32_t num_replicas); ///< 0 holds all requests.
  command_result pause(std::string_view name);
  command_result resume(std::string_view name);
  command_result promote(std::string_view name);
  command_result abort(std::string_view name);
  /// With `loaded_anew` the new replicas run that code, a fresh copy of what they ran; else what is loaded.
  command_result restart(std::string_view name, code_ref loaded_anew = {});
  /// 0 = the one before the target. `loaded_anew` as for `restart`.
  command_result rollback(std::string_view name, std::uint64_t revision = 0, code_ref loaded_anew = {});
  /// Drains and removes; returns when it is gone. `rejected` when a deploy of that name comes first.
  void remove(std::string_view name);
  /// As `remove`, but returns when the controller has been told.
  void begin_remove(std::string_view name);

  // -- seeing

  deployment_status status(std::string_view name, bool with_replicas = true) const;
  std::vector<application_status> applications(bool with_replicas = false) const;
  deployment_spec config(std::string_view name) const;             ///< Every option, defaults included, as it runs.
  std::vector<revision_info> history(std::string_view name) const; ///< Oldest first.
  std::vector<deployment_metrics> metrics() const;                 ///< Does not block.
  resource_report resources() const; ///< What there is, and what replicas hold or are promised.
  /// Replicas that are given up and whose user code still runs, those of removed deployments included.
  std::uint32_t given_up() const;
  bool healthy() const { return given_up() < most_given_up; } ///< As a process: SPEC 1.6.
  static constexpr std::uint32_t most_given_up = 8;

  // -- waiting: looks again at every event of the deployment, and ten times a second for what has no event

  using condition = std::function<bool(const deployment_status&)>; ///< Gets a status without its replicas.

  /// Whether `done` held before `timeout` was over.
  [[nodiscard]] bool wait_until(std::string_view name, const condition& done, milliseconds timeout) const;
  /// False also as soon as the rollout has failed.
  [[nodiscard]] bool wait_until_healthy(std::string_view name, milliseconds timeout) const;
  [[nodiscard]] bool wait_until_settled(std::string_view name, milliseconds timeout) const;

  // -- for actors

  caf::actor_system& system() const;
  /// Takes the messages of messages/control.hpp from actors, which must not block.
  const controller_actor& controller() const;
  /// What its actors share: for control actors beside them.
  const std::shared_ptr<const control::environment>& environment() const;

private:
  struct core;
  command_result command(std::string_view name, rollout_action action, std::uint64_t revision = 0, code_ref code = {});
  std::unique_ptr<core> core_;
};

} // namespace troupe
