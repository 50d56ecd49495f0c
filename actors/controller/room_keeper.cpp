// The ledger of room.
#include <troupe/actors/controller/room_keeper.hpp>

#include <algorithm>

namespace troupe::controller {

std::vector<grant> room_keeper::claim(const claim_room& c) {
  auto [it, is_new] = accounts_.try_emplace(c.from);
  auto& a = it->second;
  if (!is_new && c.seq <= a.seq)
    return {};
  a.seq = c.seq;
  a.want = c.want;
  if (max_ == 0) {
    used_ += a.want;
    used_ -= a.granted;
    a.granted = a.want;
    return {{c.from, {a.seq, a.granted}}};
  }
  if (a.granted > a.want) {
    used_ -= a.granted - a.want;
    a.granted = a.want;
  }
  if (a.granted == a.want) {
    leave_queue(a);
  } else if (a.place == 0) {
    if (waiting_.empty()) // else what is free goes to those that wait longer, and there is none
      fill(a);
    if (a.granted < a.want) {
      a.place = ++places_;
      waiting_.emplace(a.place, c.from);
    }
  }
  std::vector<grant> out;
  hand_out(out);
  // The claimer is answered once, and last it may have been served by `hand_out`.
  std::erase_if(out, [&](const grant& g) { return g.to == c.from; });
  out.insert(out.begin(), {c.from, {a.seq, a.granted}});
  return out;
}

std::vector<grant> room_keeper::hand_over(const deployment_name& name, const claim_room& claim) {
  const auto kept = std::min(granted(name), claim.want);
  if (kept > 0) {
    accounts_[claim.from] = {.seq = claim.seq, .want = kept, .granted = kept};
    accounts_[name].granted -= kept;
  }
  return forget(name);
}

std::vector<grant> room_keeper::forget(const deployment_name& name) {
  const auto it = accounts_.find(name);
  if (it == accounts_.end())
    return {};
  used_ -= it->second.granted;
  leave_queue(it->second);
  accounts_.erase(it);
  std::vector<grant> out;
  hand_out(out);
  return out;
}

std::uint32_t room_keeper::granted(const deployment_name& name) const {
  const auto it = accounts_.find(name);
  return it == accounts_.end() ? 0 : it->second.granted;
}

void room_keeper::fill(account& a) {
  const auto more = static_cast<std::uint32_t>(std::min<std::uint64_t>(a.want - a.granted, free()));
  a.granted += more;
  used_ += more;
}

void room_keeper::leave_queue(account& a) {
  if (a.place != 0)
    waiting_.erase(a.place);
  a.place = 0;
}

void room_keeper::hand_out(std::vector<grant>& out) {
  while (max_ != 0 && !waiting_.empty() && free() > 0) {
    const auto name = waiting_.begin()->second;
    auto& a = accounts_.at(name);
    fill(a);
    if (a.granted == a.want)
      leave_queue(a);
    out.push_back({name, {a.seq, a.granted}});
  }
}

} // namespace troupe::controller
