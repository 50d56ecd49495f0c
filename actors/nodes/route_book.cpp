#include <troupe/actors/nodes/route_book.hpp>

#include <algorithm>

namespace troupe::nodes {

void route_book::set(deployment_routed about) {
  auto& d = deployments_[about.target];
  const auto name = about.target;
  d.about = std::move(about);
  d.exists = true;
  changed_[name];
}

void route_book::open(const deployment_name& name, const replica_route& where) {
  if (!deployments_[name].open.insert_or_assign(where.replica, where).second)
    return;
  changed_[name].opened.push_back(where);
}

void route_book::close(const deployment_name& name, std::uint64_t replica) {
  auto& d = deployments_[name];
  const auto it = d.open.find(replica);
  if (it == d.open.end())
    return;
  auto& c = changed_[name];
  const auto is_it = [&](const replica_route& x) { return x.replica == replica; };
  std::erase_if(c.opened, is_it);
  c.closed.push_back(it->second);
  d.open.erase(it);
}

void route_book::forget(const deployment_name& name) {
  const auto it = deployments_.find(name);
  if (it == deployments_.end())
    return;
  auto& d = it->second;
  auto& c = changed_[name];
  for (const auto& [replica, where] : d.open)
    c.closed.push_back(where);
  c.opened.clear();
  d.open.clear();
  d.about = {};
  d.exists = false;
}

void route_book::watch(std::uint64_t node, const std::vector<deployment_name>& names) {
  for (const auto& name : names) {
    deployments_[name].watchers.try_emplace(node, 0);
    asked_[node].insert(name);
  }
}

void route_book::forget_node(std::uint64_t node) {
  asked_.erase(node);
  for (auto it = deployments_.begin(); it != deployments_.end();) {
    it->second.watchers.erase(node);
    const auto& d = it->second;
    it = !d.exists && d.watchers.empty() && d.open.empty() ? deployments_.erase(it) : std::next(it);
  }
}

replica_set route_book::set_of(const deployment_name& name, const deployment& d) const {
  replica_set out;
  out.name = name;
  out.max_ongoing = d.about.max_ongoing;
  out.max_queued = d.about.max_queued;
  out.idempotent = d.about.idempotent;
  out.refusal = d.exists ? d.about.refusal : "there is no deployment " + name.full();
  out.signatures = d.about.signatures;
  return out;
}

std::map<std::uint64_t, replica_sets> route_book::take(const std::map<std::uint64_t, peer_address>& peers) {
  ++epoch_;
  std::map<std::uint64_t, replica_sets> out;
  std::map<std::uint64_t, std::set<std::uint64_t>> named; // by node: whose addresses it has to know
  const auto give = [&](std::uint64_t node, std::uint64_t& told, replica_set set) {
    set.epoch = (node << 32U) + epoch_; // ids of nodes grow over the runs of the controller
    told = set.epoch;
    for (const auto& x : set.opened)
      named[node].insert(x.incarnation);
    out[node].sets.push_back(std::move(set));
  };
  for (const auto& [node, names] : asked_)
    for (const auto& name : names) {
      auto& d = deployments_.at(name);
      auto set = set_of(name, d);
      for (const auto& [replica, where] : d.open)
        set.opened.push_back(where);
      give(node, d.watchers.at(node), std::move(set));
    }
  for (auto& [name, c] : changed_) {
    const auto it = deployments_.find(name);
    if (it == deployments_.end())
      continue;
    auto set = set_of(name, it->second);
    set.opened = std::move(c.opened);
    set.closed = std::move(c.closed);
    for (auto& [node, told] : it->second.watchers) {
      if (const auto asked = asked_.find(node); asked != asked_.end() && asked->second.count(name) > 0)
        continue;
      set.after = told;
      give(node, told, set);
    }
  }
  asked_.clear();
  changed_.clear();
  for (const auto& [node, incarnations] : named)
    for (const auto incarnation : incarnations)
      if (const auto it = peers.find(incarnation); it != peers.end())
        out[node].peers.push_back(it->second);
  return out;
}

} // namespace troupe::nodes
