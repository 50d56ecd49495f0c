// How a daemon that starts again takes up what is stored.
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/isolated_code.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace troupe::daemon {

void applications::restore(std::vector<library::crash_record> crashes) {
  const std::lock_guard one{changing_};
  crashes_ = std::move(crashes);
  restore_proxies();
  for (const auto& [key, value] : p_.db.read(trial_kind))
    trials_[storage::name_of(key)] = trial_from_json(value);
  for (const auto& [name, value] : p_.db.read(kind)) {
    record r;
    auto read = config::read_application_json(value.at("given"), name);
    r.app = std::move(read.application);
    r.facts = {.name = name,
               .revision = value.at("revision"),
               .route_prefix = r.app.route_prefix,
               .import_path = r.app.import_path,
               .digest = value.at("digest"),
               .given = value.at("given"),
               .deployed_at_s = value.at("deployed_at_s"),
               .failure = value.at("failure"),
               .ingress = value.at("ingress")};
    r.finished = value.at("finished");
    r.deployments = value.value("deployments", r.deployments);
    r.deleting = value.at("deleting");
    const std::lock_guard guard{mutex_};
    records_.emplace(name, std::move(r));
  }
  std::map<std::string, stored_deployment> stored;
  const auto lost = [&](const std::string& key, const std::exception& e) {
    p_.log(log_level::error, key + " is not taken up: " + e.what());
    const std::lock_guard guard{mutex_};
    if (const auto it = records_.find(storage::name_of(key).application); it != records_.end())
      it->second.facts.failure = key + ": " + e.what();
  };
  for (const auto& [key, value] : p_.db.read(storage::deployment_kind)) {
    try {
      auto& d = stored.emplace(key, stored_deployment_from_json(value)).first->second;
      suspects_.push_back(suspect_of(d, d.target));
    } catch (const std::exception& e) {
      lost(key, e);
    }
  }
  std::vector<suspect> pending;
  for (const auto& [name, x] : trials_)
    if (auto found = pending_suspect(name, x))
      pending.push_back(std::move(*found));
  suspects_.insert(suspects_.end(), pending.begin(), pending.end());
  std::map<std::string, library::application_code> loaded;
  for (auto& [key, d] : stored) {
    try {
      restore_deployment(std::move(d), loaded);
    } catch (const std::exception& e) {
      lost(key, e);
    }
  }
  p_.rt.finish_restoration();
  for (const auto& x : pending) {
    try {
      judge_pending(x);
    } catch (const std::exception& e) {
      lost(storage::key_of(x.name), e);
    }
  }
  suspects_.clear();
  std::vector<record> open;
  {
    const std::lock_guard guard{mutex_};
    for (auto& [name, r] : records_)
      if (!r.finished || r.deleting)
        open.push_back(r);
  }
  for (auto& r : open)
    finish_restored(std::move(r));
  publish();
}

/// An unfinished change: what a crash cut off is done now.
void applications::finish_restored(record r) {
  if (r.deleting) {
    p_.db.write_now({{kind, r.facts.name, nullptr}});
    const std::lock_guard guard{mutex_};
    records_.erase(r.facts.name);
    return;
  }
  const auto out = quarantined(r.app);
  if (out || judged_.contains(r.facts.name)) { // what it would begin is what ended the process
    if (out)
      r.facts.failure = out->message;
    r.finished = true;
    if (const auto why = store(r); why.code != errc::none)
      p_.log(log_level::error, "application " + r.facts.name + ": " + why.message);
    return keep(r);
  }
  p_.log(log_level::info,
         "application " + r.facts.name + ": finishing the change to revision " + std::to_string(r.facts.revision));
  accepted_application done;
  auto ready = prepare(r.app);
  auto why = ready ? std::string{} : ready.refused->message;
  try {
    if (ready)
      return finish(r, ready.value, false, done);
  } catch (const command_failed& e) {
    why = e.what();
  }
  p_.log(log_level::error, "application " + r.facts.name + ": " + why);
  r.facts.failure = "the change to revision " + std::to_string(r.facts.revision) + " is not complete: " + why;
  keep(r);
}

void applications::restore_deployment(stored_deployment d, std::map<std::string, library::application_code>& loaded) {
  {
    const std::lock_guard guard{mutex_};
    const auto it = records_.find(d.name.application);
    const auto declares = [&](const record& r) {
      const auto& all = r.deployments;
      return !r.finished || all.empty() || std::find(all.begin(), all.end(), d.name.name) != all.end();
    };
    if (d.deleting || it == records_.end() || it->second.deleting || !declares(it->second)) {
      p_.db.erase(d.name, nullptr);
      return;
    }
  }
  judge(d);
  for (const auto revision : {d.target, d.base}) {
    if (revision == 0)
      continue;
    auto& r = *d.find(revision);
    // Deployments of one application that have the same code share a load, as they did before.
    auto where = code_name_from(r.user_code.name).value_or(code_name{});
    where.deployment.clear();
    const auto key = d.name.application + " " + to_string(where) + (revision == d.target ? " target" : " base") +
                     (r.spec.isolation == isolation_mode::none ? "" : " " + to_json(r.spec).dump());
    auto it = loaded.find(key);
    if (it == loaded.end()) {
      auto code = load(r, d.name.application);
      if (!code)
        throw std::runtime_error(code.why().message);
      it = loaded.emplace(key, std::move(*code)).first;
    }
    for (const auto& x : it->second.deployments)
      if (x.defaults.name == d.name.name)
        codes_[r.user_code.name] = r.user_code.local = x.user_code;
    if (!r.user_code.local)
      throw std::runtime_error("the code of R" + std::to_string(revision) + " has no deployment " + d.name.name);
    if (revision == d.target) {
      const std::lock_guard guard{mutex_};
      auto& known = records_[d.name.application];
      const auto is_here = [](const auto& x) { return !is_remote(x.user_code); };
      const auto& all = it->second.deployments; // in workers: the code of this deployment alone
      if (!known.code && it->second.digest == known.facts.digest && !is_described(known.app) &&
          std::all_of(all.begin(), all.end(), is_here)) {
        known.code = it->second;
        known.code_key = code_key(known.app, known.facts.digest);
      }
    }
  }
  p_.rt.restore(std::make_shared<const stored_deployment>(std::move(d)), true);
}

} // namespace troupe::daemon
