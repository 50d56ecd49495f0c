// The ledger of room.
#include <troupe/actors/controller/placement.hpp>

#include <algorithm>
#include <utility>

namespace troupe::controller {

placement::placement(std::uint32_t max_replicas, resources local) : total_(std::move(local)) {
  total_.set(slots, max_replicas);
  free_ = total_;
}

resources placement::cost_of(const resources& each) const {
  auto cost = each;
  if (total_.of(slots) > 0)
    cost.set(slots, 1);
  return cost;
}

std::vector<grant> placement::claim(const claim_room& c) {
  auto [it, is_new] = accounts_.try_emplace(c.from);
  auto& a = it->second;
  if (!is_new && c.seq <= a.seq)
    return {};
  a.seq = c.seq;
  a.reserve = c.reserve;
  auto before = std::exchange(a.shapes, {});
  for (const auto& s : c.shapes) {
    const auto old = std::find_if(before.begin(), before.end(),
                                  [&](const holding& h) { return h.each == s.each && h.where == s.where; });
    a.shapes.push_back({s.each, cost_of(s.each), s.want, 0, s.where});
    if (old == before.end())
      continue;
    a.shapes.back().granted = std::min(old->granted, s.want);
    old->granted -= a.shapes.back().granted;
  }
  for (const auto& h : before)
    add(a.own, h.cost, h.granted);
  settle(a);
  if (const auto lacks = [](const holding& h) { return h.granted < h.want; };
      std::none_of(a.shapes.begin(), a.shapes.end(), lacks)) {
    leave_queue(a);
  } else if (a.place == 0) {
    a.place = ++places_;
    waiting_.emplace(a.place, c.from);
  }
  a.told = {}; // answered in any case, from serial 1
  std::vector<grant> out;
  hand_out(out);
  if (std::none_of(out.begin(), out.end(), [&](const grant& g) { return g.to == c.from; }))
    tell(c.from, a, {}, out);
  std::rotate(out.begin(), std::find_if(out.begin(), out.end(), [&](const grant& g) { return g.to == c.from; }),
              out.end());
  return out;
}

std::vector<grant> placement::hand_over(const deployment_name& name, const claim_room& claim) {
  if (const auto from = accounts_.find(name); from != accounts_.end()) {
    account kept{.seq = claim.seq, .shapes = {}, .reserve = 0, .own = {}, .place = 0, .told = {}};
    for (const auto& s : claim.shapes)
      for (auto& h : from->second.shapes)
        if (h.each == s.each && h.where == s.where && std::min(h.granted, s.want) > 0) {
          const auto n = std::min(h.granted, s.want);
          h.granted -= n;
          kept.shapes.push_back({h.each, h.cost, n, n, h.where});
        }
    if (!kept.shapes.empty())
      accounts_[claim.from] = std::move(kept);
  }
  return forget(name);
}

std::vector<grant> placement::forget(const deployment_name& name) {
  const auto it = accounts_.find(name);
  if (it == accounts_.end())
    return {};
  add(free_, it->second.own);
  for (const auto& h : it->second.shapes)
    add(free_, h.cost, h.granted);
  leave_queue(it->second);
  accounts_.erase(it);
  std::vector<grant> out;
  hand_out(out);
  return out;
}

std::uint32_t placement::granted(const deployment_name& name) const {
  const auto it = accounts_.find(name);
  std::uint32_t sum = 0;
  if (it != accounts_.end())
    for (const auto& h : it->second.shapes)
      sum += h.granted;
  return sum;
}

resource_report placement::report() const {
  node_resources local;
  local.total = total_;
  local.used = total_;
  take(local.used, free_);
  local.total.set(slots, 0);
  local.used.set(slots, 0);
  return {{std::move(local)}};
}

room_shortage placement::never(const resources& each, const placement_options&) const {
  const auto lacking = first_lacking(each, total_);
  return lacking ? room_shortage{lacking->name, lacking->amount, free_.of(lacking->name), total_.of(lacking->name)}
                 : room_shortage{};
}

const placement::holding* placement::next_wanted(const account& a) const {
  const auto it = std::find_if(a.shapes.begin(), a.shapes.end(),
                               [&](const holding& h) { return h.granted < h.want && can_fit(h); });
  return it == a.shapes.end() ? nullptr : &*it;
}

void placement::serve(account& a, resources& available) const {
  auto left = available; // for shapes that come later: less what the next replica of an earlier one waits for
  for (auto& h : a.shapes) {
    const auto n = times_in(h.cost, left, h.want - h.granted);
    h.granted += n;
    take(available, h.cost, n);
    take(left, h.cost, n);
    if (h.granted < h.want && can_fit(h))
      take(left, h.cost);
  }
}

// What the claimer gave back serves its other shapes first; what its wave cannot need is free.
void placement::settle(account& a) {
  serve(a, a.own);
  resources needed;
  if (!a.shapes.empty() && can_fit(a.shapes.front())) {
    const auto& first = a.shapes.front();
    add(needed, first.cost, std::min(first.want - first.granted, a.reserve));
  }
  auto kept = at_most(a.own, needed);
  take(a.own, kept);
  add(free_, a.own);
  a.own = std::move(kept);
}

void placement::hand_out(std::vector<grant>& out) {
  auto open = free_; // `free_`, less what is set aside for older claims
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto name = (it++)->second;
    auto& a = accounts_.at(name);
    auto available = open;
    add(available, a.own);
    const auto before = available;
    serve(a, available);
    auto spent = before;
    take(spent, available);
    const auto of_own = at_most(spent, a.own); // its own goes first
    take(a.own, of_own);
    take(spent, of_own);
    take(free_, spent);
    take(open, spent);
    if (const auto* next = next_wanted(a)) {
      auto aside = next->cost;
      take(aside, a.own);
      take(open, aside);
    }
    tell(name, a, available, out);
    if (std::all_of(a.shapes.begin(), a.shapes.end(), [](const holding& h) { return h.granted == h.want; }))
      leave_queue(a);
  }
}

// `available`: what there is for the next replica of `a`, its own included.
void placement::tell(const deployment_name& name, account& a, const resources& available, std::vector<grant>& out) {
  room_granted now;
  now.seq = a.seq;
  now.serial = a.told.serial;
  for (const auto& h : a.shapes)
    now.granted.push_back(h.granted);
  const auto first = std::find_if(a.shapes.begin(), a.shapes.end(), [](const auto& h) { return h.granted < h.want; });
  if (first != a.shapes.end() && !can_fit(*first))
    now.lacks = never(first->each, first->where);
  if (const auto* next = next_wanted(a)) {
    now.spare = at_most(available, next->cost);
    if (const auto x = first_lacking(next->cost, available); x && now.lacks.resource.empty())
      now.lacks = {x->name, x->amount, available.of(x->name), total_.of(x->name)};
  }
  if (now == a.told)
    return;
  ++now.serial;
  a.told = now;
  out.push_back({name, std::move(now)});
}

void placement::leave_queue(account& a) {
  if (a.place != 0)
    waiting_.erase(a.place);
  a.place = 0;
}

} // namespace troupe::controller
