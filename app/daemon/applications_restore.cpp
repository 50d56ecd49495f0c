// How a daemon that starts again takes up what is stored.
#include <troupe/app/daemon/applications.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace troupe::daemon {

void applications::restore(const std::vector<library::crash_record>& crashes) {
  const std::lock_guard one{changing_};
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
  std::map<std::string, library::application_code> loaded;
  for (const auto& [key, value] : p_.db.read("deployment")) {
    try {
      restore_deployment(stored_deployment_from_json(value), crashes, loaded);
    } catch (const std::exception& e) {
      p_.log(log_level::error, key + " is not taken up: " + e.what());
      const std::lock_guard guard{mutex_};
      if (const auto it = records_.find(key.substr(0, key.find('/'))); it != records_.end())
        it->second.facts.failure = key + ": " + e.what();
    }
  }
  std::vector<record> open;
  {
    const std::lock_guard guard{mutex_};
    for (auto& [name, r] : records_)
      if (!r.finished || r.deleting)
        open.push_back(r);
  }
  for (auto& r : open) {
    if (r.deleting) {
      p_.db.write_now({{kind, r.facts.name, nullptr}});
      const std::lock_guard guard{mutex_};
      records_.erase(r.facts.name);
      continue;
    }
    finish_restored(std::move(r));
  }
  publish();
}

void applications::finish_restored(record r) {
  p_.log(log_level::info,
         "application " + r.facts.name + ": finishing the change to revision " + std::to_string(r.facts.revision));
  accepted_application out;
  auto ready = prepare(r.app);
  auto why = ready ? std::string{} : ready.refused->message;
  try {
    if (ready)
      return finish(r, ready.value, false, out);
  } catch (const command_failed& e) {
    why = e.what();
  }
  p_.log(log_level::error, "application " + r.facts.name + ": " + why);
  r.facts.failure = "the change to revision " + std::to_string(r.facts.revision) + " is not complete: " + why;
  keep(r);
}

void applications::restore_deployment(stored_deployment d, const std::vector<library::crash_record>& crashes,
                                      std::map<std::string, library::application_code>& loaded) {
  using namespace std::chrono;
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
  const auto full = d.name.full();
  const auto release = [&](std::uint64_t revision) -> stored_release& {
    return *std::find_if(d.releases.begin(), d.releases.end(), [&](const auto& r) { return r.revision == revision; });
  };
  const auto since = duration_cast<milliseconds>(system_clock::now().time_since_epoch() - minutes{10}).count();
  const auto blamed = std::count_if(crashes.begin(), crashes.end(), [&](const auto& c) {
    return c.unix_ms >= since && c.deployment == full &&
           (c.revision == d.target || c.revision == release(d.target).code_revision);
  });
  if (blamed >= 2) {
    const auto why = "R" + std::to_string(d.target) + " is quarantined: the process ended " + std::to_string(blamed) +
                     " times within 10 minutes in its " + crashes.back().what + " (" + crashes.back().cause + ")";
    if (d.base == 0 || release(d.base).code_id == release(d.target).code_id)
      throw std::runtime_error(why + "; deploy another version");
    p_.log(log_level::error, full + ": " + why);
    d.target = d.base;
    d.of_target = d.num_replicas;
    d.phase = rollout_phase::complete;
    d.reason = rollout_reason::none;
    d.rolling_back = d.replace_stale = d.canary_done = false;
    d.failure = "rolled back to R" + std::to_string(d.base) + ": " + why;
  }
  for (const auto revision : {d.target, d.base}) {
    if (revision == 0)
      continue;
    auto& r = release(revision);
    // Deployments of one application that have the same code share a load, as they did before.
    auto where = json::parse(r.user_code.name, nullptr, false);
    if (where.is_object())
      where.erase("deployment");
    const auto key = d.name.application + " " + where.dump() + (revision == d.target ? " target" : " base");
    auto it = loaded.find(key);
    if (it == loaded.end()) {
      auto code = load(r.user_code.name, d.name.application, revision);
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
      if (auto& known = records_[d.name.application]; !known.code && it->second.digest == known.facts.digest)
        known.code = it->second;
    }
  }
  p_.rt.restore(std::make_shared<const stored_deployment>(std::move(d)));
}

} // namespace troupe::daemon
