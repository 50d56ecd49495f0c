// Compares acknowledged commands with the disk.
#include "ledger.hpp"

#include <troupe/messages/validation.hpp>

#include <algorithm>
#include <utility>

namespace troupe::simulation_tests {

namespace {

/// All but N, which `scale` changes without a revision.
json without_count(deployment_spec spec) {
  spec.num_replicas = 1;
  return to_json(spec);
}

} // namespace

std::size_t ledger::asked(const deployment_name& whom, wish what, std::uint32_t num_replicas,
                          std::optional<deployment_spec> spec) {
  commands_.push_back({whom, {.what = what, .num_replicas = num_replicas, .spec = std::move(spec)}});
  return commands_.size() - 1;
}

void ledger::acknowledged(std::size_t number, std::uint64_t revision) {
  commands_[number].what.now = state::kept;
  commands_[number].what.revision = revision;
}

void ledger::refused(std::size_t number) { commands_[number].what.now = state::refused; }

std::string ledger::broken_by(const std::map<deployment_name, stored_deployment>& disk) const {
  std::map<deployment_name, std::vector<const command*>> by_name;
  for (const auto& x : commands_)
    if (x.what.now != state::refused)
      by_name[x.whom].push_back(&x.what);
  for (const auto& [name, commands] : by_name) {
    const auto it = disk.find(name);
    if (auto text = broken(commands, it == disk.end() ? nullptr : &it->second); !text.empty())
      return name.full() + ": " + text;
  }
  return {};
}

std::string ledger::broken(const std::vector<const command*>& commands, const stored_deployment* stored) {
  const auto last = [&](auto&& matches) {
    const auto it = std::find_if(commands.rbegin(), commands.rend(), [&](const auto* c) { return matches(*c); });
    return commands.rend() - it; // its place from 1; 0 = none
  };
  const auto is = [](const command& c, auto... w) { return ((c.what == w) || ...); };
  const auto kept = [](const command& c) { return c.now == state::kept; };
  const auto created = last([&](const auto& c) { return kept(c) && is(c, wish::deploy); });
  const auto removed = last([&](const auto& c) { return is(c, wish::remove); });
  const auto last_deploy = last([&](const auto& c) { return is(c, wish::deploy); });

  if (removed > last_deploy && kept(*commands[static_cast<std::size_t>(removed) - 1]))
    return stored ? "an acknowledged delete is not on disk" : "";
  if (created <= removed)
    return {}; // it may be there or not
  if (!stored)
    return "an acknowledged deploy is not on disk";

  for (auto i = static_cast<std::size_t>(removed); i < commands.size(); ++i) {
    const auto& c = *commands[i];
    if (!kept(c) || !is(c, wish::deploy))
      continue;
    if (stored->next_revision <= c.revision)
      return "the next revision on disk is " + std::to_string(stored->next_revision) + ", R" +
             std::to_string(c.revision) + " was acknowledged";
    const auto it = std::find_if(stored->releases.begin(), stored->releases.end(),
                                 [&](const auto& r) { return r.revision == c.revision; });
    if (it == stored->releases.end() && stored->releases.size() < 10)
      return "R" + std::to_string(c.revision) + " was acknowledged and is not in the history on disk";
  }

  // A later command that is not refused may have changed it again, acknowledged or not.
  const auto counts = last([&](const auto& c) { return kept(c) && is(c, wish::deploy, wish::scale); });
  bool found = false;
  std::string allowed;
  for (auto i = static_cast<std::size_t>(counts) - 1; i < commands.size(); ++i)
    if (is(*commands[i], wish::deploy, wish::scale)) {
      found |= commands[i]->num_replicas == stored->num_replicas;
      allowed += (allowed.empty() ? "" : " or ") + std::to_string(commands[i]->num_replicas);
    }
  if (!found)
    return std::to_string(stored->num_replicas) + " replicas are on disk, acknowledged were " + allowed;

  const auto sets_target = [&](const command& c) { return is(c, wish::deploy, wish::choose); };
  const auto target = last(sets_target);
  const auto& t = *commands[static_cast<std::size_t>(target) - 1];
  if (kept(t) && stored->target != t.revision && stored->failure.empty())
    return "the target on disk is R" + std::to_string(stored->target) + ", acknowledged was R" +
           std::to_string(t.revision);
  if (kept(t) && t.what == wish::deploy && stored->target == t.revision) {
    const auto it = std::find_if(stored->releases.begin(), stored->releases.end(),
                                 [&](const auto& r) { return r.revision == t.revision; });
    if (it == stored->releases.end())
      return "the target's revision is not on disk";
    if (without_count(it->spec) != without_count(*t.spec))
      return "R" + std::to_string(t.revision) +
             " on disk is not what was acknowledged: " + without_count(it->spec).dump() + " instead of " +
             without_count(*t.spec).dump();
  }
  if (const auto& c = *commands.back(); kept(c) && is(c, wish::pause) && stored->phase != rollout_phase::paused &&
                                        stored->phase != rollout_phase::failed &&
                                        stored->phase != rollout_phase::complete && !stored->rolling_back)
    return "an acknowledged pause is not on disk, its phase is " + to_string(stored->phase);
  return {};
}

} // namespace troupe::simulation_tests
