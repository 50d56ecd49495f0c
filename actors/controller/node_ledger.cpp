// The ledger of nodes: what changed is passed on to those who ask.
#include <troupe/actors/controller/node_ledger.hpp>

#include <algorithm>
#include <utility>

namespace troupe::controller {

namespace {

// As `set` keeps them, whatever came over the wire.
resources in_order(const resources& x) {
  resources result;
  for (const auto& a : x.amounts)
    result.set(a.name, a.amount);
  return result;
}

bool looks_at_held(const placement_request& what) {
  return what.strategy == placement_strategy::spread || what.max_replicas_per_node > 0;
}

} // namespace

// -- nodes -----------------------------------------------------------------------------------------------------------

bool node_ledger::add_node(const joining_node& x) {
  if (x.id == 0 || slots_.count(x.id) > 0)
    return false;
  auto at = static_cast<slot>(nodes_.size());
  if (vacant_.empty()) {
    nodes_.emplace_back();
  } else {
    at = vacant_.back();
    vacant_.pop_back();
  }
  auto& n = nodes_[at];
  n.name = x.name;
  n.room = {x.id, x.labels, in_order(x.total), {}, x.state, 0};
  n.room.free = n.room.total;
  slots_.emplace(x.id, at);
  for (auto& [id, s] : shapes_)
    consider(s, at);
  touch(at);
  return true;
}

bool node_ledger::set_state(node_id id, node_state state) {
  const auto at = slot_of(id);
  if (at == no_slot)
    return false;
  if (std::exchange(nodes_[at].room.state, state) != state)
    touch(at);
  return true;
}

std::vector<placed_replicas> node_ledger::remove_node(node_id id) {
  const auto at = slot_of(id);
  if (at == no_slot)
    return {};
  auto lost = placed_on(id);
  for (const auto& x : lost) {
    unbook(x.demand, demands_.at(x.demand), at, x.count);
    drop_if_unused(x.demand);
  }
  auto& n = nodes_[at];
  n.room = {};
  n.name.clear();
  n.aside = {};
  slots_.erase(id);
  vacant_.push_back(at);
  for (auto& [number, s] : shapes_)
    consider(s, at);
  touch(at);
  return lost;
}

node_ledger::slot node_ledger::slot_of(node_id id) const {
  const auto it = slots_.find(id);
  return it == slots_.end() ? no_slot : it->second;
}

void node_ledger::touch(slot at) {
  auto& n = nodes_[at];
  n.changed = ++changes_;
  if (newest_ == at)
    return;
  if (n.newer != no_slot)
    nodes_[n.newer].older = n.older;
  if (n.older != no_slot)
    nodes_[n.older].newer = n.newer;
  n.newer = no_slot;
  n.older = newest_;
  if (newest_ != no_slot)
    nodes_[newest_].newer = at;
  newest_ = at;
}

// -- demands ---------------------------------------------------------------------------------------------------------

demand_id node_ledger::open(const deployment_name& name, const placement_request& what) {
  auto asked = what;
  asked.each = in_order(what.each);
  auto& of = deployments_.try_emplace(name).first->second;
  of.name = name;
  for (const auto id : of.demands)
    if (auto& d = demands_.at(id); d.what->what == asked) {
      d.what->open += d.open ? 0U : 1U;
      d.open = true;
      return id;
    }
  const auto id = ++last_demand_;
  auto& s = shape_for(asked);
  ++s.demands;
  ++s.open;
  auto& d = demands_[id];
  d.of = &of;
  d.what = &s;
  of.demands.push_back(id);
  return id;
}

void node_ledger::close(demand_id demand) {
  const auto it = demands_.find(demand);
  if (it == demands_.end() || !it->second.open)
    return;
  auto& d = it->second;
  d.open = false;
  d.own.reset();
  if (--d.what->open == 0)
    d.what->index = node_index{reasons_of(d.what->what)};
  drop_if_unused(demand);
}

void node_ledger::forget(const deployment_name& name) {
  const auto it = deployments_.find(name);
  if (it == deployments_.end())
    return;
  std::vector<slot> on;
  on.reserve(it->second.held.size());
  for (const auto& [at, count] : it->second.held)
    on.push_back(at);
  std::sort(on.begin(), on.end());
  const auto all = it->second.demands;
  for (const auto id : all)
    for (const auto at : on)
      if (const auto there = nodes_[at].on.find(id); there != nodes_[at].on.end())
        unbook(id, demands_.at(id), at, there->second);
  for (const auto id : all) // the last takes the deployment with it
    if (demands_.at(id).open)
      close(id);
    else
      drop_if_unused(id);
}

void node_ledger::drop_if_unused(demand_id id) {
  const auto it = demands_.find(id);
  if (it->second.open || it->second.placed > 0)
    return;
  auto& s = *it->second.what;
  auto& of = *it->second.of;
  demands_.erase(it);
  if (--s.demands == 0)
    shapes_.erase(shape_id{s.id}); // a copy, as it goes with the shape
  std::erase(of.demands, id);
  if (of.demands.empty())
    deployments_.erase(deployment_name{of.name}); // a copy, as the name goes with it
}

node_ledger::shape& node_ledger::shape_for(const placement_request& what) {
  const auto it = std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& x) { return x.second.what == what; });
  if (it != shapes_.end())
    return it->second;
  auto& s = shapes_[++last_shape_];
  s.id = last_shape_;
  s.what = what;
  s.could_fit.assign(reasons_of(what), 0);
  s.index = node_index{reasons_of(what)};
  for (slot at = 0; at < nodes_.size(); ++at)
    consider(s, at);
  return s;
}

// -- replicas --------------------------------------------------------------------------------------------------------

std::optional<node_id> node_ledger::place(demand_id demand) {
  const auto it = demands_.find(demand);
  if (it == demands_.end() || !it->second.open)
    return std::nullopt;
  const auto at = best_for(it->second);
  if (at == no_slot)
    return std::nullopt;
  book(demand, it->second, at);
  return nodes_[at].room.id;
}

bool node_ledger::adopt(demand_id demand, node_id id) {
  const auto it = demands_.find(demand);
  const auto at = slot_of(id);
  if (it == demands_.end() || at == no_slot || !fits(it->second.what->what.each, nodes_[at].room.free))
    return false;
  book(demand, it->second, at);
  return true;
}

bool node_ledger::give_back(demand_id demand, node_id id) {
  const auto it = demands_.find(demand);
  const auto at = slot_of(id);
  if (it == demands_.end() || at == no_slot || nodes_[at].on.count(demand) == 0)
    return false;
  unbook(demand, it->second, at, 1);
  drop_if_unused(demand);
  return true;
}

bool node_ledger::set_aside(node_id id, const resources& what) {
  const auto at = slot_of(id);
  if (at == no_slot || !fits(what, nodes_[at].room.free))
    return false;
  if (what.empty())
    return true;
  take(nodes_[at].room.free, what);
  add(nodes_[at].aside, what);
  touch(at);
  return true;
}

void node_ledger::take_back(node_id id, const resources& what) {
  const auto at = slot_of(id);
  if (at == no_slot)
    return;
  const auto back = at_most(what, nodes_[at].aside);
  if (back.empty())
    return;
  take(nodes_[at].aside, back);
  add(nodes_[at].room.free, back);
  touch(at);
}

void node_ledger::book(demand_id id, demand_state& d, slot at) {
  auto& n = nodes_[at];
  take(n.room.free, d.what->what.each);
  ++n.room.replicas;
  ++n.on[id];
  ++d.of->held[at];
  ++d.placed;
  touch(at);
}

void node_ledger::unbook(demand_id id, demand_state& d, slot at, std::uint32_t count) {
  auto& n = nodes_[at];
  add(n.room.free, d.what->what.each, count);
  n.room.replicas -= count;
  if (const auto it = n.on.find(id); (it->second -= count) == 0)
    n.on.erase(it);
  if (const auto it = d.of->held.find(at); (it->second -= count) == 0)
    d.of->held.erase(it);
  d.placed -= count;
  touch(at);
}

// -- which is best ---------------------------------------------------------------------------------------------------

void node_ledger::consider(shape& s, slot at) const {
  if (at >= s.nodes.size())
    s.nodes.resize(nodes_.size());
  auto& x = s.nodes[at];
  if (x.reason != node_index::no_node)
    --s.could_fit[x.reason];
  x = judge_lasting(s.what, nodes_[at].room);
  if (x.reason != node_index::no_node)
    ++s.could_fit[x.reason];
}

void node_ledger::catch_up(node_index& index, const shape& s, const deployment* of) {
  changed_.clear();
  for (auto at = newest_; at != no_slot && nodes_[at].changed > index.seen; at = nodes_[at].older) {
    std::uint32_t held = 0;
    if (of != nullptr)
      if (const auto it = of->held.find(at); it != of->held.end())
        held = it->second;
    const auto v = judge(s.what, nodes_[at].room, s.nodes[at], held);
    index.assign(at, v.rank, v.reason);
    changed_.push_back(at);
  }
  looks_ += changed_.size();
  index.settle(changed_);
  index.seen = changes_;
}

node_index& node_ledger::index_of(demand_state& d) {
  const auto held = d.of->held.size();
  if (!d.own && looks_at_held(d.what->what) && (held > few_nodes || 4 * held > slots_.size()))
    d.own = std::make_unique<node_index>(reasons_of(d.what->what));
  auto& index = d.own ? *d.own : d.what->index;
  catch_up(index, *d.what, d.own ? d.of : nullptr);
  return index;
}

node_ledger::slot node_ledger::best_for(demand_state& d) {
  const auto& index = index_of(d);
  if (d.own || !looks_at_held(d.what->what))
    return index.best();
  const auto& held = d.of->held; // by hash, which decides nothing: no two ranks are equal
  auto best = index.best_except([&](slot at) { return held.count(at) > 0; });
  auto rank = best == no_slot ? node_rank{} : index.rank_of(best);
  for (const auto& [at, count] : held)
    if (const auto v = with_held(d.what->what, {index.rank_of(at), index.reason_of(at)}, count); v.rank < rank) {
      best = at;
      rank = v.rank;
    }
  return best;
}

// -- questions -------------------------------------------------------------------------------------------------------

bool node_ledger::could_hold(demand_id demand, node_id id, bool at_bound_too) const {
  const auto it = demands_.find(demand);
  const auto at = slot_of(id);
  if (it == demands_.end() || at == no_slot || it->second.what->nodes[at].reason != no_misfit)
    return false;
  const auto bound = it->second.what->what.max_replicas_per_node;
  const auto there = it->second.of->held.find(at);
  return bound == 0 || at_bound_too || there == it->second.of->held.end() || there->second < bound;
}

fit_report node_ledger::explain(demand_id demand) {
  const auto it = demands_.find(demand);
  if (it == demands_.end())
    return {};
  auto& d = it->second;
  const auto& index = index_of(d);
  auto counts = index.counts();
  if (!d.own && d.what->what.max_replicas_per_node > 0)
    for (const auto& [at, count] : d.of->held) {
      --counts[index.reason_of(at)];
      ++counts[with_held(d.what->what, {{}, index.reason_of(at)}, count).reason];
    }
  return report_of(counts, d.what->what);
}

fit_report node_ledger::never(demand_id demand) const {
  const auto it = demands_.find(demand);
  return it == demands_.end() ? fit_report{} : report_of(it->second.what->could_fit, it->second.what->what);
}

const node_room* node_ledger::room_of(node_id id) const {
  const auto at = slot_of(id);
  return at == no_slot ? nullptr : &nodes_[at].room;
}

std::uint32_t node_ledger::placed(demand_id demand) const {
  const auto it = demands_.find(demand);
  return it == demands_.end() ? 0 : it->second.placed;
}

std::uint32_t node_ledger::placed(const deployment_name& name, node_id id) const {
  const auto it = deployments_.find(name);
  const auto at = slot_of(id);
  if (it == deployments_.end() || at == no_slot)
    return 0;
  const auto there = it->second.held.find(at);
  return there == it->second.held.end() ? 0 : there->second;
}

std::vector<placed_replicas> node_ledger::placed_on(node_id id) const {
  std::vector<placed_replicas> result;
  if (const auto at = slot_of(id); at != no_slot)
    for (const auto& [demand, count] : nodes_[at].on)
      result.push_back({demands_.at(demand).of->name, demand, count});
  return result;
}

resource_report node_ledger::report() const {
  const std::map<node_id, slot> by_id(slots_.begin(), slots_.end());
  resource_report result;
  for (const auto& [id, at] : by_id) {
    const auto& n = nodes_[at];
    auto used = n.room.total;
    take(used, n.room.free);
    take(used, n.aside);
    result.nodes.push_back({n.name, n.room.total, std::move(used)});
  }
  return result;
}

} // namespace troupe::controller
