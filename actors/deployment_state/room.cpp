// Room: what is claimed for which kind of replica, what may start with it, and what stands for N where it lacks.
//
// Replicas that ask for the same amounts, on the same nodes, are one shape; a rollout that changes these has two. What
// the wave's outgoing replicas of the target's shape hold is taken over as it is; of another shape it is given back,
// and the placement keeps it for the claim's first shape, which is the target's.
#include <troupe/actors/deployment_state/machine.hpp>
#include <troupe/actors/deployment_state/shapes.hpp>

#include <algorithm>
#include <utility>

namespace troupe::deployment_state {

const machine::shape_room* machine::shape_of(const shape_ref& each) const {
  const auto it =
      std::find_if(shapes_.begin(), shapes_.end(), [&](const shape_room& s) { return shape_in(s) == each; });
  return it == shapes_.end() ? nullptr : &*it;
}

std::uint32_t machine::granted_of(const shape_ref& each) const {
  const auto* s = shape_of(each);
  return s ? s->granted : 0;
}

std::uint32_t machine::startable_of(const shape_ref& each) const {
  const auto* s = shape_of(each);
  return s ? s->granted - std::min(s->granted, s->gone) : 0;
}

std::uint32_t machine::existing_of(const shape_ref& each) const {
  std::uint32_t sum = 0;
  for (const auto& c : table_.cohorts())
    if (c.origin->shape() == each)
      sum += c.live() + c.of(life::stopping);
  return sum;
}

bool machine::is_unclaimed(std::uint32_t more) const {
  const auto* room = shape_of(target_->shape());
  return !room || room->want < existing_of(shape_in(*room)) + more || room_answered_ != room_seq_ || claims_anew_;
}

std::uint32_t machine::unused_of(const shape_ref& each) const {
  const auto granted = granted_of(each);
  return granted - std::min(granted, existing_of(each));
}

std::uint32_t machine::empty_slots() const {
  const auto occupied = table_.live() + vacancies();
  return n_ - std::min(n_, occupied);
}

bool machine::has_room(const release_ptr& what) const {
  if (!room_limited() || !what || !needs_room(what->shape()))
    return true;
  return existing_of(what->shape()) < startable_of(what->shape());
}

bool machine::has_free_room(const release_ptr& what) const {
  if (!room_limited() || !needs_room(what->shape()))
    return true;
  const auto each = what->shape();
  std::uint32_t reserved = 0;
  if (each == target_->shape()) {
    const auto outgoing = wave_.kind == wave_kind::stop_first ? wave_.same_shape : 0; // their room is not free yet
    reserved = wave_.vacant + wave_.to_start - std::min(wave_.to_start, outgoing);
  }
  return existing_of(each) + reserved < startable_of(each);
}

std::uint32_t machine::reachable() const {
  if (!room_limited())
    return n_;
  const auto filled = fill_release();
  if (!filled || !needs_room(filled->shape()))
    return n_; // no empty slot waits for room: nothing is started there, or without
  std::uint64_t sum = 0;
  for (const auto& s : shapes_)
    sum += needs_room(shape_in(s)) ? s.granted : 0U;
  for (const auto& c : table_.cohorts()) {
    sum += needs_room(c.origin->shape()) ? 0U : c.live();
    sum += c.vacant == 0 || needs_room(vacancy_release(c)->shape()) ? 0U : c.vacant;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(n_, sum));
}

// -- what a wave may start
// ---------------------------------------------------------------------------------------------

bool machine::is_claimed(const std::vector<shape_claim>& now) const {
  return reserve() == reserved_ && std::equal(now.begin(), now.end(), shapes_.begin(), shapes_.end(),
                                              [](const shape_claim& a, const shape_room& b) {
                                                return shape_in(a) == shape_in(b) && a.want == b.want;
                                              });
}

bool machine::is_room_known() const {
  return !room_limited() || (room_answered_ == room_seq_ && !restoring_ && !claims_anew_ && is_claimed(wanted()));
}

// What the outgoing replicas of a stop_first wave give back of another shape is kept for those that it starts.
std::uint32_t machine::reserve() const {
  return wave_.kind == wave_kind::stop_first && wave_.to_start > 0 && !deleting_ ? wave_.size : 0;
}

bool machine::give_up_roomless() {
  if (!asks_ || wave_.kind != wave_kind::stop_first || wave_.to_start == 0 || wave_.stopping > 0 || has_room(target_) ||
      !is_room_known())
    return false;
  for (const auto& c : table_.cohorts()) // what stops, whyever, still counts; then there is room
    if (c.of(life::stopping) > 0 && (is_on_nodes() || c.origin->shape() == target_->shape()))
      return false;
  wave_.pending -= std::min(wave_.pending, wave_.to_start);
  wave_.size -= std::min(wave_.size, wave_.to_start);
  wave_.to_start = 0;
  if (wave_.pending == 0 && wave_.size > 0 && current_available() >= std::min(wave_.size, n_))
    first_wave_up_ = true;
  return true;
}

void machine::left_for_wave(const record& r) {
  if (r.cause != stop_cause::wave || r.wave != wave_number_ || wave_.stopping == 0)
    return;
  --wave_.stopping;
  const auto each = table_.cohorts()[r.cohort].origin->shape();
  if (each == target_->shape()) {
    wave_.same_shape -= wave_.same_shape > 0 ? 1U : 0U;
    return;
  }
  if (wave_.kind == wave_kind::stop_first) // its room is the wave's: no replica of the old shape may have it
    for (auto& s : shapes_)
      if (shape_in(s) == each && s.granted > 0)
        --s.granted;
}

// The seat of a replica that leaves a node which takes no new ones goes with it: who would start in its place would
// wait for its startup_timeout, in vain. What there is instead is asked anew.
void machine::left_node(const record& r) {
  if (!room_limited() || deleting_ || nodes_[r.node].is_usable())
    return;
  for (auto& s : shapes_)
    if (shape_in(s) == table_.cohorts()[r.cohort].origin->shape() && needs_room(shape_in(s))) {
      ++s.gone;
      claims_anew_ = true;
    }
}

// -- claims ----------------------------------------------------------------------------------------------------------

void machine::on(const event::room& ev) {
  const bool trusts = limits_.wrong == wrong_rule::trusts_old_room;
  if ((ev.seq != room_seq_ || ev.serial <= room_serial_) && !trusts)
    return; // of an older claim, since when something was given back, or overtaken
  room_answered_ = ev.seq;
  room_serial_ = ev.serial;
  for (std::size_t i = 0; i < ev.granted.size() && i < shapes_.size(); ++i)
    shapes_[i].granted = ev.granted[i];
  for (auto& s : shapes_)
    s.gone = 0;
  spare_ = ev.spare;
  lacks_ = ev.lacks;
  nodes_say_ = ev.nodes;
  spare_node_ = ev.spare_on.empty() ? no_node : node_index(ev.spare_on);
  idle_there_ = ev.idle_there;
  must_leave_ = ev.must_leave;
}

std::vector<shape_claim> machine::wanted() const {
  std::vector<shape_claim> all;
  const bool runs = target_ && !deleting_;
  if (runs)
    all.push_back({target_->spec.per_replica, 0, target_->spec.where});
  for (const auto& c : table_.cohorts())
    if (const auto n = c.live() + c.of(life::stopping); n > 0)
      claim_of(all, c.origin->shape()).want += n;
  if (!runs)
    return all;
  const auto existing = all.front().want; // of the target's shape
  // N = 10, 8 live, 2 outgoing of a stop_first wave, all of one shape: 10 exist, 2 to come take over what 2 hold -> 10.
  // Of another shape than the outgoing: 10 of the old one and 2 of the new one.
  const auto occupied = table_.live() + vacancies();
  const auto holes = capacity() > occupied && !restoring_ ? capacity() - occupied : 0U;
  const auto for_wave = std::min(wave_.to_start, holes);
  auto fresh = for_wave; // of the target's shape
  std::uint32_t vacant = 0;
  const auto filled = fill_release(); // null: what failed is not started again
  const bool fills_target = filled && filled->shape() == shape_in(all.front());
  if (fills_target)
    fresh += holes - for_wave;
  const auto lacking = existing + fresh + wave_.vacant > granted_of(shape_in(all.front())) + wave_.same_shape;
  const bool wave_first = wave_.kind == wave_kind::stop_first && lacking && needs_room(shape_in(all.front()));
  if (filled && !fills_target && holes > for_wave)
    claim_of(all, filled->shape()).want += holes - for_wave;
  for (const auto& c : table_.cohorts())
    if (c.vacant > 0) {
      const auto what = vacancy_release(c);
      if (what->shape() == shape_in(all.front()))
        vacant += c.vacant;
      else
        claim_of(all, what->shape()).want += c.vacant;
    }
  auto& mine = all.front();
  mine.want += fresh - std::min(fresh, wave_.same_shape) + vacant;
  if (waiting_for_room_) {
    mine.want = std::max(mine.want, existing + waits_for_);
  }
  if (wave_first) // what others lack is claimed once the wave has what it needs
    for (auto& s : all)
      if (&s != &mine && needs_room(shape_in(s)))
        s.want = std::min(s.want, std::max(existing_of(shape_in(s)), granted_of(shape_in(s))));
  return all;
}

void machine::claim_room() {
  auto now = wanted();
  if (is_claimed(now) && !claims_anew_)
    return;
  claims_anew_ = false;
  std::vector<shape_room> next;
  next.reserve(now.size());
  for (const auto& s : now) {
    const auto* before = shape_of(shape_in(s));
    next.push_back(
        {s.each, s.where, s.want, std::min(s.want, granted_of(shape_in(s))), before != nullptr ? before->gone : 0});
  }
  shapes_ = std::move(next);
  reserved_ = reserve();
  room_serial_ = 0;
  emit(effect::claim{++room_seq_, std::move(now), reserved_});
}

// "waiting for room: 3 replicas want 2 num_cpus each, 1 of 8 free"; where a wave waits, also what it would free.
std::string machine::room_message() const {
  const auto missing = std::max(n_ - reachable(), 1U);
  auto text = "waiting for room: " + std::to_string(missing) + (missing == 1 ? " replica wants " : " replicas want ");
  const auto& x = lacks_;
  if (!nodes_say_.empty() && !x.is_never())
    return "waiting for room: " + std::to_string(missing) + (missing == 1 ? " replica; " : " replicas; ") + nodes_say_;
  if (x.resource.empty() || x.resource == bound_on_replicas)
    return "waiting for room for " + std::to_string(missing) + (missing == 1 ? " replica" : " replicas");
  text += amount_text(x.resource, x.asked) + ' ' + x.resource + (missing == 1 ? "" : " each") + ", ";
  if (x.is_never())
    return text + (x.by_labels ? "more than any node with its labels has (" : "more than there is in all (") +
           amount_text(x.resource, x.total) + "): it can never start here";
  text += amount_text(x.resource, x.free) + " of " + amount_text(x.resource, x.total) + " free";
  if (const auto freed = freed_.of(x.resource); waiting_for_room_ && freed > 0)
    text += ", and " + amount_text(x.resource, freed) + " of those that a wave would stop";
  return text;
}

} // namespace troupe::deployment_state
