// What operators do to applications and deployments that are there, and the code of their kept revisions.
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/isolated_code.hpp>
#include <troupe/app/packages/store.hpp>
#include <troupe/messages/runtime_env.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::daemon {

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

applications::applications(parts p) : p_(std::move(p)) {
  if (!p_.secrets)
    p_.secrets = std::make_shared<const secrets::keeper>(secrets::options{.data_dir = p_.files.options().data_dir});
}

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

error applications::store(const record& r, std::vector<storage::change> beside) {
  beside.push_back({kind,
                    r.facts.name,
                    {{"revision", r.facts.revision},
                     {"given", r.facts.given},
                     {"digest", r.facts.digest},
                     {"deployed_at_s", r.facts.deployed_at_s},
                     {"failure", r.facts.failure},
                     {"ingress", r.facts.ingress},
                     {"deleting", r.deleting},
                     {"deployments", r.deployments},
                     {"finished", r.finished}}});
  return p_.db.write_now(std::move(beside));
}

void applications::keep(const record& r) {
  const std::lock_guard guard{mutex_};
  records_[r.facts.name] = r;
}

outcome_of<bool> applications::remove(const std::string& name) {
  const std::lock_guard one{changing_};
  auto done = remove_one(name);
  publish();
  return done;
}

outcome_of<bool> applications::remove_one(const std::string& name) {
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
  std::vector<storage::change> gone{{kind, name, nullptr}, {quarantine_kind, name, nullptr}};
  for (auto it = trials_.begin(); it != trials_.end();) {
    const auto now = it++; // those that are not run any more included
    if (now->first.application == name)
      forget_trial(deployment_name{now->first}, gone);
  }
  if (const auto why = p_.db.write_now(std::move(gone)); why.code != errc::none)
    p_.log(log_level::error, "application " + name + ": " + why.message);
  {
    const std::lock_guard guard{mutex_};
    records_.erase(name);
  }
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
  auto done = answer([&]() -> command_result {
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
    const auto d = stored(name);
    if (!d)
      throw command_failed{{errc::unavailable, full + " is not stored yet"}};
    // The revision that the machine will choose: for a rollback without a number the one before the target.
    const stored_release* chosen = nullptr;
    for (const auto& r : d->releases)
      if (action == rollout_action::restart ? r.revision == d->target
          : revision != 0                   ? r.revision == revision
                                            : r.revision < d->target)
        chosen = &r;
    if (!chosen)
      throw command_failed{{errc::rejected, revision == 0 ? "there is no earlier revision of " + full
                                                          : full + " has no revision R" + std::to_string(revision)}};
    auto code = load_code(*chosen, name);
    if (!code)
      throw command_failed{code.why()};
    std::vector<storage::change> trial;
    begin_trial(name, identity_of(chosen->user_code.name, chosen->spec), trial);
    if (const auto why = p_.db.write_now(std::move(trial)); why.code != errc::none)
      throw command_failed{why};
    return action == rollout_action::restart ? p_.rt.restart(full, std::move(*code))
                                             : p_.rt.rollback(full, chosen->revision, std::move(*code));
  });
  if (done &&
      (action == rollout_action::abort || action == rollout_action::restart || action == rollout_action::rollback))
    note_control(name.application);
  return done;
}

// Another operator's `If-Match` is to tell that the target has moved.
void applications::note_control(const std::string& application) {
  record r;
  {
    const std::lock_guard guard{mutex_};
    const auto it = records_.find(application);
    if (it == records_.end())
      return;
    ++it->second.facts.revision;
    r = it->second;
  }
  if (const auto why = store(r); why.code != errc::none)
    p_.log(log_level::error, "application " + application + ": " + why.message);
}

std::optional<stored_deployment> applications::stored(const deployment_name& name) const {
  const auto found = p_.db.find(storage::deployment_kind, storage::key_of(name));
  if (found.is_null())
    return std::nullopt;
  try {
    return stored_deployment_from_json(found);
  } catch (const std::runtime_error& e) { // told at the start already
    return std::nullopt;
  }
}

result<library::application_code> applications::load(const stored_release& what, const std::string& application) {
  const auto revision = what.revision;
  auto where = code_name_from(what.user_code.name);
  if (!where)
    return error{errc::rejected, "the code of R" + std::to_string(revision) + " is not known any more"};
  if (p_.on_nodes || what.spec.isolation == isolation_mode::process)
    return load_isolated_again(
        p_.workers, {application, where->digest, where->import_path, where->args, what.spec.runtime_env.get()},
        what.spec);
  return load({.digest = std::move(where->digest),
               .import_path = std::move(where->import_path),
               .application = application,
               .revision = revision,
               .args = std::move(where->args),
               .others = peers{lookup_of(application)}});
}

result<code_ref> applications::load_code(const stored_release& what, const deployment_name& name) {
  auto loaded = load(what, name.application);
  if (!loaded)
    return loaded.why();
  for (const auto& x : loaded->deployments)
    if (x.defaults.name == name.name) {
      codes_[what.user_code.name] = x.user_code;
      return code_ref{what.user_code.name, x.user_code, what.user_code.fingerprint};
    }
  return error{errc::rejected, "the code of R" + std::to_string(what.revision) + " has no " + name.full()};
}

/// Digests that kept revisions need.
struct applications::needed {
  std::set<std::string> code, packages;
};

applications::needed applications::needed_by_revisions() const {
  needed out;
  const json::json_pointer package{std::string{"/spec/runtime_env/package/"} + package_digest};
  for (const auto& [key, value] : p_.db.read(storage::deployment_kind))
    for (const auto& r : value.at("releases")) {
      if (auto where = code_name_from(r.value("code", "")))
        out.code.insert(std::move(where->digest));
      if (r.contains(package))
        out.packages.insert(r.at(package).get<std::string>());
    }
  return out;
}

void applications::drop_unused_code() {
  auto used = needed_by_revisions();
  for (const auto& [key, value] : p_.db.read(kind))
    used.code.insert(value.value("digest", ""));
  p_.files.keep_only(used.code);
  if (p_.packages)
    p_.packages->keep_only(used.packages);
}

void applications::drop_unused_packages() {
  if (p_.packages)
    p_.packages->keep_only(needed_by_revisions().packages);
}

} // namespace troupe::daemon
