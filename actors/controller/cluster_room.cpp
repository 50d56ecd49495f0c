// Seats: claimed, taken and left. Who gets them is in cluster_serving.cpp.
#include <troupe/actors/controller/cluster_room.hpp>

#include <algorithm>
#include <utility>

namespace troupe::controller {

// -- nodes -----------------------------------------------------------------------------------------------------------

std::vector<grant> cluster_room::add_node(const joining_node& x) {
  if (!ledger_.add_node(x))
    return {};
  nodes_[x.id] = {x.name, x.total, x.state, x.labels};
  ++version_;
  return hand_out();
}

std::vector<grant> cluster_room::set_state(node_id id, node_state state) {
  const auto it = nodes_.find(id);
  if (it == nodes_.end() || it->second.state == state)
    return {};
  it->second.state = state;
  bringing_.erase(id);
  ++version_;
  ledger_.set_state(id, state);
  if (state != node_state::ready && wrong_ != wrong_seat::keeps_closed)
    for (auto& [name, a] : accounts_) {
      for (auto& s : a.shapes)
        while (a.seats.unoccupied(s->number, id) > 0)
          give_back(a, *s, id);
      queue_or_leave(a);
    }
  return hand_out();
}

std::vector<grant> cluster_room::remove_node(node_id id) {
  if (nodes_.erase(id) == 0)
    return {};
  bringing_.erase(id);
  ++version_;
  ledger_.remove_node(id);
  std::vector<grant> out;
  std::vector<account*> hit;
  for (auto& [name, a] : accounts_) {
    if (a.chosen == id) {
      a.chosen = 0;
      a.aside = {};
    }
    a.own.erase(id);
    bool lost = false;
    for (auto& s : a.shapes) {
      const auto before = a.seats.seats(s->number);
      for (const auto place : a.seats.lose(s->number, id))
        if (wrong_ != wrong_seat::keeps_lost)
          places_.erase(place);
      const auto gone = before - a.seats.seats(s->number);
      free_slots_ += gone;
      lost = lost || gone > 0;
    }
    if (lost)
      hit.push_back(&a);
  }
  for (auto* a : hit)
    queue_or_leave(*a);
  out = hand_out();
  for (auto* a : hit) // also who wants no more than is left
    tell(*a, out);
  return out;
}

bool cluster_room::is_open(node_id id) const {
  const auto it = nodes_.find(id);
  return it != nodes_.end() && it->second.state == node_state::ready;
}

bool cluster_room::may_hold(const shape& s, node_id id) const {
  return is_open(id) && ledger_.could_hold(s.demand, id, true);
}

// -- claims ----------------------------------------------------------------------------------------------------------

cluster_room::account& cluster_room::account_of(const deployment_name& name) {
  auto& a = accounts_[name];
  if (a.name.name.empty())
    a.name = a.placed_as = name;
  return a;
}

cluster_room::shape& cluster_room::shape_of(account& a, const shape_claim& what) {
  for (auto& s : a.shapes)
    if (s->each == what.each && s->where == what.where)
      return *s;
  auto& s = *a.shapes.emplace_back(std::make_unique<shape>());
  s.number = ++a.last_number;
  s.each = what.each;
  s.where = what.where;
  if (s.where.strategy == placement_strategy::pack)
    a.seats.pack(s.number);
  return s;
}

std::vector<grant> cluster_room::claim(const claim_room& c) {
  auto& a = account_of(c.from);
  if (c.seq <= a.seq)
    return {};
  a.seq = c.seq;
  a.reserve = c.reserve;
  for (auto& s : a.shapes)
    s->want = 0;
  a.listed.clear();
  for (const auto& x : c.shapes) {
    auto& s = shape_of(a, x);
    s.want = x.want;
    a.listed.push_back(&s);
  }
  release_aside(a);
  for (auto& s : a.shapes)
    give_back_surplus(a, *s);
  choose_anew(a);
  a.told = {}; // answered in any case, from serial 1
  queue_or_leave(a);
  return hand_out(&a);
}

std::vector<grant> cluster_room::hand_over(const deployment_name& name, const claim_room& c) {
  const auto from = accounts_.find(name);
  if (from != accounts_.end() && accounts_.count(c.from) == 0) {
    auto moved = accounts_.extract(from);
    auto& a = moved.mapped();
    release_aside(a);
    free_own(a);
    if (a.turn != 0)
      waiting_.erase(std::exchange(a.turn, 0));
    moved.key() = a.name = c.from;
    a.seq = c.seq;
    a.is_leftover = true;
    a.reserve = 0;
    a.listed.clear();
    for (auto& s : a.shapes) {
      s->want = 0;
      for (const auto& [ticket, place] : std::exchange(s->waiters, {}))
        places_.erase(place);
    }
    for (const auto& x : c.shapes) {
      auto& s = shape_of(a, x);
      s.want = std::min(x.want, a.seats.seats(s.number));
      a.listed.push_back(&s);
    }
    accounts_.insert(std::move(moved));
    auto& kept = accounts_.at(c.from);
    for (auto& s : kept.shapes)
      give_back_surplus(kept, *s);
    drop_unused(kept);
  }
  return hand_out();
}

std::vector<grant> cluster_room::forget(const deployment_name& name) {
  const auto it = accounts_.find(name);
  if (it == accounts_.end())
    return {};
  auto& a = it->second;
  release_aside(a);
  free_own(a);
  if (a.turn != 0)
    waiting_.erase(a.turn);
  for (auto& s : a.shapes) {
    for (const auto& [ticket, place] : s->waiters)
      places_.erase(place);
    for (const auto place : a.seats.places(s->number))
      places_.erase(place);
    for (const auto& [on, count] : a.seats.by_node(s->number))
      for (std::uint32_t i = 0; i < count; ++i)
        ledger_.give_back(s->demand, on);
    free_slots_ += a.seats.seats(s->number);
    if (s->demand != 0)
      ledger_.close(s->demand);
  }
  accounts_.erase(it);
  return hand_out();
}

void cluster_room::drop_unused(account& a) {
  std::erase_if(a.shapes, [&](const auto& s) {
    const bool is_listed = std::find(a.listed.begin(), a.listed.end(), s.get()) != a.listed.end();
    if (is_listed || !s->waiters.empty() || a.seats.seats(s->number) > 0)
      return false;
    if (a.chosen_for == s.get())
      release_aside(a);
    if (s->demand != 0)
      ledger_.close(s->demand);
    a.seats.forget(s->number);
    return true;
  });
}

void cluster_room::queue_or_leave(account& a) {
  const bool lacks =
      std::any_of(a.listed.begin(), a.listed.end(), [&](const shape* s) { return a.seats.seats(s->number) < s->want; });
  if (lacks && !a.is_leftover) {
    if (a.turn == 0) {
      a.turn = ++turns_;
      waiting_.emplace(a.turn, &a);
    }
    return;
  }
  if (a.turn != 0)
    waiting_.erase(std::exchange(a.turn, 0));
  release_aside(a);
  free_own(a);
}

std::uint32_t cluster_room::granted(const deployment_name& name) const {
  const auto it = accounts_.find(name);
  std::uint32_t sum = 0;
  if (it != accounts_.end())
    for (const auto* s : it->second.listed)
      sum += std::min(s->want, it->second.seats.seats(s->number));
  return sum;
}

room_shortage cluster_room::never(const resources& each, const placement_options& where) const {
  room_shortage worst;
  for (const auto& [id, n] : nodes_) {
    if (!suits(where, n.labels))
      continue;
    const auto lacking = first_lacking(each, n.total);
    if (!lacking)
      return {};
    if (worst.resource.empty() || (worst.resource == lacking->name && worst.total < n.total.of(lacking->name)))
      worst = {lacking->name, lacking->amount, 0, n.total.of(lacking->name), !where.required.empty()};
  }
  return worst;
}

// -- seats -----------------------------------------------------------------------------------------------------------

/// Again, since who shares the demand (`hand_over`) may have closed it.
void cluster_room::open(const account& a, shape& s) {
  placement_request what{.each = s.each,
                         .strategy = s.where.strategy,
                         .max_replicas_per_node = s.where.max_replicas_per_node,
                         .required = s.where.required,
                         .preferred = s.where.preferred};
  if (wrong_ == wrong_seat::ignores_labels)
    what.required.clear();
  if (wrong_ == wrong_seat::ignores_bound)
    what.max_replicas_per_node = 0;
  s.demand = ledger_.open(a.placed_as, what);
}

void cluster_room::add_seat(account& a, const shape& s, node_id on) {
  const auto& labels = nodes_.at(on).labels;
  const auto fails = [&](const label_rule& r) { return !r.holds_for(labels); };
  const auto unmatched = std::count_if(s.where.preferred.begin(), s.where.preferred.end(), fails);
  a.seats.add(s.number, on, static_cast<std::uint32_t>(unmatched));
}

std::optional<node_id> cluster_room::place(account& a, shape& s) {
  const auto on = awaits_nodes_ ? std::nullopt : ledger_.place(s.demand);
  if (on)
    add_seat(a, s, *on);
  return on;
}

// While its wave waits to start, the room is kept; `keep_own` bounds it.
void cluster_room::give_back(account& a, shape& s, node_id on) {
  a.seats.remove(s.number, on);
  ledger_.give_back(s.demand, on);
  if (a.reserve == 0 || a.listed.empty() || a.listed.front() == &s) {
    ++free_slots_;
    return;
  }
  ++a.own_slots;
  if (ledger_.set_aside(on, s.each))
    add(a.own[on], s.each);
}

void cluster_room::give_back_surplus(account& a, shape& s) {
  while (a.seats.seats(s.number) > s.want && a.seats.unoccupied(s.number) > 0)
    give_back(a, s,
              a.chosen != 0 && a.seats.unoccupied(s.number, a.chosen) > 0 ? a.chosen : *a.seats.to_give_back(s.number));
}

void cluster_room::sit(account& a, shape& s, std::uint64_t place, place_record& r) {
  auto free = adopted_seat(a, s, r.code);
  if (free) {
    r.node = *free;
  } else {
    free = *a.seats.to_take(s.number);
    open(a, s);
    a.seats.remove(s.number, *free);
    ledger_.give_back(s.demand, *free);
    const auto better = this->place(a, s); // there is room at least where it was, if that is still open
    if (!better && ledger_.adopt(s.demand, *free))
      add_seat(a, s, *free);
    r.node = better.value_or(*free);
  }
  has_freed_ = has_freed_ || r.node != *free;
  a.seats.occupy(s.number, r.node, place);
  seated_.push_back({place, r.node});
  choose_anew(a);
}

void cluster_room::seat_waiters(account& a, shape& s) {
  while (!s.waiters.empty() && a.seats.unoccupied(s.number) > 0) {
    const auto place = s.waiters.begin()->second;
    s.waiters.erase(s.waiters.begin());
    sit(a, s, place, places_.at(place));
  }
}

std::vector<grant> cluster_room::take_seat(const replica_kind& kind, std::uint64_t place) {
  auto& a = account_of(kind.of);
  auto& s = shape_of(a, {kind.each, 0, kind.where});
  const auto [it, is_new] = places_.try_emplace(place, place_record{&a, &s, 0, 0, kind.code});
  if (!is_new)
    return {};
  it->second.ticket = ++tickets_;
  s.waiters.emplace(it->second.ticket, place);
  has_freed_ = false;
  seat_waiters(a, s);
  return has_freed_ ? hand_out() : std::vector<grant>{};
}

std::vector<grant> cluster_room::leave_seat(std::uint64_t place) {
  const auto it = places_.find(place);
  if (it == places_.end())
    return {};
  const auto r = it->second;
  places_.erase(it);
  auto& a = *r.of;
  auto& s = *r.in;
  if (r.node == 0) {
    s.waiters.erase(r.ticket);
    drop_unused(a);
    if (a.seq == 0 && a.shapes.empty()) { // it came after its deployment had gone
      accounts_.erase(deployment_name{a.name});
      return {};
    }
    return awaits_answer(a) ? hand_out() : std::vector<grant>{};
  }
  a.seats.leave(s.number, r.node, place);
  const auto* first = a.listed.empty() ? nullptr : a.listed.front();
  const bool is_for_wave =
      a.reserve > 0 && first != nullptr && first != &s && a.seats.seats(first->number) < first->want;
  if (!is_for_wave && a.seats.seats(s.number) <= s.want && (is_open(r.node) || wrong_ == wrong_seat::keeps_closed)) {
    has_freed_ = false;
    seat_waiters(a, s);
    choose_anew(a);
    return has_freed_ || awaits_answer(a) ? hand_out() : std::vector<grant>{};
  }
  choose_anew(a);
  give_back(a, s, r.node);
  queue_or_leave(a);
  auto out = hand_out();
  drop_unused(a);
  return out;
}

std::optional<node_id> cluster_room::node_of(std::uint64_t place) const {
  const auto it = places_.find(place);
  return it == places_.end() || it->second.node == 0 ? std::nullopt : std::optional{it->second.node};
}

// -- for tests -------------------------------------------------------------------------------------------------------

std::uint32_t cluster_room::seats(const deployment_name& name) const {
  const auto it = accounts_.find(name);
  std::uint32_t sum = 0;
  if (it != accounts_.end())
    for (const auto& s : it->second.shapes)
      sum += it->second.seats.seats(s->number);
  return sum;
}

resources cluster_room::held_back_on(node_id id) const {
  resources sum;
  for (const auto& [name, a] : accounts_) {
    if (a.chosen == id)
      add(sum, a.aside);
    if (const auto it = a.own.find(id); it != a.own.end())
      add(sum, it->second);
  }
  return sum;
}

std::vector<deployment_name> cluster_room::waiting() const {
  std::vector<deployment_name> out;
  for (const auto& [turn, a] : waiting_)
    out.push_back(a->name);
  return out;
}

} // namespace troupe::controller
