// What a deploy would change. Loads the code, as that would, and changes nothing.
#include <troupe/app/daemon/applications.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::daemon {

outcome_of<std::vector<planned_change>> applications::plan(const std::vector<config::application>& apps, bool prune) {
  const std::lock_guard one{changing_};
  std::vector<planned_change> out;
  std::set<std::string> wanted;
  for (const auto& app : apps) {
    wanted.insert(app.name);
    auto next = prepare(app);
    if (!next)
      return {{}, next.refused};
    application_facts facts;
    json args = json::object();
    {
      const std::lock_guard guard{mutex_};
      if (const auto it = records_.find(app.name); it != records_.end()) {
        facts = it->second.facts;
        args = it->second.app.args;
      }
    }
    for (const auto& t : next.value.targets) {
      planned_change c;
      c.application = app.name;
      c.deployment = t.spec.name;
      try {
        const auto now = p_.rt.config(t.spec.full_name());
        c.fields = config::diff(
            now, {facts.import_path, facts.digest, args, json::object()}, t.spec,
            {app.import_path, t.version_is_written ? facts.digest : next.value.digest, app.args, json::object()});
        c.change = config::change_of(c.fields);
        c.text = config::describe(&now, t.spec, c.fields);
      } catch (const command_failed&) {
        c.change = change_kind::created;
        c.text = config::describe(nullptr, t.spec, {});
      }
      out.push_back(std::move(c));
    }
  }
  for (const auto& a : p_.rt.applications())
    for (const auto& d : a.deployments) {
      const bool stays = std::any_of(out.begin(), out.end(),
                                     [&](const auto& c) { return c.application == a.name && c.deployment == d.name; });
      if (!stays && !d.deleting && (prune || wanted.contains(a.name)))
        out.push_back({.application = a.name, .deployment = d.name, .removes = true, .text = "is removed"});
    }
  return {std::move(out)};
}

} // namespace troupe::daemon
