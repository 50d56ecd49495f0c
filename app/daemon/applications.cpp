// How the config of an application becomes what runs: prepare (nothing changes), store, deploy, store that it is done.
#include <troupe/app/daemon/applications.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace troupe::daemon {

namespace {

double unix_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// What a revision's code is stored under: enough to load it again.
std::string code_name(const library::application_code& code, const config::application& app,
                      const std::string& deployment) {
  return json{
      {"digest", code.digest}, {"import_path", code.import_path}, {"args", app.args}, {"deployment", deployment}}
      .dump();
}

refusal of_error(const error& why) {
  switch (why.code) {
  case errc::unknown_deployment:
    return {404, "not_found", why.message};
  case errc::rejected:
    return {409, "rejected", why.message};
  case errc::not_stored:
  case errc::unavailable:
  case errc::runtime_stopped:
    return {503, to_string(why.code), why.message};
  default:
    return {400, to_string(why.code), why.message};
  }
}

refusal unknown_application(const std::string& name, const std::vector<std::string>& known) {
  std::string text = "there is no application " + name + "; there are: ";
  for (std::size_t i = 0; i < known.size(); ++i)
    text += (i == 0 ? "" : ", ") + known[i];
  return {404, "not_found", known.empty() ? "there is no application " + name + ", nor any other" : text};
}

std::optional<refusal> route_taken(const config::application& app, const std::string& other,
                                   const std::optional<std::string>& prefix) {
  if (!app.route_prefix || app.route_prefix != prefix)
    return std::nullopt;
  return refusal{409,
                 "route_taken",
                 "route_prefix: " + *prefix + " belongs to the application " + other + " already",
                 {{"", 0, 0, "route_prefix", json(*prefix).dump(), "a prefix that no other application has"}}};
}

} // namespace

applications::applications(parts p) : p_(std::move(p)) {}

applications::~applications() {
  for (const auto& [name, lookup] : lookups_)
    lookup->close();
}

std::shared_ptr<library::runtime_lookup> applications::lookup_of(const std::string& name) {
  auto& lookup = lookups_[name];
  if (!lookup)
    lookup = std::make_shared<library::runtime_lookup>(p_.rt, name);
  return lookup;
}

// -- preparing: nothing changes --------------------------------------------------------------------------------------

outcome_of<applications::prepared> applications::prepare(const config::application& app) {
  const auto stored = p_.files.put(app.import_path);
  if (!stored)
    return {{}, of_error(stored.why())};
  prepared out;
  out.digest = stored->digest;
  std::optional<library::application_code> known; // the same bytes and arguments are not loaded again
  {
    const std::lock_guard guard{mutex_};
    const auto it = records_.find(app.name);
    if (it != records_.end() && it->second.code && it->second.facts.digest == out.digest &&
        it->second.app.import_path == app.import_path && it->second.app.args == app.args)
      known = it->second.code;
  }
  const json as{out.digest, app.import_path, app.args};
  const auto spare = spares_.find(app.name);
  if (!known && spare != spares_.end() && spare->second.first == as)
    known = spare->second.second;
  if (!known) {
    auto loaded = p_.code.load({.digest = out.digest,
                                .import_path = app.import_path,
                                .application = app.name,
                                .args = app.args,
                                .others = peers{lookup_of(app.name)}});
    if (!loaded)
      return {{}, of_error(loaded.why())};
    known = std::move(*loaded);
    spares_.insert_or_assign(app.name, std::pair{as, *known});
  }
  out.code = std::move(*known);
  std::vector<deployment_spec> defaults;
  for (const auto& d : out.code.deployments)
    defaults.push_back(d.defaults);
  auto targets = config::targets_for(app, defaults, out.digest);
  if (!targets.ok())
    return {{}, refusal{400, "invalid_config", config::to_string(targets.errors), targets.errors}};
  out.targets = std::move(targets.targets);
  std::vector<config::problem> unfit;
  for (std::size_t i = 0; i < out.targets.size(); ++i) {
    const auto& spec = out.targets[i].spec;
    const auto& traits = out.code.deployments[i].user_code->traits();
    if (!spec.user_config.is_null() && !traits.has_reconfigure)
      unfit.push_back({"", 0, 0, "deployments." + spec.name + ".user_config", spec.user_config.dump().substr(0, 100),
                       "null: " + traits.name + " has no reconfigure"});
    if (!spec.init_args.is_null() && !traits.takes_init_args)
      unfit.push_back({"", 0, 0, "deployments." + spec.name + ".init_args", spec.init_args.dump().substr(0, 100),
                       "null: " + traits.name + " takes no init_args"});
  }
  if (!unfit.empty())
    return {{}, refusal{400, "invalid_config", config::to_string(unfit), unfit}};
  return {std::move(out)};
}

std::optional<refusal> applications::moved(const std::string& name, std::optional<std::uint64_t> expected) const {
  if (!expected)
    return std::nullopt;
  const std::lock_guard guard{mutex_};
  const auto it = records_.find(name);
  const auto now = it == records_.end() ? 0 : it->second.facts.revision;
  if (now == *expected)
    return std::nullopt;
  return refusal{412, "revision_moved",
                 "application " + name + " is at revision " + std::to_string(now) + ", not " +
                     std::to_string(*expected) + ": somebody else was faster; look at it and try again"};
}

// -- changing --------------------------------------------------------------------------------------------------------

error applications::store(const record& r) {
  return p_.db.write_now({{kind,
                           r.facts.name,
                           {{"revision", r.facts.revision},
                            {"given", r.facts.given},
                            {"digest", r.facts.digest},
                            {"deployed_at_s", r.facts.deployed_at_s},
                            {"failure", r.facts.failure},
                            {"ingress", r.facts.ingress},
                            {"deleting", r.deleting},
                            {"finished", r.finished}}}});
}

outcome_of<accepted_application> applications::deploy(const config::application& app,
                                                      std::optional<std::uint64_t> expected, bool keep_going) {
  const std::lock_guard one{changing_};
  if (auto late = moved(app.name, expected))
    return {{}, std::move(late)};
  record next;
  bool fresh = true;
  {
    const std::lock_guard guard{mutex_};
    for (const auto& [name, r] : records_)
      if (name != app.name && !r.deleting)
        if (auto taken = route_taken(app, name, r.facts.route_prefix))
          return {{}, std::move(taken)};
    if (const auto it = records_.find(app.name); it != records_.end()) {
      next = it->second;
      fresh = false;
    }
  }
  auto ready = prepare(app);
  if (!ready && !(keep_going && ready.refused->fields.empty()))
    return {{}, ready.refused};
  const bool same = !fresh && next.finished && !next.deleting && next.facts.given == app.as_given && ready &&
                    next.facts.digest == ready.value.digest && next.facts.failure.empty();
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
    for (const auto& d : ready.value.code.deployments)
      if (d.is_ingress)
        next.facts.ingress = d.defaults.name;
  }
  accepted_application out{app.name, next.facts.revision, {}};
  if (const auto why = store(next); why.code != errc::none)
    return {{}, of_error(why)};
  {
    const std::lock_guard guard{mutex_};
    records_[app.name] = next;
  }
  if (ready) {
    try {
      finish(next, ready.value, out);
    } catch (const command_failed& e) {
      return {{}, of_error(e.why())};
    }
  }
  publish();
  drop_unused_code();
  return {std::move(out)};
}

void applications::finish(record& r, const prepared& what, accepted_application& out) {
  std::set<std::string> wanted;
  for (std::size_t i = 0; i < what.targets.size(); ++i) {
    const auto& spec = what.targets[i].spec;
    const auto& code = what.code.deployments[i];
    wanted.insert(spec.name);
    auto accepted = p_.rt.try_deploy(spec, {code_name(what.code, r.app, spec.name), code.user_code});
    if (!accepted)
      throw command_failed{accepted.why()};
    out.deployments.emplace(spec.name, std::move(*accepted));
  }
  for (const auto& a : p_.rt.applications())
    if (a.name == r.facts.name)
      for (const auto& d : a.deployments)
        if (!wanted.contains(d.name) && !d.deleting)
          p_.rt.begin_remove(deployment_name{a.name, d.name}.full());
  r.code = what.code;
  r.finished = true;
  spares_.erase(r.facts.name); // it runs
  if (const auto why = store(r); why.code != errc::none)
    p_.log(log_level::error, "application " + r.facts.name + ": " + why.message);
  const std::lock_guard guard{mutex_};
  records_[r.facts.name] = r;
}

outcome_of<bool> applications::remove(const std::string& name) {
  const std::lock_guard one{changing_};
  record r;
  {
    const std::lock_guard guard{mutex_};
    const auto it = records_.find(name);
    if (it != records_.end())
      r = it->second;
  }
  if (r.facts.name.empty())
    return {{}, unknown_application(name, names())};
  r.deleting = true;
  if (const auto why = store(r); why.code != errc::none)
    return {{}, of_error(why)};
  for (const auto& a : p_.rt.applications())
    if (a.name == name)
      for (const auto& d : a.deployments)
        p_.rt.begin_remove(deployment_name{name, d.name}.full());
  if (const auto why = p_.db.write_now({{kind, name, nullptr}}); why.code != errc::none)
    p_.log(log_level::error, "application " + name + ": " + why.message);
  {
    const std::lock_guard guard{mutex_};
    records_.erase(name);
  }
  publish();
  return {true};
}

outcome_of<command_result> applications::answer(const std::function<command_result()>& command) {
  try {
    return {command()};
  } catch (const command_failed& e) {
    return {{}, of_error(e.why())};
  }
}

outcome_of<command_result> applications::scale(const deployment_name& name, std::uint32_t num_replicas,
                                               std::optional<std::uint64_t> expected) {
  const std::lock_guard one{changing_};
  if (auto late = moved(name.application, expected))
    return {{}, std::move(late)};
  return answer([&] { return p_.rt.scale(name.full(), num_replicas); });
}

outcome_of<command_result> applications::control(const deployment_name& name, rollout_action action,
                                                 std::uint64_t revision, std::optional<std::uint64_t> expected) {
  const std::lock_guard one{changing_};
  if (auto late = moved(name.application, expected))
    return {{}, std::move(late)};
  return answer([&]() -> command_result {
    const auto full = name.full();
    switch (action) {
    case rollout_action::pause:
      return p_.rt.pause(full);
    case rollout_action::resume:
      return p_.rt.resume(full);
    case rollout_action::promote:
      return p_.rt.promote(full);
    case rollout_action::abort:
      return p_.rt.abort(full);
    case rollout_action::restart:
    case rollout_action::rollback:
      break;
    }
    p_.rt.status(full, false); // an unknown name is told as such
    const auto docs = p_.db.read("deployment");
    const auto found = docs.find(storage::key_of(name));
    if (found == docs.end())
      throw command_failed{{errc::unavailable, full + " is not stored yet"}};
    const auto d = stored_deployment_from_json(found->second);
    // The revision that the machine will choose: for a rollback without a number the one before the target.
    const stored_release* chosen = nullptr;
    for (const auto& r : d.releases)
      if (action == rollout_action::restart ? r.revision == d.target
          : revision != 0                   ? r.revision == revision
                                            : r.revision < d.target)
        chosen = &r;
    if (!chosen)
      throw command_failed{{errc::rejected, revision == 0 ? "there is no earlier revision of " + full
                                                          : full + " has no revision R" + std::to_string(revision)}};
    code_ref code;
    auto loaded = load(chosen->user_code.name, name.application, chosen->revision);
    if (!loaded)
      throw command_failed{loaded.why()};
    for (const auto& x : loaded->deployments)
      if (x.defaults.name == name.name)
        code = {chosen->user_code.name, x.user_code};
    if (!code.local)
      throw command_failed{{errc::rejected, "the code of R" + std::to_string(chosen->revision) + " has no " + full}};
    return action == rollout_action::restart ? p_.rt.restart(full, std::move(code))
                                             : p_.rt.rollback(full, chosen->revision, std::move(code));
  });
}

result<library::application_code> applications::load(const std::string& name, const std::string& application,
                                                     std::uint64_t revision) {
  const auto where = json::parse(name, nullptr, false);
  if (!where.is_object())
    return error{errc::rejected, "the code of R" + std::to_string(revision) + " is not known any more"};
  return p_.code.load({.digest = where.value("digest", ""),
                       .import_path = where.value("import_path", ""),
                       .application = application,
                       .revision = revision,
                       .args = where.value("args", json::object()),
                       .others = peers{lookup_of(application)}});
}

void applications::drop_unused_code() {
  std::set<std::string> used;
  for (const auto& [key, value] : p_.db.read("deployment"))
    for (const auto& r : value.at("releases"))
      if (const auto where = json::parse(r.value("code", ""), nullptr, false); where.is_object())
        used.insert(where.value("digest", ""));
  for (const auto& [key, value] : p_.db.read(kind))
    used.insert(value.value("digest", ""));
  p_.files.keep_only(used);
}

} // namespace troupe::daemon
