// Private to messages/: the options of a deployment in their JSON form, listed once for writing, reading and checking.
#pragma once

#include <troupe/messages/validation.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::spec_fields {

/// What may stand in an option. One sentence for wrong types and values out of range alike.
struct integer_rule {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view allowed;
};

struct duration_rule {
  milliseconds min{0};
  std::string_view allowed;
};

inline constexpr duration_rule zero_or_more{milliseconds{0}, "seconds, at least 0 and at most 315360000 (10 years)"};
inline constexpr duration_rule above_zero{milliseconds{1}, "seconds, more than 0 and at most 315360000 (10 years)"};

/// An amount of one resource.
struct amount_rule {
  std::string_view resource;
  std::uint64_t max = 0;        ///< In the resource's unit.
  bool whole_above_one = false; ///< Part of a device may be shared; several are only given whole, as in Ray.
  std::string_view allowed;
};

inline constexpr amount_rule cpu_amount{resource_name::cpus, 100'000 * resource_unit, false,
                                        "a number from 0 to 100000 with at most 4 decimals"};
inline constexpr amount_rule gpu_amount{resource_name::gpus, 10'000 * resource_unit, true,
                                        "a number from 0 to 10000 with at most 4 decimals, above 1 a whole one"};
inline constexpr amount_rule memory_amount{resource_name::memory, std::uint64_t{1} << 50U, false,
                                           "bytes, an integer from 0 to 1125899906842624 (1 PiB)"};
inline constexpr std::uint64_t max_custom_amount = 1'000'000'000 * resource_unit;
inline constexpr std::size_t max_custom_resources = 32;
inline constexpr std::string_view allowed_custom =
    "an object of at most 32 names (1 to 64 letters, digits, _ - . : /; not num_cpus, num_gpus, memory, CPU, GPU, "
    "object_store_memory, max_replicas) with numbers from 0 to 1000000000 of at most 4 decimals";

inline constexpr std::string_view allowed_labels = "an object of at most 32 labels, each with \"a\", \"!a\", \"in(a, "
                                                   "b)\" or \"!in(a, b)\" (labels of 1 to 128 characters "
                                                   "without '#' and '/', values also without ',', '(', ')' and '!')";

/// Calls `v` for each option as `v(path, field[, rule])`; in a path "a.b", b is a member of the object a.
template <class Spec, class Visitor>
void each(Spec& s, Visitor& v) {
  v.name("application", s.application);
  v.name("name", s.name);
  v.version("version", s.version);
  v.document("init_args", s.init_args);
  v.choice("execution", s.execution);
  v.choice("isolation", s.isolation);
  v.integer("replicas_per_worker", s.replicas_per_worker, integer_rule{1, 1000, "an integer from 1 to 1000"});
  v.document("runtime_env", s.runtime_env);
  v.amount("ray_actor_options.num_cpus", s.per_replica, cpu_amount);
  v.amount("ray_actor_options.num_gpus", s.per_replica, gpu_amount);
  v.amount("ray_actor_options.memory", s.per_replica, memory_amount);
  v.custom_amounts("ray_actor_options.resources", s.per_replica);
  v.labels("ray_actor_options.label_selector", s.where.required);
  v.labels("preferred_labels", s.where.preferred);
  v.choice("placement_strategy", s.where.strategy);
  v.integer("max_replicas_per_node", s.where.max_replicas_per_node,
            integer_rule{0, max_num_replicas, "an integer from 0 (no bound) to 10000000"});
  v.document("user_config", s.user_config);
  v.integer("num_replicas", s.num_replicas, integer_rule{1, max_num_replicas, "an integer from 1 to 10000000"});
  v.integer("max_ongoing_requests", s.max_ongoing_requests, integer_rule{1, 1'000'000, "an integer from 1 to 1000000"});
  v.queue_bound("max_queued_requests", s.max_queued_requests,
                integer_rule{-1, INT64_MAX, "-1 (no bound) or an integer of at least 1"});
  v.status_code("backpressure_config.status_code", s.backpressure_status);
  v.retry_after("backpressure_config.retry_after_s", s.backpressure_retry_after_s);
  v.duration("graceful_shutdown_timeout_s", s.graceful_shutdown_timeout, zero_or_more);
  v.duration("health_check_period_s", s.health_check_period, above_zero);
  v.duration("health_check_timeout_s", s.health_check_timeout, above_zero);
  v.duration("startup_timeout_s", s.startup_timeout, above_zero);
  v.duration("stuck_after_s", s.stuck_after, above_zero);
  v.integer("max_start_attempts", s.max_start_attempts, integer_rule{1, 1000, "an integer from 1 to 1000"});
  v.boolean("idempotent", s.idempotent);
  auto& r = s.rollout;
  v.choice("rolling_update.strategy", r.strategy);
  v.share("rolling_update.max_surge", r.max_surge);
  v.share("rolling_update.max_unavailable", r.max_unavailable);
  v.optional_share("rolling_update.reconfigure_wave", r.has_reconfigure_wave, r.reconfigure_wave);
  v.boolean("rolling_update.surge_fallback", r.surge_fallback);
  v.duration("rolling_update.min_ready_s", r.min_ready, zero_or_more);
  v.duration("rolling_update.bake_s", r.bake, zero_or_more);
  v.duration("rolling_update.progress_deadline_s", r.progress_deadline, above_zero);
  v.boolean("rolling_update.auto_rollback", r.auto_rollback);
  v.integer("rolling_update.canary", r.canary,
            integer_rule{0, max_num_replicas, "an integer from 0 (none) to 10000000"});
}

/// The values of `Enum` by name: "pool", "inline" or "thread".
template <class Enum>
std::string allowed_choices() {
  std::string result;
  const auto last = static_cast<int>(last_enumerator(Enum{}));
  for (int i = 0; i <= last; ++i) {
    if (i != 0)
      result += i == last ? " or " : ", ";
    result += '"' + to_string(static_cast<Enum>(i)) + '"';
  }
  return result;
}

inline constexpr std::string_view allowed_status_codes = "503 or 429";
inline constexpr std::string_view allowed_retry_after =
    "seconds, at least 0 (0: no header) and at most 315360000; or null";
inline constexpr std::string_view allowed_share = "\"1%\" to \"100%\", or a count of replicas from 1 to 10000000";

/// The first up to `max_excerpt` bytes of `value` as text, cut between characters; safe for any depth and size.
std::string excerpt(const json& value);
/// The same for a text that is no value (the name of an option): without quotes.
std::string excerpt_of_key(std::string_view key);
inline constexpr std::size_t max_excerpt = 100;

/// What is wrong with a document (`init_args`, `user_config`): the sentence of what is allowed, or nothing.
std::optional<std::string> document_problem(const json& value);
/// Whether `value` nests at most `json_doc::max_depth` levels; everything else that recurses asks this first.
bool is_shallow(const json& value, int levels = json_doc::max_depth);

std::optional<std::string> version_problem(std::string_view version);

/// Nothing for what is no integer of 64 bits; 3.0 is one, true is none.
std::optional<std::int64_t> to_integer(const json& value);
/// Seconds within [0, max_duration]; nothing for all else, NaN included.
std::optional<double> to_seconds(const json& value);
/// "1%" to "100%", or a count from 1 to `max_num_replicas`.
std::optional<replica_share> to_share(const json& value);
/// One to three digits and nothing else.
std::optional<std::uint32_t> digits_to_number(std::string_view text);

/// The amount that `value` says, in the resource's unit; nothing for what `rule` does not allow.
std::optional<std::uint64_t> to_amount(const json& value, const amount_rule& rule);
/// Whether `amount` is within `rule`.
bool is_amount(std::uint64_t amount, const amount_rule& rule);
/// The resources of the operator's own in `x`.
std::vector<resource_amount> custom_of(const resources& x);

/// Seconds: an integer where it is one.
json duration_to_json(milliseconds x);
json share_to_json(replica_share x);

/// Whether one of `errors` is about `path`.
bool has_error(const std::vector<field_error>& errors, std::string_view path);
/// Adds what is wrong with `spec` where `errors` does not tell of that option yet. Rules that span several options are
/// only checked when all of these are good.
void check(const deployment_spec& spec, std::vector<field_error>& errors);
/// Only the rules that span several options.
void check_across(const deployment_spec& spec, std::vector<field_error>& errors);

} // namespace troupe::spec_fields
