// The rules for deployment specs (SPEC 1.1 names, 1.3 knobs, 1.6 limits), option by option and across options.
#include <troupe/messages/runtime_env.hpp>
#include <troupe/messages/spec_fields.hpp>
#include <troupe/messages/text.hpp>
#include <troupe/messages/validation.hpp>

#include <optional>

namespace troupe {
namespace {

constexpr std::string_view allowed_name = "1 to 128 characters of UTF-8 without control characters, '#' and '/'";
constexpr std::string_view allowed_version = "at most 256 characters of UTF-8 without control characters";

struct text_facts {
  std::size_t characters = 0;
  bool has_control = false;
};

// Nothing when it is not UTF-8 (overlong forms and surrogates included). C1 controls (U+0080 to U+009F) are controls
// too.
std::optional<text_facts> look_at(std::string_view text) {
  text_facts facts;
  for (std::size_t i = 0; i < text.size(); ++facts.characters) {
    const auto c = utf8_at(text, i);
    if (c.length == 0)
      return std::nullopt;
    facts.has_control = facts.has_control || c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0);
    i += c.length;
  }
  return facts;
}

json amount_json(std::string_view name, std::uint64_t amount) {
  return amount == no_amount ? json("no amount: negative, too large, or with more than 4 decimals")
                             : amount_to_json(name, amount);
}

// Checks each option by itself.
class checker {
public:
  explicit checker(std::vector<field_error>& errors) : errors_(errors) {}

  void name(std::string_view path, const std::string& x) {
    if (auto problem = name_problem(x))
      report(path, json(x), *problem);
  }

  void version(std::string_view path, const std::string& x) {
    if (auto problem = spec_fields::version_problem(x))
      report(path, json(x), *problem);
  }

  void document(std::string_view path, const json_doc& x) {
    if (spec_fields::has_error(errors_, path))
      return;
    if (auto problem = spec_fields::document_problem(x.get()))
      report(path, x.get(), *problem);
  }

  template <class Enum>
  void choice(std::string_view path, Enum x) {
    if (!wire::is_known(x))
      report(path, json(to_string(x)), spec_fields::allowed_choices<Enum>());
  }

  template <class Int>
  void integer(std::string_view path, Int x, const spec_fields::integer_rule& rule) {
    const auto value = static_cast<std::int64_t>(x);
    if (value < rule.min || value > rule.max)
      report(path, json(x), rule.allowed);
  }

  void queue_bound(std::string_view path, std::int64_t x, const spec_fields::integer_rule& rule) {
    if (x < rule.min || x == 0)
      report(path, json(x), rule.allowed);
  }

  void status_code(std::string_view path, std::uint32_t x) {
    if (x != 503 && x != 429)
      report(path, json(x), spec_fields::allowed_status_codes);
  }

  void retry_after(std::string_view path, std::uint32_t x) {
    if (std::chrono::seconds{x} > max_duration)
      report(path, json(x), spec_fields::allowed_retry_after);
  }

  void duration(std::string_view path, milliseconds x, const spec_fields::duration_rule& rule) {
    if (x < rule.min || x > max_duration)
      report(path, spec_fields::duration_to_json(x), rule.allowed);
  }

  void boolean(std::string_view, bool) {}

  void amount(std::string_view path, const resources& x, const spec_fields::amount_rule& rule) {
    if (const auto n = x.of(rule.resource); !spec_fields::is_amount(n, rule))
      report(path, amount_json(rule.resource, n), rule.allowed);
  }

  void custom_amounts(std::string_view path, const resources& x) {
    const auto own = spec_fields::custom_of(x);
    if (own.size() > spec_fields::max_custom_resources)
      report(path, json(own.size()), spec_fields::allowed_custom);
    for (const auto& a : own)
      if (!is_custom_resource(a.name) || a.amount > spec_fields::max_custom_amount)
        report(std::string(path) + '.' + spec_fields::excerpt_of_key(a.name), amount_json(a.name, a.amount),
               spec_fields::allowed_custom);
  }

  void labels(std::string_view path, const std::vector<label_rule>& x) {
    if (x.size() > max_label_rules)
      report(path, json(x.size()), spec_fields::allowed_labels);
    for (const auto& r : x) {
      const auto is_other = [&](const label_rule& other) { return &other == &r || other.key != r.key; };
      if (!is_label_rule(r) || !std::all_of(x.begin(), x.end(), is_other)) // of one label, one rule
        report(std::string(path) + '.' + spec_fields::excerpt_of_key(r.key), json(to_string(r)),
               spec_fields::allowed_labels);
    }
  }

  void share(std::string_view path, replica_share x) {
    if (x.value < 1 || x.value > (x.is_percent ? 100 : max_num_replicas))
      report(path, spec_fields::share_to_json(x), spec_fields::allowed_share);
  }

  void optional_share(std::string_view path, bool set, replica_share x) {
    if (set)
      share(path, x);
  }

private:
  void report(std::string_view path, const json& value, std::string_view allowed) {
    if (!spec_fields::has_error(errors_, path))
      errors_.push_back({std::string(path), spec_fields::excerpt(value), std::string(allowed)});
  }

  std::vector<field_error>& errors_;
};

void check_progress_deadline(const deployment_spec& spec, std::vector<field_error>& errors) {
  constexpr std::string_view path = "rolling_update.progress_deadline_s";
  const auto least = spec.rollout.min_ready + spec.startup_timeout; // at most twenty years
  if (spec.rollout.progress_deadline <= least)
    errors.push_back({std::string(path), spec_fields::duration_to_json(spec.rollout.progress_deadline).dump(),
                      "seconds, more than rolling_update.min_ready_s + startup_timeout_s (" +
                          spec_fields::duration_to_json(least).dump() + ")"});
}

// N = 10 at 20 %: 0 to 2. N = 1: start_first 0 to 1, stop_first 0.
void check_canary(const deployment_spec& spec, std::vector<field_error>& errors) {
  const bool stops_first = spec.rollout.strategy == rollout_strategy::stop_first;
  const auto& share = stops_first ? spec.rollout.max_unavailable : spec.rollout.max_surge;
  const auto wave = share.of(spec.num_replicas);
  const auto most = stops_first ? std::min(wave, spec.num_replicas - 1) : wave;
  if (spec.rollout.canary <= most)
    return;
  auto allowed = "an integer from 0 (none) to " + std::to_string(most) + ": at most what one wave replaces (" +
                 std::to_string(wave) + " of " + std::to_string(spec.num_replicas) + ")";
  if (stops_first)
    allowed += ", and with stop_first fewer than all";
  errors.push_back({"rolling_update.canary", std::to_string(spec.rollout.canary), allowed});
}

} // namespace

namespace spec_fields {

bool has_error(const std::vector<field_error>& errors, std::string_view path) {
  return std::any_of(errors.begin(), errors.end(), [path](const field_error& e) { return e.path == path; });
}

std::optional<std::string> version_problem(std::string_view version) {
  const auto facts = look_at(version);
  if (!facts || facts->has_control || facts->characters > max_version_length)
    return std::string(allowed_version);
  return std::nullopt;
}

void check(const deployment_spec& spec, std::vector<field_error>& errors) {
  checker each_option{errors};
  each(spec, each_option);
  check_across(spec, errors);
}

void check_across(const deployment_spec& spec, std::vector<field_error>& errors) {
  if (!has_error(errors, "runtime_env") && !has_error(errors, "isolation"))
    check_runtime_env(spec.runtime_env.get(), spec.isolation == isolation_mode::process, runtime_env_form::sealed,
                      errors);
  const auto all_good = [&errors](std::initializer_list<std::string_view> paths) {
    return std::none_of(paths.begin(), paths.end(), [&errors](std::string_view p) { return has_error(errors, p); });
  };
  if (all_good(
          {"rolling_update", "rolling_update.progress_deadline_s", "rolling_update.min_ready_s", "startup_timeout_s"}))
    check_progress_deadline(spec, errors);
  if (all_good({"rolling_update", "rolling_update.canary", "rolling_update.strategy", "rolling_update.max_surge",
                "rolling_update.max_unavailable", "rolling_update_percentage", "max_surge_percent", "num_replicas"}))
    check_canary(spec, errors);
}

} // namespace spec_fields

std::string to_string(const std::vector<field_error>& errors) {
  std::string result;
  for (const auto& e : errors) {
    if (!result.empty())
      result += '\n';
    result += e.path + ": " + e.value + " is not allowed; expected " + e.allowed;
  }
  return result;
}

std::vector<field_error> validate(const deployment_spec& spec) {
  std::vector<field_error> errors;
  spec_fields::check(spec, errors);
  return errors;
}

std::optional<std::string> name_problem(std::string_view name) {
  const auto facts = look_at(name);
  if (!facts || facts->has_control || facts->characters < 1 || facts->characters > max_name_length ||
      name.find_first_of("#/") != std::string_view::npos)
    return std::string(allowed_name);
  return std::nullopt;
}

} // namespace troupe
