#include <troupe/actors/deployment_state/replica_table.hpp>

namespace troupe::deployment_state {

namespace {

template <auto Prev, auto Next>
void push_back(std::vector<record>& rs, slot_list& l, std::uint32_t slot) {
  rs[slot].*Prev = l.tail;
  rs[slot].*Next = nil;
  (l.tail == nil ? l.head : rs[l.tail].*Next) = slot;
  l.tail = slot;
  ++l.count;
}

template <auto Prev, auto Next>
void remove(std::vector<record>& rs, slot_list& l, std::uint32_t slot) {
  auto& r = rs[slot];
  (r.*Prev == nil ? l.head : rs[r.*Prev].*Next) = r.*Next;
  (r.*Next == nil ? l.tail : rs[r.*Next].*Prev) = r.*Prev;
  r.*Prev = r.*Next = nil;
  --l.count;
}

/// Keeps the list sorted by `Key`. Periods are equal for all, so the place is nearly always the end.
template <auto Prev, auto Next, auto Key>
void insert_sorted(std::vector<record>& rs, slot_list& l, std::uint32_t slot) {
  auto after = l.tail;
  while (after != nil && rs[after].*Key > rs[slot].*Key)
    after = rs[after].*Prev;
  if (after == l.tail)
    return push_back<Prev, Next>(rs, l, slot);
  const auto before = after == nil ? l.head : rs[after].*Next;
  rs[slot].*Prev = after;
  rs[slot].*Next = before;
  (after == nil ? l.head : rs[after].*Next) = slot;
  rs[before].*Prev = slot;
  ++l.count;
}

} // namespace

std::uint16_t replica_table::cohort_for(const release_ptr& r) {
  std::uint16_t unused = 0xffff;
  const auto known = static_cast<std::uint16_t>(cohorts_.size());
  for (std::uint16_t i = 0; i < known; ++i) {
    auto& c = cohorts_[i];
    if (c.code_id == r->code_id && c.config_id == r->config_id) {
      c.origin = r;
      return i;
    }
    if (c.live() + c.of(life::stopping) + c.of(life::given_up) + c.vacant == 0)
      unused = i;
  }
  if (unused == 0xffff) {
    unused = static_cast<std::uint16_t>(cohorts_.size());
    cohorts_.emplace_back();
  }
  cohorts_[unused] = cohort{r, r->code_id, r->config_id, 0, {}};
  return unused;
}

void replica_table::link(std::uint32_t slot) {
  ++changes_;
  auto& r = records_[slot];
  push_back<&record::prev, &record::next>(records_, list_of(r), slot);
  ++totals_[static_cast<std::size_t>(r.phase)];
}

void replica_table::unlink(std::uint32_t slot) {
  ++changes_;
  auto& r = records_[slot];
  remove<&record::prev, &record::next>(records_, list_of(r), slot);
  --totals_[static_cast<std::size_t>(r.phase)];
}

replica_ref replica_table::add(const release_ptr& rel, instant now) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(records_.size());
    records_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  auto& r = records_[slot];
  r = record{};
  r.id = next_id_++;
  r.since = now;
  r.cohort = cohort_for(rel);
  link(slot);
  return ref(slot);
}

void replica_table::erase(std::uint32_t slot) {
  clear_deadline(slot);
  clear_check(slot);
  unlink(slot);
  records_[slot].id = 0;
  free_.push_back(slot);
}

record* replica_table::find(const replica_ref& ref) {
  if (ref.slot >= records_.size() || ref.id == 0 || records_[ref.slot].id != ref.id)
    return nullptr;
  return &records_[ref.slot];
}

void replica_table::move(std::uint32_t slot, life to, instant now) {
  clear_deadline(slot);
  if (to == life::stopping || to == life::given_up)
    clear_check(slot);
  unlink(slot);
  records_[slot].phase = to;
  records_[slot].since = now;
  link(slot);
}

void replica_table::regroup(std::uint32_t slot, const release_ptr& r) {
  unlink(slot);
  records_[slot].cohort = cohort_for(r);
  link(slot);
}

void replica_table::place(std::uint32_t slot, std::uint32_t node) {
  records_[slot].node = node;
  ++changes_;
}

void replica_table::set_deadline(std::uint32_t slot, instant at) {
  clear_deadline(slot);
  auto& r = records_[slot];
  r.deadline = at;
  r.timed = true;
  insert_sorted<&record::timer_prev, &record::timer_next, &record::deadline>(
      records_, timers_[static_cast<std::size_t>(r.phase)], slot);
}

void replica_table::clear_deadline(std::uint32_t slot) {
  auto& r = records_[slot];
  if (!r.timed)
    return;
  remove<&record::timer_prev, &record::timer_next>(records_, timers_[static_cast<std::size_t>(r.phase)], slot);
  r.timed = false;
}

void replica_table::set_check(std::uint32_t slot, instant at, bool open) {
  clear_check(slot);
  auto& r = records_[slot];
  r.check_at = at;
  r.check_queued = true;
  r.check_open = open;
  insert_sorted<&record::check_prev, &record::check_next, &record::check_at>(records_, checks_[open ? 1 : 0], slot);
}

void replica_table::clear_check(std::uint32_t slot) {
  auto& r = records_[slot];
  if (!r.check_queued)
    return;
  remove<&record::check_prev, &record::check_next>(records_, checks_[r.check_open ? 1 : 0], slot);
  r.check_queued = false;
  r.check_open = false;
}

} // namespace troupe::deployment_state
