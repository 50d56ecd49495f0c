// What a deploy would change. Loads the code, as that would, and changes nothing.
#include <troupe/app/config/room_text.hpp>
#include <troupe/app/daemon/applications.hpp>
#include <troupe/messages/runtime_env.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace troupe::daemon {

outcome_of<std::vector<planned_change>> applications::plan(const std::vector<config::application>& apps, bool prune) {
  const std::lock_guard one{changing_};
  const auto ready = prepare_all(apps, prune, false, false);
  drop_unused_packages();
  if (!ready)
    return {{}, ready.refused};
  std::vector<planned_change> out;
  std::set<std::string> wanted;
  for (std::size_t i = 0; i < apps.size(); ++i) {
    const auto& app = apps[i];
    const auto& next = ready.value[i].value;
    wanted.insert(app.name);
    for (std::size_t k = 0; k < next.targets.size(); ++k)
      out.push_back(plan_one(app, next, k));
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

planned_change applications::plan_one(const config::application& app, const prepared& next, std::size_t index) const {
  const auto& t = next.targets[index];
  planned_change c;
  c.application = app.name;
  c.deployment = t.spec.name;
  if (const auto& known = next.same_version[index])
    c.warning = version_warning(t, *known, next.digest);
  std::optional<deployment_spec> known;
  config::room_now room;
  try {
    const auto& now = known.emplace(p_.rt.config(t.spec.full_name()));
    const auto status = p_.rt.status(t.spec.full_name(), false);
    room.held = status.num_replicas - std::min(status.num_replicas, status.waiting_for_room);
    room.at_rest = status.rollout.phase == rollout_phase::complete;
    const config::code_source to{app.import_path, next.digest, app.args};
    auto from = to;
    if (const auto d = stored({app.name, t.spec.name})) // of the target: it may have been rolled back
      if (const auto code = code_name_from(d->find(d->target)->user_code.name))
        from = {code->import_path, code->digest, code->args};
    if (t.version_is_written)
      from.digest = to.digest;
    c.fields = config::diff(now, from, t.spec, to);
    c.change = config::change_of(c.fields);
    c.text = config::describe(&now, t.spec, c.fields);
    for (auto& f : c.fields) {
      const bool is_env = f.path == "runtime_env";
      if (!is_env && f.path != "user_config")
        continue;
      for (auto* x : {&f.from, &f.to})
        *x = is_env ? written_form(std::move(*x)) : secrets::shown(std::move(*x));
      if (f.from == f.to)
        c.text += is_env ? "; what a secret or the package holds has changed" : "; what a secret holds has changed";
    }
  } catch (const command_failed&) {
    known.reset();
    room = {};
    c.change = change_kind::created;
    c.text = config::describe(nullptr, t.spec, {});
  }
  // What there is room for on several nodes is the placement's to say, with the labels and the bound per node.
  if (const auto report = p_.rt.resources(); report.nodes.size() == 1) {
    const auto& node = report.nodes.front();
    room.total = node.total;
    room.free = node.total;
    take(room.free, node.used);
    c.text += config::describe_room(known ? &*known : nullptr, t.spec, c.change, room);
  }
  return c;
}

} // namespace troupe::daemon
