// Counts of seats, and nodes in the order of these.
#include <troupe/actors/controller/seat_table.hpp>

namespace troupe::controller {

namespace {

template <class Map>
const auto* found(const Map& in, typename Map::key_type key) {
  const auto it = in.find(key);
  return it == in.end() ? nullptr : &it->second;
}

// From one place in the order to another one; the element's memory moves along.
template <class Ranked>
void move_in(std::set<Ranked>& order, bool was, const Ranked& before, bool is, const Ranked& now) {
  if (was && is) {
    if (before == now)
      return;
    auto kept = order.extract(before);
    kept.value() = now;
    order.insert(std::move(kept));
  } else if (was) {
    order.erase(before);
  } else if (is) {
    order.insert(now);
  }
}

} // namespace

std::uint32_t seat_table::seats(std::uint32_t shape) const {
  const auto* s = found(shapes_, shape);
  return s ? s->seats : 0;
}

std::uint32_t seat_table::occupied(std::uint32_t shape) const {
  const auto* s = found(shapes_, shape);
  return s ? s->occupied : 0;
}

std::uint32_t seat_table::unoccupied(std::uint32_t shape, node_id on) const {
  const auto* s = found(shapes_, shape);
  const auto* there = s ? found(s->on, on) : nullptr;
  return there ? there->free() : 0;
}

std::uint32_t seat_table::occupied(std::uint32_t shape, node_id on) const {
  const auto* s = found(shapes_, shape);
  const auto* there = s ? found(s->on, on) : nullptr;
  return there ? static_cast<std::uint32_t>(there->places.size()) : 0;
}

template <class Change>
void seat_table::change(std::uint32_t shape, node_id on, const Change& what) {
  auto& mine = shapes_[shape];
  auto& there = mine.on[on];
  auto& all = nodes_[on];
  const auto before = all;
  const auto seats_before = there.seats, free_before = there.free();
  what(there);
  const auto more = there.seats - seats_before; // modulo 2^32, as all that follows
  const auto more_occupied = more - (there.free() - free_before);
  mine.seats += more;
  mine.occupied += more_occupied;
  all.seats += more;
  all.occupied += more_occupied;
  for (auto& [number, s] : shapes_)
    if (const auto it = s.on.find(on); it != s.on.end()) {
      const bool is = it->second.free() > 0;
      const bool was = number == shape ? free_before > 0 : is;
      const auto rank = [&, packs = s.packs](std::uint32_t count) {
        return ranked{it->second.unmatched, packs ? ~count : count, on};
      };
      move_in(s.by_seats, was, rank(before.seats), is, rank(all.seats));
      move_in(s.by_occupied, was, rank(before.occupied), is, rank(all.occupied));
    }
  if (there.seats == 0)
    mine.on.erase(on);
  if (all.seats == 0)
    nodes_.erase(on);
}

void seat_table::add(std::uint32_t shape, node_id on, std::uint32_t unmatched) {
  change(shape, on, [unmatched](spot& x) {
    if (x.seats++ == 0)
      x.unmatched = unmatched;
  });
}

void seat_table::remove(std::uint32_t shape, node_id on) {
  change(shape, on, [](spot& x) { --x.seats; });
}

void seat_table::occupy(std::uint32_t shape, node_id on, std::uint64_t place) {
  change(shape, on, [&](spot& x) { x.places.insert(place); });
}

void seat_table::leave(std::uint32_t shape, node_id on, std::uint64_t place) {
  change(shape, on, [&](spot& x) { x.places.erase(place); });
}

std::set<std::uint64_t> seat_table::lose(std::uint32_t shape, node_id on) {
  std::set<std::uint64_t> lost;
  change(shape, on, [&](spot& x) {
    lost.swap(x.places);
    x.seats = 0;
  });
  return lost;
}

std::optional<node_id> seat_table::to_give_back(std::uint32_t shape) const {
  const auto* s = found(shapes_, shape);
  return s && !s->by_seats.empty() ? std::optional{std::get<node_id>(*s->by_seats.rbegin())} : std::nullopt;
}

std::optional<node_id> seat_table::to_take(std::uint32_t shape) const {
  const auto* s = found(shapes_, shape);
  return s && !s->by_occupied.empty() ? std::optional{std::get<node_id>(*s->by_occupied.begin())} : std::nullopt;
}

seat_table::counts seat_table::by_node(std::uint32_t shape) const {
  counts result;
  if (const auto* s = found(shapes_, shape))
    for (const auto& [id, x] : s->on)
      result.emplace_back(id, x.seats);
  return result;
}

std::vector<std::uint64_t> seat_table::places(std::uint32_t shape) const {
  std::vector<std::uint64_t> result;
  if (const auto* s = found(shapes_, shape))
    for (const auto& [id, x] : s->on)
      result.insert(result.end(), x.places.begin(), x.places.end());
  return result;
}

} // namespace troupe::controller
