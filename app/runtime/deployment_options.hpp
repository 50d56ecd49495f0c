// Describes the target of a deployment by named options; what is left out is at its default.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// From `[application/]name`: what stands before the first '/' is the application.
deployment_name parse_deployment_name(std::string_view text);

/// `deployment_options{"spell"}.version("1").num_replicas(10)`: every option of `deployment_spec`, whose comments say
/// units, defaults and bounds. Nothing is checked here; `runtime::run` reports all bad fields at once. A value.
class deployment_options {
public:
  deployment_options(std::string_view name);
  deployment_options(const char* name) : deployment_options(std::string_view{name}) {}
  deployment_options(const std::string& name) : deployment_options(std::string_view{name}) {}
  explicit deployment_options(deployment_spec spec) : spec_(std::move(spec)) {}

  const deployment_spec& spec() const noexcept { return spec_; }

  deployment_options& application(std::string x) { return set(spec_.application, std::move(x)); }

  // Code: a change replaces all replicas, in waves. Without a version every `run` does.
  deployment_options& version(std::string x) { return set(spec_.version, std::move(x)); }
  deployment_options& init_args(json x) { return set(spec_.init_args, json_doc{std::move(x)}); }
  deployment_options& execution(execution_mode x) { return set(spec_.execution, x); }

  // What each replica holds of the machine (`runtime_options::local`): code, too. Numbers as operators write them, with
  // at most 4 decimals; 0 = nothing. `per_replica` sets all at once, in the units of resources.hpp: 1/10000, bytes.
  deployment_options& num_cpus(double x) { return amount(resource_name::cpus, x); }
  deployment_options& num_gpus(double x) { return amount(resource_name::gpus, x); } ///< Above 1 only whole ones.
  deployment_options& memory(std::uint64_t bytes);
  deployment_options& resource(std::string_view name, double x); ///< One of your own.
  deployment_options& per_replica(resources x) { return set(spec_.per_replica, std::move(x)); }

  // On which nodes replicas run (`runtime_options::on_nodes`; without nodes only a strategy is taken): code, too.
  // Labels with "a", "!a", "in(a, b)" or "!in(a, b)". All of the selector must hold; nodes for which more of the
  // preferred ones hold come first.
  deployment_options& label_selector(const std::map<std::string, std::string>& x);
  deployment_options& preferred_labels(const std::map<std::string, std::string>& x);
  deployment_options& placement(placement_strategy x) { return set(spec_.where.strategy, x); }
  deployment_options& max_replicas_per_node(std::uint32_t x) { return set(spec_.where.max_replicas_per_node, x); }

  // Configuration: a change reaches running replicas through `reconfigure`.
  deployment_options& user_config(json x) { return set(spec_.user_config, json_doc{std::move(x)}); }

  // Light: a change touches no replica's code.
  deployment_options& num_replicas(std::uint32_t x) { return set(spec_.num_replicas, x); }
  deployment_options& max_ongoing_requests(std::uint32_t x) { return set(spec_.max_ongoing_requests, x); }
  deployment_options& max_queued_requests(std::int64_t x) { return set(spec_.max_queued_requests, x); }
  deployment_options& backpressure_status(std::uint32_t x) { return set(spec_.backpressure_status, x); }
  deployment_options& backpressure_retry_after(std::chrono::seconds x);
  deployment_options& graceful_shutdown_timeout(milliseconds x) { return set(spec_.graceful_shutdown_timeout, x); }
  deployment_options& health_check_period(milliseconds x) { return set(spec_.health_check_period, x); }
  deployment_options& health_check_timeout(milliseconds x) { return set(spec_.health_check_timeout, x); }
  deployment_options& startup_timeout(milliseconds x) { return set(spec_.startup_timeout, x); }
  deployment_options& stuck_after(milliseconds x) { return set(spec_.stuck_after, x); }
  deployment_options& max_start_attempts(std::uint32_t x) { return set(spec_.max_start_attempts, x); }
  deployment_options& idempotent(bool x = true) { return set(spec_.idempotent, x); }

  // Rolling update: all at once, or knob by knob. Light, too.
  deployment_options& rollout(rolling_update x) { return set(spec_.rollout, x); }
  deployment_options& strategy(rollout_strategy x) { return set(spec_.rollout.strategy, x); }
  deployment_options& max_surge(replica_share x) { return set(spec_.rollout.max_surge, x); }
  deployment_options& max_unavailable(replica_share x) { return set(spec_.rollout.max_unavailable, x); }
  deployment_options& reconfigure_wave(replica_share x) {
    spec_.rollout.has_reconfigure_wave = true;
    return set(spec_.rollout.reconfigure_wave, x);
  }
  deployment_options& surge_fallback(bool x) { return set(spec_.rollout.surge_fallback, x); }
  deployment_options& min_ready(milliseconds x) { return set(spec_.rollout.min_ready, x); }
  deployment_options& bake(milliseconds x) { return set(spec_.rollout.bake, x); }
  deployment_options& progress_deadline(milliseconds x) { return set(spec_.rollout.progress_deadline, x); }
  deployment_options& auto_rollback(bool x) { return set(spec_.rollout.auto_rollback, x); }
  deployment_options& canary(std::uint32_t x) { return set(spec_.rollout.canary, x); }

private:
  deployment_options& amount(std::string_view name, double x);

  template <class T>
  deployment_options& set(T& field, T value) {
    field = std::move(value);
    return *this;
  }

  deployment_spec spec_;
};

} // namespace troupe
