// Room for a stop_first wave: what it would free, whether that suffices on one node, and whom it takes away.
#include <troupe/actors/deployment_state/machine.hpp>
#include <troupe/actors/deployment_state/shapes.hpp>

#include <algorithm>
#include <utility>

namespace troupe::deployment_state {

// 10 replicas of 1 CPU, W = 2, 1 CPU free: one new one of up to 3 CPUs has room after a wave, one of 4 has not.
bool machine::makes_room(std::uint32_t size, std::uint32_t most_available) {
  const auto each = target_->shape();
  leaves_from_ = any_node;
  if (!asks_ || !needs_room(each) || existing_of(each) < startable_of(each)) {
    freed_ = {};
    return true;
  }
  const roomless_key now{size,
                         most_available,
                         room_seq_,
                         room_answered_ == room_seq_ ? room_serial_ : 0,
                         table_.changes(),
                         vacancy_changes_,
                         node_changes_,
                         target_};
  if (roomless_ == now) {
    freed_ = roomless_freed_;
    return false;
  }
  roomless_.reset();
  if (would_free_enough(size, most_available))
    return true;
  roomless_ = now;
  roomless_freed_ = freed_;
  return false;
}

bool machine::would_free_enough(std::uint32_t size, std::uint32_t most_available) {
  const auto each = target_->shape();
  const auto free = room_answered_ == room_seq_ ? spare_ : resources{};
  const auto suffices = [&] {
    auto there = free;
    add(there, freed_);
    return fits(cost_of(each), there);
  };
  freed_ = most_freed(size, most_available);
  if (!suffices())
    return false;
  if (is_on_nodes() || each.where.is_selective())
    return would_free_enough_on_a_node(size, most_available);
  // Of several shapes it depends on who goes first. This takes O(W); where it says no, that is remembered.
  freed_ = freed_by(outgoing(size, most_available, any_node));
  return suffices();
}

// In a cluster what is freed has to be on one node, which takes new replicas. Where those who are first to go leave too
// little on each, the wave takes what is on the node that the room was looked for on. O(replicas), as rarely as the
// above.
bool machine::would_free_enough_on_a_node(std::uint32_t size, std::uint32_t most_available) {
  const bool is_told = spare_node_ != no_node && room_answered_ == room_seq_;
  if (leaves_from_ = any_usable_node; fits_on_one_node(outgoing(size, most_available, any_usable_node)))
    return true;
  leaves_from_ = spare_node_;
  return is_told && fits_on_one_node(outgoing(size, most_available, spare_node_));
}

// Whether what they free suffices where they are is the room's to say if they may be on other nodes than the target: it
// knows for the node that it has named alone.
bool machine::fits_on_one_node(const departures& all) {
  const auto each = target_->shape();
  freed_ = freed_by(all);
  const bool is_told = room_answered_ == room_seq_ && spare_node_ != no_node;
  std::map<std::uint32_t, resources> there; // by node
  std::uint32_t leave = 0;                  // the named one
  auto slots = freed_.of(bound_on_replicas);
  if (room_answered_ == room_seq_)
    slots += spare_.of(bound_on_replicas);
  if (is_told) {
    auto& named = there[spare_node_];
    named = spare_;
    for (std::size_t i = 0; i < idle_there_.size() && i < shapes_.size(); ++i) {
      const auto n = std::min(idle_there_[i], given_back_of(shape_in(shapes_[i]), all));
      add(named, shapes_[i].each, n);
      leave += n;
    }
  }
  for (const auto slot : all.slots) {
    const auto& r = table_.at(slot);
    const auto mine = table_.cohorts()[r.cohort].origin->shape();
    if (mine == each) // taken over as it is
      return true;
    const bool is_named = is_told && r.node == spare_node_;
    leave += is_named ? 1 : 0;
    if (is_named || (r.node != here && mine.where == each.where))
      add(there[r.node], mine.each);
  }
  // Once slots are not filled by the base again, several waves may get below the bound per node.
  const bool is_enough = leave >= must_leave_ || (first_wave_up_ && leave > 0);
  if (is_told && (must_leave_ == room_granted::never_helps || !is_enough))
    there.erase(spare_node_);
  return (!limits_.room_limited || slots > 0) &&
         std::any_of(there.begin(), there.end(), [&](const auto& x) { return fits(each.each, x.second); });
}

// What a replica takes: it counts against the bound on replicas, too.
resources machine::cost_of(const shape_ref& each) const {
  auto cost = each.each;
  if (limits_.room_limited)
    cost.set(bound_on_replicas, 1);
  return cost;
}

// Never too little, and too much only where those who may go ask for different amounts. O(cohorts).
resources machine::most_freed(std::uint32_t size, std::uint32_t most_available) const {
  resources sum;
  for (const auto& c : table_.cohorts()) { // empty slots may hold room
    if (!is_outdated(c) || c.vacant == 0)
      continue;
    const auto each = vacancy_release(c)->shape();
    const auto n = std::min(size, c.vacant);
    add(sum, cost_of(each), std::min(n, unused_of(each)));
    size -= n;
  }
  for (const bool available : {false, true})
    for (const bool of_base : {false, true}) {
      resources largest;
      std::uint32_t there = 0;
      for (const auto& c : table_.cohorts()) {
        const auto n = available ? c.of(life::available) : c.unavailable();
        if (n == 0 || !is_outdated(c) || is_base_code(c) != of_base)
          continue;
        there += n;
        for (const auto& x : cost_of(c.origin->shape()).amounts)
          largest.set(x.name, std::max(x.amount, largest.of(x.name)));
      }
      const auto n = std::min({size, there, available ? most_available : size});
      add(sum, largest, n);
      size -= n;
      most_available -= available ? n : 0U;
    }
  return sum;
}

resources machine::freed_by(const departures& all) const {
  resources sum;
  for (const auto slot : all.slots)
    add(sum, cost_of(table_.cohorts()[table_.at(slot).cohort].origin->shape()));
  std::vector<shape_claim> gone;
  for (const auto& [cohort, n] : all.vacancies)
    claim_of(gone, vacancy_release(table_.cohorts()[cohort])->shape()).want += n;
  for (const auto& g : gone)
    add(sum, cost_of(shape_in(g)), given_back_of(shape_in(g), all));
  return sum;
}

// An empty slot's room is given back as far as the empty slots that stay do not want it.
std::uint32_t machine::given_back_of(const shape_ref& each, const departures& all) const {
  std::uint32_t go = 0, vacant = 0;
  for (std::size_t i = 0; i < table_.cohorts().size(); ++i) {
    const auto& c = table_.cohorts()[i];
    if (c.vacant == 0 || !(vacancy_release(c)->shape() == each))
      continue;
    vacant += c.vacant;
    if (const auto it = all.vacancies.find(static_cast<std::uint16_t>(i)); it != all.vacancies.end())
      go += it->second;
  }
  const auto unused = unused_of(each);
  return go == 0 ? 0 : unused - std::min(unused, vacant - go);
}

// What is not available goes first: empty slots in backoff, then superseded starts; then those that are not the base's,
// then the oldest.
machine::departures machine::outgoing(std::uint32_t size, std::uint32_t most_available, std::uint32_t node) const {
  departures all;
  for (auto it = vacancies_.begin(); it != vacancies_.end() && size > 0; ++it)
    if (is_outdated(table_.cohorts()[it->second.cohort])) {
      ++all.vacancies[it->second.cohort];
      --size;
    }
  const auto may_go = [&](std::uint32_t on) {
    return node == any_node || on == node || (node == any_usable_node && (on == here || nodes_[on].is_usable()));
  };
  const auto skip = [&](std::uint32_t slot) { // to the next who may go, this one included
    while (slot != nil && !may_go(table_.at(slot).node))
      slot = table_.at(slot).next;
    return slot;
  };
  const auto take = [&](std::uint32_t& slot) {
    all.slots.push_back(slot);
    slot = skip(table_.at(slot).next);
    --size;
  };
  const auto& cohorts = table_.cohorts();
  for (const bool of_base : {false, true})
    for (const auto& c : cohorts)
      for (const auto l : {life::starting, life::settling})
        for (auto slot = skip(c.lists[static_cast<std::size_t>(l)].head);
             size > 0 && is_outdated(c) && is_base_code(c) == of_base && slot != nil;)
          take(slot);
  for (const bool of_base : {false, true}) {
    std::vector<std::uint32_t> heads;
    for (const auto& c : cohorts)
      if (const auto first = skip(c.lists[static_cast<std::size_t>(life::available)].head);
          first != nil && is_outdated(c) && is_base_code(c) == of_base)
        heads.push_back(first);
    const auto older = [this](std::uint32_t a, std::uint32_t b) { return table_.at(a).id < table_.at(b).id; };
    for (; size > 0 && most_available > 0 && !heads.empty(); --most_available) {
      const auto oldest = std::min_element(heads.begin(), heads.end(), older);
      take(*oldest);
      if (*oldest == nil)
        heads.erase(oldest);
    }
  }
  return all;
}

} // namespace troupe::deployment_state
