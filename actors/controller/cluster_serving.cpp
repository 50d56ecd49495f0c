// Who gets seats: the queue of claims that lack room, what is kept for waves and set aside for who waits.
#include <troupe/actors/controller/cluster_room.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::controller {

std::vector<grant> cluster_room::hand_out(account* first) {
  std::vector<grant> out;
  do { // again, where a younger claim has let go of what it kept
    has_freed_ = false;
    for (const auto& [turn, a] : waiting_) // what is set aside is for its own claim, not against an older one
      release_aside(*a);
    auto open_slots = max_replicas_ > 0 ? free_slots_ : std::numeric_limits<std::uint32_t>::max();
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      auto& a = *(it++)->second;
      serve(a, open_slots);
      tell(a, out);
      queue_or_leave(a);
    }
  } while (has_freed_);
  if (first && first->told.serial == 0)
    tell(*first, out);
  if (first) {
    drop_unused(*first);
    const auto mine = std::find_if(out.begin(), out.end(), [&](const grant& g) { return g.to == first->name; });
    std::rotate(out.begin(), mine, out.end());
  }
  return out;
}

void cluster_room::serve(account& a, std::uint32_t& open_slots) {
  open_own(a);
  bool has_kept = false;
  for (auto* s : a.listed) {
    if (a.seats.seats(s->number) < s->want)
      open(a, *s);
    while (a.seats.seats(s->number) < s->want && (open_slots > 0 || a.own_slots > 0) && place(a, *s)) {
      if (a.own_slots > 0)
        --a.own_slots;
      else {
        --open_slots;
        --free_slots_;
      }
    }
    seat_waiters(a, *s);
    if (!std::exchange(has_kept, true))
      keep_own(a);
    if (a.seats.seats(s->number) < s->want && a.chosen_for == nullptr)
      set_aside(a, *s);
  }
  if (!has_kept)
    free_own(a);
  a.has_slot = open_slots > 0 || a.own_slots > 0;
  if (open_slots > 0 && a.own_slots == 0 && a.chosen_for != nullptr && max_replicas_ > 0)
    --open_slots; // set aside likewise; what no node can hold is in nobody's way
}

cluster_room::shape* cluster_room::next_wanted(const account& a) const {
  const auto it = std::find_if(a.listed.begin(), a.listed.end(),
                               [&](const shape* s) { return a.seats.seats(s->number) < s->want; });
  return it == a.listed.end() ? nullptr : *it;
}

void cluster_room::open_own(account& a) {
  for (const auto& [on, what] : a.own)
    ledger_.take_back(on, what);
}

// At most what the first shape lacks, and what is still there.
void cluster_room::keep_own(account& a) {
  auto lacks = a.listed.empty()
                   ? 0
                   : a.listed.front()->want - std::min(a.listed.front()->want, a.seats.seats(a.listed.front()->number));
  lacks = std::min(lacks, a.reserve);
  resources needed;
  if (lacks > 0)
    add(needed, a.listed.front()->each, lacks);
  if (a.own_slots > lacks) {
    has_freed_ = true;
    free_slots_ += std::exchange(a.own_slots, lacks) - lacks;
  }
  for (auto it = a.own.begin(); it != a.own.end();) {
    const auto* room = ledger_.room_of(it->first);
    const bool is_of_use = room && lacks > 0 && ledger_.could_hold(a.listed.front()->demand, it->first);
    auto kept = is_of_use ? at_most(at_most(it->second, needed), room->free) : resources{};
    has_freed_ = has_freed_ || kept != it->second;
    if (kept.empty() || !ledger_.set_aside(it->first, kept)) {
      it = a.own.erase(it);
      continue;
    }
    take(needed, kept);
    it->second = std::move(kept);
    ++it;
  }
}

void cluster_room::free_own(account& a) {
  open_own(a);
  has_freed_ = has_freed_ || !a.own.empty() || a.own_slots > 0;
  a.own.clear();
  free_slots_ += std::exchange(a.own_slots, 0);
}

// Where all are at the bound per node, nothing is set aside: that would not help as long as none of its own leaves.
void cluster_room::choose(account& a, const shape& s) {
  const auto best_of = [&](bool at_bound) {
    node_id found = 0;
    std::uint32_t best = 0;
    for (const auto& [id, n] : nodes_) {
      if (n.state != node_state::ready || !ledger_.could_hold(s.demand, id, at_bound))
        continue;
      const auto* room = ledger_.room_of(id);
      auto share = std::numeric_limits<std::uint32_t>::max();
      for (const auto& x : s.each.amounts)
        share = std::min(share, free_share(room->free.of(x.name), room->total.of(x.name)));
      if (found == 0 || share > best) {
        found = id;
        best = share;
      }
    }
    return found;
  };
  a.chosen = best_of(false);
  a.at_bound = a.chosen == 0 && s.where.max_replicas_per_node > 0 ? best_of(true) : 0;
}

void cluster_room::set_aside(account& a, const shape& s) {
  if (wrong_ == wrong_seat::sets_nothing_aside)
    return;
  const bool is_good = a.chosen != 0 && could_hold(s, a.chosen);
  const bool has_moved = s.where.max_replicas_per_node > 0 && a.chose_at_moves != a.moves;
  if (!is_good && (a.chose != version_ || a.chose_for_number != s.number || has_moved)) {
    choose(a, s);
    a.chose = version_;
    a.chose_at_moves = a.moves;
    a.chose_for_number = s.number;
  } else if (!is_good) {
    a.chosen = 0;
  }
  if (a.chosen == 0)
    return;
  auto missing = s.each; // beyond what is kept there
  if (const auto own = a.own.find(a.chosen); own != a.own.end() && a.listed.front() == &s)
    take(missing, own->second);
  auto what = at_most(missing, ledger_.room_of(a.chosen)->free);
  if (ledger_.set_aside(a.chosen, what))
    a.aside = std::move(what);
  a.chosen_for = &s;
}

void cluster_room::release_aside(account& a) {
  if (a.chosen != 0 && !a.aside.empty())
    ledger_.take_back(a.chosen, a.aside);
  a.aside = {};
  a.chosen_for = nullptr;
}

// The replica has ended, and its seat is about to be left: what the claim lacks may be just that.
bool cluster_room::is_answer_due(const account& a) const {
  return a.told.serial > 0 || a.turn == 0 || !next_wanted(a) ||
         std::none_of(a.shapes.begin(), a.shapes.end(),
                      [&](const auto& s) { return a.seats.seats(s->number) > s->want; });
}

// O(nodes that it is on), where anything of that has changed.
std::uint32_t cluster_room::must_leave(account& a, const shape& s) {
  if (!s.where.is_selective())
    return 1;
  if (a.helped == version_ && a.helped_moves == a.moves && a.helped_number == s.number)
    return a.must_leave;
  a.helped = version_;
  a.helped_moves = a.moves;
  a.helped_number = s.number;
  std::map<node_id, std::uint32_t> others;
  for (const auto& x : a.shapes)
    if (x.get() != &s)
      for (const auto& [on, count] : a.seats.by_node(x->number))
        others[on] += count;
  a.must_leave = room_granted::never_helps;
  for (const auto& [on, count] : others) {
    if (!is_open(on) || !ledger_.could_hold(s.demand, on, true))
      continue;
    const auto bound = s.where.max_replicas_per_node;
    const auto there = ledger_.placed(a.placed_as, on);
    const auto needed = bound > 0 && there > bound ? there - bound + 1 : 1;
    if (needed <= count)
      a.must_leave = std::min(a.must_leave, needed);
  }
  return a.must_leave;
}

void cluster_room::tell(account& a, std::vector<grant>& out) {
  if (!is_answer_due(a))
    return;
  room_granted now;
  now.seq = a.seq;
  now.serial = a.told.serial;
  for (const auto* s : a.listed) {
    const auto seats = a.seats.seats(s->number);
    now.granted.push_back(wrong_ == wrong_seat::tells_all_seats ? seats : std::min(s->want, seats));
  }
  if (auto* next = next_wanted(a)) {
    if (std::exchange(next->judged, version_) != version_)
      next->never = never(next->each, next->where);
    const bool has_slot = max_replicas_ == 0 || a.has_slot;
    auto there = a.aside;
    if (const auto own = a.own.find(a.chosen); own != a.own.end())
      add(there, own->second);
    if (const auto* room = a.chosen == 0 && a.at_bound != 0 ? ledger_.room_of(a.at_bound) : nullptr)
      there = room->free; // what it could have of, when one of its own has left
    now.spare = at_most(there, next->each);
    now.spare.set(slots, has_slot ? 1 : 0);
    now.lacks = next->never;
    if (now.lacks.resource.empty() && !has_slot)
      now.lacks = {std::string{slots}, 1, 0, max_replicas_};
    else if (const auto x = first_lacking(next->each, there); now.lacks.resource.empty() && a.chosen != 0 && x)
      now.lacks = {x->name, x->amount, there.of(x->name), nodes_.at(a.chosen).total.of(x->name)};
    else if (now.lacks.resource.empty())
      now.lacks = {std::string{any_node}, 1, 0, 1};
    now.nodes = to_string(ledger_.explain(next->demand));
    now.must_leave = must_leave(a, *next);
  }
  if (now == a.told)
    return;
  ++now.serial;
  a.told = now;
  std::erase_if(out, [&](const grant& g) { return g.to == a.name; });
  out.push_back({a.name, std::move(now)});
}

} // namespace troupe::controller
