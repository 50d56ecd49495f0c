// Compares acknowledged commands with the disk.
#include "ledger.hpp"

#include <troupe/messages/validation.hpp>

#include <cstddef>
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
  // How many commands there are up to the last one of these; 0 = there is none.
  const auto up_to_last = [&](bool acknowledged, auto... wishes) {
    auto n = commands.size();
    while (n > 0 &&
           !(((commands[n - 1]->what == wishes) || ...) && (!acknowledged || commands[n - 1]->now == state::kept)))
      --n;
    return n;
  };
  const auto removed = up_to_last(false, wish::remove);
  if (removed > up_to_last(false, wish::deploy) && commands[removed - 1]->now == state::kept)
    return stored ? "an acknowledged delete is not on disk" : "";
  if (up_to_last(true, wish::deploy) <= removed)
    return {}; // it may be there or not
  if (!stored)
    return "an acknowledged deploy is not on disk";
  for (auto i = removed; i < commands.size(); ++i)
    if (auto text = broken_revision(*commands[i], *stored); !text.empty())
      return text;
  const auto counted = up_to_last(true, wish::deploy, wish::scale);
  if (auto text = broken_count({commands.begin() + static_cast<std::ptrdiff_t>(counted) - 1, commands.end()}, *stored);
      !text.empty())
    return text;
  if (auto text = broken_target(*commands[up_to_last(false, wish::deploy, wish::choose) - 1], *stored); !text.empty())
    return text;
  const auto& last = *commands.back();
  const bool is_paused = stored->phase == rollout_phase::paused || stored->phase == rollout_phase::failed ||
                         stored->phase == rollout_phase::complete || stored->rolling_back;
  return last.now == state::kept && last.what == wish::pause && !is_paused
             ? "an acknowledged pause is not on disk, its phase is " + to_string(stored->phase)
             : "";
}

std::string ledger::broken_revision(const command& c, const stored_deployment& stored) {
  if (c.now != state::kept || c.what != wish::deploy)
    return {};
  const auto name = "R" + std::to_string(c.revision);
  if (stored.next_revision <= c.revision)
    return "the next revision on disk is " + std::to_string(stored.next_revision) + ", " + name + " was acknowledged";
  return !stored.find(c.revision) && stored.releases.size() < 10
             ? name + " was acknowledged and is not in the history on disk"
             : "";
}

/// `since`: from the last acknowledged count on. Those after it may have changed it again, acknowledged or not.
std::string ledger::broken_count(const std::vector<const command*>& since, const stored_deployment& stored) {
  std::string allowed;
  for (const auto* c : since)
    if (c->what == wish::deploy || c->what == wish::scale) {
      if (c->num_replicas == stored.num_replicas)
        return {};
      allowed += (allowed.empty() ? "" : " or ") + std::to_string(c->num_replicas);
    }
  return std::to_string(stored.num_replicas) + " replicas are on disk, acknowledged were " + allowed;
}

/// `last`: of those that set a target.
std::string ledger::broken_target(const command& last, const stored_deployment& stored) {
  if (last.now != state::kept)
    return {};
  const auto name = "R" + std::to_string(last.revision);
  if (stored.target != last.revision)
    return stored.failure.empty()
               ? "the target on disk is R" + std::to_string(stored.target) + ", acknowledged was " + name
               : "";
  if (last.what != wish::deploy)
    return {};
  const auto* release = stored.find(last.revision);
  if (!release)
    return "the target's revision is not on disk";
  const auto found = without_count(release->spec);
  const auto asked = without_count(*last.spec);
  return found == asked ? ""
                        : name + " on disk is not what was acknowledged: " + found.dump() + ", but " + asked.dump();
}

} // namespace troupe::simulation_tests
