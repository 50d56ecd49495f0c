// Who gets seats: the queue of claims that lack room, what is kept for waves and set aside for who waits.
#include <troupe/actors/controller/cluster_room.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::controller {

namespace {

constexpr auto without_end = std::numeric_limits<std::uint32_t>::max();

} // namespace

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
    while (a.seats.seats(s->number) < s->want && (open_slots > 0 || a.own_slots > 0) &&
           (adopt(a, *s) || place(a, *s))) {
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
    const bool is_of_use = room && lacks > 0 && ledger_.could_hold(a.listed.front()->demand, it->first, true);
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

// How many of the deployment's replicas of other shapes would have to leave the node for one of this shape, the first
// of these in the claim's order first; without_end where that is not enough. O(shapes x R).
std::uint32_t cluster_room::departures_for(const account& a, const shape& s, node_id on) const {
  auto there = ledger_.room_of(on)->free;
  if (const auto own = a.own.find(on); own != a.own.end())
    add(there, own->second);
  auto beyond = beyond_bound(a, s, on);
  for (const auto& x : a.shapes)
    if (const auto idle = x.get() == &s ? 0 : a.seats.unoccupied(x->number, on); idle > 0) {
      add(there, x->each, idle);
      beyond -= std::min(beyond, idle);
    }
  const auto is_enough = [&](std::uint32_t n) { return n >= beyond && fits(s.each, there); };
  std::uint32_t n = 0;
  for (const auto& x : a.shapes)
    for (auto left = x.get() == &s ? 0U : a.seats.occupied(x->number, on); left > 0 && !is_enough(n); --left) {
      add(there, x->each);
      ++n;
    }
  return is_enough(n) ? n : without_end;
}

// So many of the deployment's seats have to leave the node for the bound per node alone.
std::uint32_t cluster_room::beyond_bound(const account& a, const shape& s, node_id on) const {
  const auto bound = s.where.max_replicas_per_node;
  const auto there = ledger_.placed(a.placed_as, on) + 1;
  return bound > 0 && there > bound ? there - bound : 0;
}

void cluster_room::choose(account& a, const shape& s) {
  a.chosen = 0;
  std::uint32_t best = 0;
  auto fewest = without_end;
  bool is_below = false; // the bound per node
  for (const auto& [id, n] : nodes_) {
    if (!may_hold(s, id))
      continue;
    const auto* room = ledger_.room_of(id);
    auto share = std::numeric_limits<std::uint32_t>::max();
    for (const auto& x : s.each.amounts)
      share = std::min(share, free_share(room->free.of(x.name), room->total.of(x.name)));
    const auto leaving = departures_for(a, s, id);
    const auto below = ledger_.could_hold(s.demand, id);
    if (a.chosen == 0 || leaving < fewest ||
        (leaving == fewest && (below > is_below || (below == is_below && share > best)))) {
      a.chosen = id;
      best = share;
      fewest = leaving;
      is_below = below;
    }
  }
}

// What may go for the next replica has changed. Not while a wave waits to start: it stops what is on the chosen node.
void cluster_room::choose_anew(account& a) {
  const bool may_differ =
      a.shapes.size() > 1 || (!a.shapes.empty() && a.shapes.front()->where.max_replicas_per_node > 0);
  if (a.reserve > 0 || !may_differ)
    return;
  release_aside(a);
  a.chosen = 0;
  a.chose = 0;
  has_freed_ = has_freed_ || a.turn != 0;
}

void cluster_room::set_aside(account& a, const shape& s) {
  if (wrong_ == wrong_seat::sets_nothing_aside)
    return;
  const bool is_good = a.chosen != 0 && may_hold(s, a.chosen) && a.chose_for_number == s.number;
  if (!is_good && (a.chose != version_ || a.chose_for_number != s.number)) {
    choose(a, s);
    a.chose = version_;
    a.chose_for_number = s.number;
  } else if (!is_good) {
    a.chosen = 0;
  }
  if (a.chosen == 0)
    return;
  a.chosen_for = &s;
  if (!ledger_.could_hold(s.demand, a.chosen)) // that would not help as long as none of its own leaves
    return;
  auto missing = s.each; // beyond what is kept there
  if (const auto own = a.own.find(a.chosen); own != a.own.end() && a.listed.front() == &s)
    take(missing, own->second);
  auto what = at_most(missing, ledger_.room_of(a.chosen)->free);
  if (ledger_.set_aside(a.chosen, what))
    a.aside = std::move(what);
}

void cluster_room::release_aside(account& a) {
  if (a.chosen != 0 && !a.aside.empty())
    ledger_.take_back(a.chosen, a.aside);
  a.aside = {};
  a.chosen_for = nullptr;
}

// A replica has ended, and its seat is about to be left, or it waits for one in vain: what the claim lacks may be that.
bool cluster_room::is_answer_due(const account& a) const {
  if (awaits_nodes_ && a.turn != 0 && next_wanted(a))
    return false;
  return a.told.serial > 0 || a.turn == 0 || !next_wanted(a) ||
         std::none_of(a.shapes.begin(), a.shapes.end(),
                      [&](const auto& s) { return a.seats.occupied(s->number) + s->waiters.size() > s->want; });
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
    const bool is_for_next = a.chosen != 0 && a.chosen_for == next;
    resources there;
    if (is_for_next) {
      there = a.aside;
      if (const auto own = a.own.find(a.chosen); own != a.own.end())
        add(there, own->second);
      if (!ledger_.could_hold(next->demand, a.chosen))
        add(there, ledger_.room_of(a.chosen)->free); // what it could have of, when some of its own have left
      now.spare_on = nodes_.at(a.chosen).name;
      now.must_leave = departures_for(a, *next, a.chosen) == without_end ? room_granted::never_helps
                                                                         : beyond_bound(a, *next, a.chosen);
      for (const auto* s : a.listed)
        now.idle_there.push_back(a.seats.unoccupied(s->number, a.chosen));
      if (std::all_of(now.idle_there.begin(), now.idle_there.end(), [](auto n) { return n == 0; }))
        now.idle_there.clear();
    }
    now.spare = at_most(there, next->each);
    now.spare.set(slots, has_slot ? 1 : 0);
    now.lacks = next->never;
    if (now.lacks.resource.empty() && !has_slot)
      now.lacks = {std::string{slots}, 1, 0, max_replicas_};
    else if (const auto x = first_lacking(next->each, there); now.lacks.resource.empty() && is_for_next && x)
      now.lacks = {x->name, x->amount, there.of(x->name), nodes_.at(a.chosen).total.of(x->name)};
    else if (now.lacks.resource.empty())
      now.lacks = {std::string{any_node}, 1, 0, 1};
    now.nodes = to_string(ledger_.explain(next->demand));
  }
  if (now == a.told)
    return;
  ++now.serial;
  a.told = now;
  std::erase_if(out, [&](const grant& g) { return g.to == a.name; });
  out.push_back({a.name, std::move(now)});
}

} // namespace troupe::controller
