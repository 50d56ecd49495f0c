// Trials, and what becomes of a revision that ends the process again and again. docs/decisions/0007-quarantine.md says
// why it is decided like this.
#include <troupe/app/daemon/applications.hpp>

#include <utility>

namespace troupe::daemon {

namespace {

std::int64_t unix_ms_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

constexpr const char* another_version = "; deploy another version";

std::string rolled_back_to(std::uint64_t revision) { return "rolled back to R" + std::to_string(revision) + ": "; }

bool is_same(const stored_release& a, const stored_release& b) {
  return a.code_id == b.code_id && a.config_id == b.config_id;
}

} // namespace

// -- trials ----------------------------------------------------------------------------------------------------------

void applications::begin_trial(const deployment_name& name, const std::string& what,
                               std::vector<storage::change>& changes) {
  auto& now = trials_[name];
  if (now.what == what && now.quarantined.empty())
    return;
  trial next{what, true, unix_ms_now(), now.before, {}};
  if (!now.quarantined.empty())
    next.before = 0; // it is not known to the runtime any more: revisions are counted from 1 again
  else if (next.before == 0)
    if (const auto d = stored(name))
      next.before = d->base;
  now = std::move(next);
  changes.push_back({trial_kind, storage::key_of(name), to_json(now)});
}

void applications::begin_trials(const config::application& app, const prepared& ready,
                                std::vector<storage::change>& changes) {
  for (std::size_t i = 0; i < ready.targets.size(); ++i) {
    const auto& spec = ready.targets[i].spec;
    const auto& kept = ready.same_version[i]; // then its code is what runs
    const auto code = kept ? kept->user_code.name : ready.code_of(app, spec.name);
    begin_trial({app.name, spec.name}, identity_of(code, spec), changes);
  }
  if (!p_.db.find(quarantine_kind, app.name).is_null())
    changes.push_back({quarantine_kind, app.name, nullptr}); // somebody asks for it
}

void applications::forget_trial(const deployment_name& name, std::vector<storage::change>& changes) {
  if (trials_.erase(name) > 0)
    changes.push_back({trial_kind, storage::key_of(name), nullptr});
}

/// The target's revision when all its replicas that there is room for are available; else 0. (As `is_settled`: what
/// waits for room may wait for ever, and the code of the others has shown what it does.)
std::uint64_t applications::whole_revision(const deployment_name& name) const {
  try {
    const auto d = p_.rt.status(name.full(), false);
    const bool is_whole = !d.deleting && d.rollout.phase == rollout_phase::complete && d.available > 0 &&
                          d.available + d.waiting_for_room >= d.num_replicas;
    return is_whole ? d.rollout.target_revision : 0;
  } catch (const command_failed&) {
    return 0;
  }
}

void applications::look_at_trials(std::chrono::steady_clock::time_point now) {
  const std::lock_guard one{changing_};
  std::vector<storage::change> stood;
  for (auto& [name, x] : trials_) {
    if (!x.open)
      continue;
    const auto revision = whole_revision(name);
    if (!clock_.look(name, revision, now))
      continue;
    const auto known = stored(name);
    const auto* target = known ? known->find(revision) : nullptr;
    if (!target)
      continue;
    x.what = identity_of(target->user_code.name, target->spec); // after a rollback another one
    x.open = false;
    x.before = revision;
    stood.push_back({trial_kind, storage::key_of(name), to_json(x)});
    p_.log(log_level::debug, name.full() + ": R" + std::to_string(revision) + " has stood its trial");
  }
  if (!stood.empty())
    p_.db.write(std::move(stood), {});
}

void applications::end_well() {
  const std::lock_guard one{changing_};
  std::vector<storage::change> changes;
  for (auto& [name, x] : trials_)
    if (x.open) {
      x.since_ms = unix_ms_now();
      changes.push_back({trial_kind, storage::key_of(name), to_json(x)});
    }
  p_.db.write_now(std::move(changes));
}

std::vector<deployment_name> applications::on_trial() const {
  std::vector<deployment_name> out;
  for (const auto& [key, value] : p_.db.read(trial_kind))
    if (trial_from_json(value).open)
      out.push_back(storage::name_of(key));
  return out;
}

// -- quarantine ------------------------------------------------------------------------------------------------------

std::set<std::string> applications::digests_of(const std::string& digest) const {
  std::set<std::string> out{digest};
  if (const auto files = p_.files.files(digest))
    for (const auto& f : *files)
      out.insert(f.digest);
  return out;
}

suspect applications::suspect_of(const stored_deployment& d, std::uint64_t revision) const {
  suspect out;
  out.name = d.name;
  out.revision = revision;
  const auto* r = d.find(revision);
  if (!r)
    return out;
  out.code_revision = r->code_revision;
  out.digests = digests_of(digest_of(*r));
  const auto known = trials_.find(d.name);
  if (known != trials_.end() && known->second.what == identity_of(r->user_code.name, r->spec)) {
    out.on_trial = known->second.open;
    out.since_ms = known->second.since_ms;
  }
  return out;
}

/// What an unfinished change was about to run, where a crash came before that was stored: a new revision of what is
/// stored, or the first one.
std::optional<suspect> applications::pending_suspect(const deployment_name& name, const trial& x) const {
  std::string digest;
  {
    const std::lock_guard guard{mutex_};
    const auto it = records_.find(name.application);
    if (!x.open || it == records_.end() || it->second.finished)
      return std::nullopt;
    digest = it->second.facts.digest;
  }
  std::uint64_t revision = 1;
  if (const auto d = stored(name)) {
    const auto& target = *d->find(d->target);
    if (identity_of(target.user_code.name, target.spec) == x.what)
      return std::nullopt;
    revision = d->next_revision;
  }
  return suspect{name, revision, revision, digests_of(digest), true, x.since_ms};
}

storage::change applications::quarantine_of(const std::string& application, const json& given,
                                            const std::string& digest, const std::string& why) const {
  return {quarantine_kind, application, {{"given", given}, {"digest", digest}, {"why", why}}};
}

/// Decides on the target, and on the base beside it. Changes `d` and what is stored; throws when nothing of it is to
/// run.
void applications::judge(stored_deployment& d) {
  const auto* target = d.find(d.target);
  if (!target)
    throw std::runtime_error("its target R" + std::to_string(d.target) + " is not stored");
  const auto identity = identity_of(target->user_code.name, target->spec);
  const auto& known = trials_[d.name];
  if (!known.quarantined.empty() && known.what == identity)
    throw std::runtime_error(known.quarantined);
  const auto now = unix_ms_now();
  if (d.base != 0 && d.base != d.target &&
      blamed_on(suspect_of(d, d.base), suspects_, crashes_, now).size() >= crashes_to_quarantine)
    d.base = 0;
  const auto blamed = blamed_on(suspect_of(d, d.target), suspects_, crashes_, now);
  if (blamed.size() < crashes_to_quarantine)
    return;
  const auto why = quarantine_text("R" + std::to_string(d.target), blamed);
  const stored_release* back = nullptr;
  for (const auto revision : {d.base, known.before})
    if (const auto* r = d.find(revision); r && !back && !is_same(*r, *target))
      back = r;
  const auto before = back && known.before != back->revision ? known.before : 0;
  if (!back) {
    const auto text = why + another_version;
    sentence(d.name, {identity, false, now, before, text}, text, {});
    throw std::runtime_error(text);
  }
  d.failure = rolled_back_to(back->revision) + why;
  d.target = d.base = back->revision;
  d.of_target = d.num_replicas;
  d.phase = rollout_phase::complete;
  d.reason = rollout_reason::none;
  d.rolling_back = d.replace_stale = d.canary_done = false;
  sentence(d.name, {identity_of(back->user_code.name, back->spec), false, now, before, {}}, d.failure,
           {{storage::deployment_kind, storage::key_of(d.name), to_json(d)}});
}

/// As `judge`, on what is pending: what is stored of it, if anything, has been taken up.
void applications::judge_pending(const suspect& x) {
  const auto now = unix_ms_now();
  const auto blamed = blamed_on(x, suspects_, crashes_, now);
  if (blamed.size() < crashes_to_quarantine)
    return;
  auto text = quarantine_text("R" + std::to_string(x.revision), blamed);
  const auto before = trials_[x.name];
  if (const auto d = stored(x.name)) {
    const auto& target = *d->find(d->target);
    text = rolled_back_to(d->target) + text;
    sentence(x.name, {identity_of(target.user_code.name, target.spec), false, now, before.before, {}}, text, {});
  } else {
    text += another_version;
    sentence(x.name, {before.what, false, now, 0, text}, text, {});
  }
  throw std::runtime_error(text);
}

/// Stores what was judged, with `changes`, and that a start with the application's config leaves out what it is about.
void applications::sentence(const deployment_name& name, trial verdict, const std::string& why,
                            std::vector<storage::change> changes) {
  p_.log(log_level::error, name.full() + ": " + why);
  judged_.insert(name.application);
  changes.push_back({trial_kind, storage::key_of(name), to_json(verdict)});
  trials_[name] = std::move(verdict);
  {
    const std::lock_guard guard{mutex_};
    const auto& facts = records_[name.application].facts;
    changes.push_back(quarantine_of(facts.name, facts.given, facts.digest, storage::key_of(name) + ": " + why));
  }
  if (const auto e = p_.db.write_now(std::move(changes)); e.code != errc::none)
    p_.log(log_level::error, name.full() + ": " + e.message);
}

/// Why a start must not load what `app` names; nothing: it may.
std::optional<refusal> applications::quarantined(const config::application& app) {
  const auto file = p_.files.put(app.import_path);
  if (!file)
    return std::nullopt; // whoever loads it says why not
  const auto known = p_.db.find(quarantine_kind, app.name);
  if (known.is_object() && known.at("given") == app.as_given && known.at("digest") == file->digest)
    return refusal{503, "quarantined", known.at("why")};
  const auto blamed = blamed_on_load(app.name, digests_of(file->digest), crashes_, unix_ms_now());
  if (blamed.size() < crashes_to_quarantine)
    return std::nullopt;
  const auto why = quarantine_text(app.import_path, blamed) + another_version;
  p_.log(log_level::error, "application " + app.name + ": " + why);
  p_.db.write_now({quarantine_of(app.name, app.as_given, file->digest, why)});
  return refusal{503, "quarantined", why};
}

outcome_of<accepted_config> applications::deploy_at_start(const config::document& what) {
  const std::lock_guard one{changing_};
  return change_all(what, false, true, true);
}

} // namespace troupe::daemon
