// The applications of a daemon: from their config to deployments, durable before it is acknowledged, taken up again.
#pragma once

#include <troupe/app/config/diff.hpp>
#include <troupe/app/config/targets.hpp>
#include <troupe/app/daemon/blame.hpp>
#include <troupe/app/daemon/code_name.hpp>
#include <troupe/app/daemon/refusal.hpp>
#include <troupe/app/daemon/trial.hpp>
#include <troupe/app/ingress/route_table.hpp>
#include <troupe/app/library/crash_recorder.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/library/runtime_lookup.hpp>
#include <troupe/app/runtime/runtime.hpp>
#include <troupe/app/secrets/secrets.hpp>
#include <troupe/app/storage/database.hpp>
#include <troupe/app/worker/pool.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::packages {
class package_store;
}

namespace troupe::daemon {

/// As HTTP says it.
refusal of_error(const error& why);
/// 404, with the applications that there are.
refusal unknown_application(const std::string& name, const std::vector<std::string>& known);

/// `refused`: nothing was changed, unless said.
template <class T>
struct outcome_of {
  T value{};
  std::optional<refusal> refused{};
  explicit operator bool() const noexcept { return !refused; }
};

struct accepted_application {
  std::string name;
  std::uint64_t revision = 0;
  std::map<std::string, command_result> deployments;
  std::vector<std::string> warnings{}; ///< What was not done although it may be meant.
};

/// What became of a whole config: each application has an outcome of its own.
struct accepted_config {
  /// A refused one was broken off: its value says what had been accepted.
  std::map<std::string, outcome_of<accepted_application>> applications;
  std::map<std::string, outcome_of<bool>> removed;
};

/// One line of a plan.
struct planned_change {
  std::string application;
  std::string deployment;
  change_kind change = change_kind::none;
  bool removes = false;
  std::vector<config::field_change> fields{};
  std::string text;
  std::string warning{}; ///< As of an accepted application; empty = none.
};

/// What is known of an application besides its deployments. A value.
struct application_facts {
  std::string name;
  std::uint64_t revision = 0; ///< Counts accepted configs that changed something, rollbacks, aborts and restarts.
  std::optional<std::string> route_prefix;
  std::string import_path;
  std::string digest;
  json given = json::object();
  double deployed_at_s = 0; ///< Unix time.
  std::string failure;      ///< Its code cannot be loaded, or its change was broken off; empty otherwise.
  std::string ingress;      ///< Deployment; empty = none answers HTTP.
};

/// Thread-safe; every function blocks (loading runs user code), changes one after the other.
class applications {
public:
  struct parts {
    storage::database& db;
    library::store& files;
    library::loader& code;
    runtime& rt;
    std::function<void(std::vector<ingress::route>)> set_routes;
    std::function<void(log_level, const std::string&)> log;
    /// Those of nodes that take HTTP: the same, or none where `proxy_location` is HeadOnly. Empty: there are no nodes.
    std::function<void(const std::vector<ingress::route>&)> set_node_routes{};
    worker::pool* workers = nullptr;                  ///< Null: `isolation: process` is refused.
    std::shared_ptr<const secrets::keeper> secrets{}; ///< None: no reference can be resolved.
    packages::package_store* packages = nullptr;      ///< Null: no `runtime_env` has a package.
    bool on_nodes = false;                            ///< No user code is loaded here: `workers` describe it.
  };
  explicit applications(parts p);
  ~applications(); ///< Code that looks for others is told that the runtime has stopped.

  /// Takes up what is stored: each deployment where it was, code of revisions that crashed the process twice within ten
  /// minutes left out (quarantined), unfinished changes finished.
  void restore(std::vector<library::crash_record> crashes);

  /// Creates or updates one. `expected`: 412 unless its revision is that.
  outcome_of<accepted_application> deploy(const config::application& app, std::optional<std::uint64_t> expected);
  /// Creates or updates all applications of `what`, with `prune` removes all others; sets its `proxy_location`. All
  /// are looked at together before the first change; refused, nothing has changed. A store that fails later breaks off
  /// one application, not the others. `keep_going`: code that cannot be loaded is accepted and shown as DEPLOY_FAILED,
  /// as Ray does.
  outcome_of<accepted_config> deploy_all(const config::document& what, bool prune, bool keep_going);
  /// As a start does it with its config file: as `deploy_all` that keeps going and removes nothing, but what is
  /// quarantined stays out, since nobody has asked for it again.
  outcome_of<accepted_config> deploy_at_start(const config::document& what);
  /// Paths of bad fields are those of the whole config, here and in `deploy_all`.
  outcome_of<std::vector<planned_change>> plan(const std::vector<config::application>& apps, bool prune);
  /// Accepted when it is durable; the deployments drain after that.
  outcome_of<bool> remove(const std::string& name);

  outcome_of<command_result> scale(const deployment_name& name, std::uint32_t num_replicas,
                                   std::optional<std::uint64_t> expected);
  /// Rollback and restart load the code anew.
  outcome_of<command_result> control(const deployment_name& name, rollout_action action, std::uint64_t revision,
                                     std::optional<std::uint64_t> expected);

  // -- trials (SPEC 4): what runs has not shown yet that it does not end the process

  /// To be called once per second or so: who has been fully available for long enough has stood its trial.
  void look_at_trials(std::chrono::steady_clock::time_point now);
  /// At a clean stop: the crashes until now do not count any more.
  void end_well();
  std::vector<deployment_name> on_trial() const;

  config::proxy_location proxies() const;
  /// After a config that says `given`, with `prune` or without: what a whole config leaves out is at its default.
  config::proxy_location proxies_after(std::optional<config::proxy_location> given, bool prune) const;
  std::vector<application_facts> facts() const;
  std::vector<std::string> names() const;

private:
  static constexpr const char* kind = "application"; ///< Of its documents in the database.
  static constexpr const char* trial_kind = "trial";
  /// Of what a config says besides applications.
  static constexpr const char* setting_kind = "setting";
  static constexpr const char* proxies_key = "proxy_location";
  /// Of refusals that must not keep the daemon from starting.
  static constexpr const char* no_secret_code = "secret_unavailable";
  static constexpr const char* no_package_code = "package_unusable";
  /// By application: the config and the bytes that are quarantined, so that a start with that config leaves them out.
  static constexpr const char* quarantine_kind = "quarantine";

  struct record {
    application_facts facts;
    config::application app;
    bool finished = true;
    bool deleting = false;
    std::vector<std::string> deployments; ///< That it declares; those of an older change are on their way out.
    std::optional<library::application_code> code;
    json code_key; ///< What `code` was loaded for.
  };

  struct prepared {
    std::string digest;
    library::application_code code;
    json code_key;
    std::vector<config::target> targets;
    /// By target: the kept revision that has the target's written version, but other bytes.
    std::vector<std::optional<stored_release>> same_version;
    /// The name under which it is stored.
    std::string code_of(const config::application& app, const std::string& deployment) const;
  };
  outcome_of<prepared> prepare(const config::application& given);
  bool is_described(const config::application& app) const;
  result<library::application_code> load_or_describe(const config::application& app, const std::string& digest);
  result<library::application_code> load_here(const config::application& app, const std::string& digest);
  std::optional<error> give_workers(const config::application& app, prepared& what);
  /// "deployments[2]", where it has a place in the config.
  static std::string path_of(const config::application& app, const std::string& deployment);

  // Sealing: applications_sealed.cpp.
  class unsealed;
  std::optional<refusal> seal_configs(const config::application& app, std::vector<config::target>& targets) const;
  outcome_of<config::application> seal_environments(config::application app) const;
  void seal_environment(json& env, const std::string& path, unsealed& wrong) const;
  json seal_secrets(const json& x, const std::string& path, unsealed& wrong) const;

  result<library::application_code> load(library::load_request what);
  /// All that is wrong is one refusal. `keep_going`: what cannot be loaded is no fault, but refused in its place.
  outcome_of<std::vector<outcome_of<prepared>>> prepare_all(const std::vector<config::application>& apps, bool prune,
                                                            bool keep_going, bool at_start);
  outcome_of<accepted_config> change_all(const config::document& what, bool prune, bool keep_going, bool at_start);
  std::optional<refusal> route_conflict(const config::application& app,
                                        const std::set<std::string>& others_change) const;
  /// The kept revision that has the written version of `x`, and the same code but for its bytes.
  std::optional<stored_release> same_version(const config::target& x, const std::string& digest) const;
  static std::string version_warning(const config::target& x, const stored_release& known, const std::string& digest);
  std::optional<stored_deployment> stored(const deployment_name& name) const;

  std::shared_ptr<library::runtime_lookup> lookup_of(const std::string& name);
  result<library::application_code> load(const stored_release& what, const std::string& application);
  result<code_ref> load_code(const stored_release& what, const deployment_name& name);
  outcome_of<command_result> answer(const std::function<command_result()>& command);
  std::optional<refusal> moved(const std::string& name, std::optional<std::uint64_t> expected) const;
  error store(const record& r, std::vector<storage::change> beside = {});
  void keep(const record& r);

  planned_change plan_one(const config::application& app, const prepared& next, std::size_t index) const;
  outcome_of<accepted_application> deploy_one(const config::application& app, outcome_of<prepared> ready);
  void finish(record& r, const prepared& what, bool same, accepted_application& out);
  refusal broken_off(const record& before, record now, const accepted_application& done, const error& why);
  outcome_of<bool> remove_one(const std::string& name);
  void note_control(const std::string& application);
  void publish();
  void restore_proxies();
  std::optional<refusal> set_proxies(config::proxy_location next);
  void restore_deployment(stored_deployment d, std::map<std::string, library::application_code>& loaded);
  void finish_restored(record r);
  struct needed;
  needed needed_by_revisions() const;
  void drop_unused_code();
  void drop_unused_packages();

  // Trials and quarantine: applications_quarantine.cpp.
  void begin_trial(const deployment_name& name, const std::string& what, std::vector<storage::change>& changes);
  void begin_trials(const config::application& app, const prepared& ready, std::vector<storage::change>& changes);
  std::uint64_t whole_revision(const deployment_name& name) const;
  void forget_trial(const deployment_name& name, std::vector<storage::change>& changes);
  std::set<std::string> digests_of(const std::string& digest) const;
  suspect suspect_of(const stored_deployment& d, std::uint64_t revision) const;
  std::optional<suspect> pending_suspect(const deployment_name& name, const trial& x) const;
  void judge(stored_deployment& d);
  void judge_pending(const suspect& x);
  void sentence(const deployment_name& name, trial verdict, const std::string& why,
                std::vector<storage::change> changes);
  storage::change quarantine_of(const std::string& application, const json& given, const std::string& digest,
                                const std::string& why) const;
  std::optional<refusal> quarantined(const config::application& app);

  parts p_;
  std::mutex changing_;      ///< Held over a whole change.
  mutable std::mutex mutex_; ///< Of `records_` and `proxies_`.
  std::map<std::string, record> records_;
  config::proxy_location proxies_ = config::proxy_location::every_node;
  std::map<std::string, std::shared_ptr<library::runtime_lookup>> lookups_;
  /// Loaded for a plan, or for a change that was refused, and not run yet: the next change with the same bytes and args
  /// takes it. One per application.
  std::map<std::string, std::pair<json, library::application_code>> spares_;
  std::map<std::string, std::shared_ptr<const code>> codes_; ///< That has run, by the name it is stored under.

  // Under `changing_`:
  std::map<deployment_name, trial> trials_;
  trial_clock clock_;
  std::vector<library::crash_record> crashes_; ///< Of earlier processes.
  std::vector<suspect> suspects_;              ///< During `restore`.
  std::set<std::string> judged_;               ///< Applications of which something was quarantined at this start.
};

} // namespace troupe::daemon
