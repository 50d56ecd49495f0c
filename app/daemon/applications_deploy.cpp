// How the config of an application becomes what runs: prepare (nothing changes), store, deploy, store that it is done.
#include <troupe/actors/controller/admission.hpp>
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/isolated_code.hpp>
#include <troupe/app/secrets/resolving_code.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::daemon {

namespace {

double unix_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// What is refused in several applications of one config, as one.
class all_refused {
public:
  void add(std::size_t index, const std::string& application, refusal x) {
    const auto at = "applications[" + std::to_string(index) + "].";
    for (auto& f : x.fields)
      f.path.insert(0, at);
    const auto text = x.fields.empty() ? "application " + application + ": " + x.message : config::to_string(x.fields);
    if (!all_)
      all_ = refusal{x.status, x.code, text, {}};
    else {
      all_->message += '\n' + text;
      if (all_->code != x.code)
        all_->code = "invalid_config";
      if (all_->status != x.status)
        all_->status = 400;
    }
    all_->fields.insert(all_->fields.end(), std::make_move_iterator(x.fields.begin()),
                        std::make_move_iterator(x.fields.end()));
  }
  std::optional<refusal> take() { return std::move(all_); }

private:
  std::optional<refusal> all_;
};

/// As it would be in a whole config: where it stands in the address, the name may be left out.
json with_name(json given, const std::string& name) {
  if (given.is_object())
    given["name"] = name;
  return given;
}

} // namespace

std::string applications::prepared::code_of(const config::application& app, const std::string& deployment) const {
  return to_string(code_name{code.digest, code.import_path, app.args, deployment});
}

// -- preparing: nothing changes --------------------------------------------------------------------------------------

outcome_of<applications::prepared> applications::prepare(const config::application& given) {
  const auto stored = p_.files.put(given.import_path);
  if (!stored)
    return {{}, of_error(stored.why())};
  const auto sealed = seal_environments(given);
  if (!sealed)
    return {{}, sealed.refused};
  const auto& app = sealed.value;
  prepared out;
  out.digest = stored->digest;
  out.code_key = code_key(app, out.digest);
  std::optional<library::application_code> known; // the same bytes and arguments are not loaded again
  {
    const std::lock_guard guard{mutex_};
    const auto it = records_.find(app.name);
    if (it != records_.end() && it->second.code && it->second.code_key == out.code_key)
      known = it->second.code;
  }
  const auto spare = spares_.find(app.name);
  if (!known && spare != spares_.end() && spare->second.first == out.code_key)
    known = spare->second.second;
  const bool fresh = !known;
  if (fresh) {
    auto loaded = load_or_describe(app, out.digest);
    if (!loaded)
      return {{}, of_error(loaded.why())};
    known = std::move(*loaded);
  }
  out.code = std::move(*known);
  std::vector<deployment_spec> defaults;
  for (const auto& d : out.code.deployments)
    defaults.push_back(d.defaults);
  auto targets = config::targets_for(app, defaults, out.digest);
  if (!targets.ok())
    return {{}, refusal{400, "invalid_config", config::to_string(targets.errors), targets.errors}};
  out.targets = std::move(targets.targets);
  if (fresh) {
    if (const auto why = give_workers(app, out))
      return {{}, of_error(*why)};
    spares_.insert_or_assign(app.name, std::pair{out.code_key, out.code});
  }
  std::vector<config::problem> unfit;
  for (std::size_t i = 0; i < out.targets.size(); ++i) {
    const auto& spec = out.targets[i].spec;
    const auto& traits = out.code.deployments[i].user_code->traits();
    const auto refuse = [&](const char* field, const json& value, const char* why) {
      unfit.push_back(
          {"", 0, 0, path_of(app, spec.name) + '.' + field, value.dump().substr(0, 100), "null: " + traits.name + why});
    };
    if (!spec.user_config.is_null() && !traits.has_reconfigure)
      refuse("user_config", spec.user_config.get(), " has no reconfigure");
    if (!spec.init_args.is_null() && !traits.takes_init_args)
      refuse("init_args", spec.init_args.get(), " takes no init_args");
    if (!p_.on_nodes)
      for (const auto& p : controller::placement_problems(spec.where))
        unfit.push_back({"", 0, 0, path_of(app, spec.name) + '.' + p.path, p.value, p.allowed});
    out.same_version.push_back(same_version(out.targets[i], out.digest));
  }
  if (!unfit.empty())
    return {{}, refusal{400, "invalid_config", config::to_string(unfit), unfit}};
  if (auto why = seal_configs(app, out.targets))
    return {{}, std::move(why)};
  return {std::move(out)};
}

/// What it loads resolves references to secrets.
result<library::application_code> applications::load(library::load_request what) {
  auto loaded = p_.code.load(std::move(what));
  if (loaded)
    for (auto& d : loaded->deployments)
      d.user_code = secrets::resolving(std::move(d.user_code), p_.secrets);
  return loaded;
}

std::optional<stored_release> applications::same_version(const config::target& x, const std::string& digest) const {
  if (!x.version_is_written)
    return std::nullopt;
  const auto d = stored({x.spec.application, x.spec.name});
  if (!d || d->deleting)
    return std::nullopt;
  const auto& spec = x.spec;
  const stored_release* found = nullptr;
  const auto rank = [&](const stored_release* r) { // replicas of the target and of the base may run
    return !r ? 0 : r->revision == d->target ? 3 : r->revision == d->base ? 2 : 1;
  };
  for (const auto& r : d->releases) {
    const auto& print = r.user_code.fingerprint;
    if (r.spec.version == spec.version && r.spec.init_args == spec.init_args && r.spec.execution == spec.execution &&
        r.spec.isolation == spec.isolation && r.spec.replicas_per_worker == spec.replicas_per_worker &&
        r.spec.runtime_env == spec.runtime_env && (print.empty() || print == x.fingerprint) && rank(&r) >= rank(found))
      found = &r;
  }
  return found && digest_of(*found) != digest ? std::optional{*found} : std::nullopt;
}

std::string applications::version_warning(const config::target& x, const stored_release& known,
                                          const std::string& digest) {
  return x.spec.full_name() + ": version \"" + x.spec.version + "\" is written, and known from revision " +
         std::to_string(known.revision) + " with other bytes of the library (" + digest_of(known).substr(0, 12) +
         ", now " + digest.substr(0, 12) + "): the new bytes are not run; write another version, or none, to roll " +
         "them out";
}

outcome_of<std::vector<outcome_of<applications::prepared>>>
applications::prepare_all(const std::vector<config::application>& apps, bool prune, bool keep_going, bool at_start) {
  std::set<std::string> changing;
  for (const auto& app : apps)
    changing.insert(app.name);
  if (prune)
    for (auto& name : names())
      changing.insert(std::move(name));
  std::vector<outcome_of<prepared>> out;
  all_refused wrong;
  for (std::size_t i = 0; i < apps.size(); ++i) {
    if (auto taken = route_conflict(apps[i], changing))
      wrong.add(i, apps[i].name, std::move(*taken));
    auto kept_out = at_start ? quarantined(apps[i]) : std::nullopt;
    auto& ready = out.emplace_back(kept_out ? outcome_of<prepared>{{}, std::move(kept_out)} : prepare(apps[i]));
    // A secret or package that is away must not keep the daemon, and all else in it, from starting.
    const auto is_away = [&] {
      return ready.refused->code == no_secret_code || ready.refused->code == no_package_code;
    };
    const bool goes_on = !ready && ((keep_going && ready.refused->fields.empty()) || (at_start && is_away()));
    if (!ready && !goes_on)
      wrong.add(i, apps[i].name, *ready.refused);
  }
  if (auto why = wrong.take())
    return {{}, std::move(why)};
  return {std::move(out)};
}

std::optional<refusal> applications::route_conflict(const config::application& app,
                                                    const std::set<std::string>& others_change) const {
  if (!app.route_prefix)
    return std::nullopt;
  for (const auto& f : facts())
    if (f.name != app.name && !others_change.contains(f.name) && f.route_prefix == app.route_prefix)
      return refusal{409,
                     "route_taken",
                     "route_prefix: " + *app.route_prefix + " belongs to the application " + f.name + " already",
                     {{"", 0, 0, "route_prefix", json(*app.route_prefix).dump(),
                       "a prefix that no other application has; " + f.name + " has this one"}}};
  return std::nullopt;
}

// -- changing --------------------------------------------------------------------------------------------------------

outcome_of<accepted_application> applications::deploy(const config::application& app,
                                                      std::optional<std::uint64_t> expected) {
  const std::lock_guard one{changing_};
  if (auto late = moved(app.name, expected))
    return {{}, std::move(late)};
  if (auto taken = route_conflict(app, {}))
    return {{}, std::move(taken)};
  auto ready = prepare(app);
  if (!ready) {
    drop_unused_packages();
    return {{}, std::move(ready.refused)};
  }
  auto out = deploy_one(app, std::move(ready));
  publish();
  drop_unused_code();
  return out;
}

outcome_of<accepted_config> applications::deploy_all(const config::document& what, bool prune, bool keep_going) {
  const std::lock_guard one{changing_};
  return change_all(what, prune, keep_going, false);
}

outcome_of<accepted_config> applications::change_all(const config::document& what, bool prune, bool keep_going,
                                                     bool at_start) {
  const auto& apps = what.applications;
  auto ready = prepare_all(apps, prune, keep_going, at_start);
  if (!ready) {
    drop_unused_packages();
    return {{}, std::move(ready.refused)};
  }
  if (auto why = set_proxies(proxies_after(what.proxies, prune)))
    return {{}, std::move(why)};
  accepted_config out;
  if (prune)
    for (const auto& name : names())
      if (std::none_of(apps.begin(), apps.end(), [&](const auto& app) { return app.name == name; }))
        out.removed.emplace(name, remove_one(name));
  for (std::size_t i = 0; i < apps.size(); ++i)
    out.applications.emplace(apps[i].name, deploy_one(apps[i], std::move(ready.value[i])));
  publish(); // once: a route may go from one application to another
  drop_unused_code();
  return {std::move(out)};
}

outcome_of<accepted_application> applications::deploy_one(const config::application& app, outcome_of<prepared> ready) {
  record before;
  {
    const std::lock_guard guard{mutex_};
    if (const auto it = records_.find(app.name); it != records_.end())
      before = it->second;
  }
  auto next = before;
  const bool same = !before.facts.name.empty() && before.finished && !before.deleting &&
                    before.facts.failure == (ready ? "" : ready.refused->message) &&
                    with_name(before.facts.given, app.name) == with_name(app.as_given, app.name);
  next.app = app;
  next.facts.name = app.name;
  next.facts.revision += same ? 0 : 1;
  next.facts.route_prefix = app.route_prefix;
  next.facts.import_path = app.import_path;
  next.facts.given = app.as_given;
  next.facts.deployed_at_s = unix_now();
  next.facts.failure = ready ? "" : ready.refused->message;
  next.deleting = false;
  next.finished = !ready;
  if (ready) {
    next.facts.digest = ready.value.digest;
    next.facts.ingress.clear();
    next.deployments.clear();
    for (const auto& d : ready.value.code.deployments) {
      next.deployments.push_back(d.defaults.name);
      if (d.is_ingress)
        next.facts.ingress = d.defaults.name;
    }
  }
  accepted_application out{app.name, next.facts.revision, {}};
  std::vector<storage::change> beside;
  if (ready)
    begin_trials(app, ready.value, beside);
  if (const auto why = store(next, std::move(beside)); why.code != errc::none)
    return {{}, of_error(why)};
  keep(next);
  if (!ready)
    return {std::move(out)};
  try {
    finish(next, ready.value, same, out);
  } catch (const command_failed& e) {
    auto why = broken_off(before, std::move(next), out, e.why());
    return {std::move(out), std::move(why)};
  }
  return {std::move(out)};
}

void applications::finish(record& r, const prepared& what, bool same, accepted_application& out) {
  bool changed = false;
  std::set<std::string> wanted;
  for (std::size_t i = 0; i < what.targets.size(); ++i) {
    const auto& target = what.targets[i];
    const deployment_name name{r.facts.name, target.spec.name};
    wanted.insert(name.name);
    code_ref code{what.code_of(r.app, name.name), what.code.deployments[i].user_code, target.fingerprint};
    if (const auto& kept = what.same_version[i]) {
      out.warnings.push_back(version_warning(target, *kept, what.digest));
      p_.log(log_level::warning, out.warnings.back());
      code = {kept->user_code.name, nullptr, target.fingerprint};
      if (const auto it = codes_.find(code.name);
          it != codes_.end() && !is_remote(it->second) && kept->spec.isolation == isolation_mode::none)
        code.local = it->second;
      else if (auto loaded = load_code(*kept, name))
        code.local = loaded->local;
      else
        throw command_failed{loaded.why()};
    }
    codes_[code.name] = code.local;
    auto accepted = p_.rt.try_deploy(target.spec, std::move(code));
    if (!accepted) {
      if (accepted.why().code == errc::not_stored) // but it runs
        out.deployments.emplace(name.name, command_result{change_kind::none, 0, accepted.why().message});
      throw command_failed{accepted.why()};
    }
    changed = changed || accepted->change != change_kind::none;
    out.deployments.emplace(name.name, std::move(*accepted));
  }
  std::vector<storage::change> beside;
  for (const auto& a : p_.rt.applications())
    if (a.name == r.facts.name)
      for (const auto& d : a.deployments)
        if (!wanted.contains(d.name) && !d.deleting) {
          p_.rt.begin_remove(deployment_name{a.name, d.name}.full());
          forget_trial({a.name, d.name}, beside);
          changed = true;
        }
  // The same config again changes something after an `undo` or a `scale`, and with a rebuilt library.
  if (same && changed)
    ++r.facts.revision;
  r.code = what.code;
  r.code_key = what.code_key;
  r.finished = true;
  r.facts.failure.clear();
  spares_.erase(r.facts.name); // it runs
  out.revision = r.facts.revision;
  if (const auto why = store(r, std::move(beside)); why.code != errc::none)
    p_.log(log_level::error, "application " + r.facts.name + ": " + why.message);
  keep(r);
}

refusal applications::broken_off(const record& before, record now, const accepted_application& done, const error& why) {
  const auto name = now.facts.name;
  auto out = of_error(why);
  out.message = "application " + name + ": " + out.message;
  const bool fresh = before.facts.name.empty();
  // Where no deployment has taken its part the old config still holds.
  if (done.deployments.empty() &&
      (fresh ? p_.db.write_now({{kind, name, nullptr}}) : store(before)).code == errc::none) {
    if (fresh) {
      const std::lock_guard guard{mutex_};
      records_.erase(name);
    } else {
      keep(before);
    }
    out.message += "; nothing was changed";
    return out;
  }
  std::string accepted;
  for (const auto& [deployment, result] : done.deployments)
    accepted += (accepted.empty() ? "" : ", ") + deployment +
                (result.revision == 0 ? " (not stored)" : " (revision " + std::to_string(result.revision) + ")");
  out.message +=
      "; the change is not complete, its deployments that have it: " + (accepted.empty() ? "none" : accepted) +
      ". Deploy it again; else the daemon finishes it when it starts again";
  now.facts.failure = out.message;
  if (const auto again = store(now); again.code != errc::none)
    p_.log(log_level::error, "application " + name + ": " + again.message);
  keep(now);
  return out;
}

} // namespace troupe::daemon
