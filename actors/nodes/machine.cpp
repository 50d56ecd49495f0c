// The nodes of a cluster: who is in, who gets replicas, whose are void.
#include <troupe/actors/nodes/machine.hpp>
#include <troupe/messages/validation.hpp>

#include <algorithm>
#include <utility>

namespace troupe::nodes {

namespace {

constexpr std::size_t kept_incarnations = 8;

std::string seconds(std::chrono::milliseconds x) {
  auto text = std::to_string(x.count() / 1000);
  if (const auto rest = x.count() % 1000; rest != 0)
    text += '.' + std::to_string(1000 + rest).substr(1);
  return text + " s";
}

} // namespace

transition machine::step(instant now, const any_event& ev) {
  now_ = now;
  out_ = {};
  std::visit([this](const auto& x) { on(x); }, ev);
  const auto next = deadlines_.empty() ? instant{0} : deadlines_.begin()->first;
  if (next != armed_) {
    armed_ = next;
    ++timer_epoch_;
    if (next != instant{0})
      emit(effect::arm_timer{next, timer_epoch_});
  }
  return std::move(out_);
}

// -- nodes say -------------------------------------------------------------------------------------------------------

void machine::on(const event::restore& ev) {
  last_id_ = std::max(last_id_, ev.last_id);
  for (const auto& k : ev.known) {
    known_[k.name] = k;
    if (!k.expected)
      continue;
    node_about about;
    about.name = k.name;
    auto& r = renew(about, node_state::suspect);
    r.message = "not heard of since the controller has started again";
    r.restored = true;
    arm(r, deadline(r));
  }
}

void machine::on(const event::hello& ev) {
  const auto& about = ev.about;
  if (about.wire_version != node_wire_version)
    return turn_away(ev.link, errc::rejected,
                     "node \"" + about.name.substr(0, max_name_length) + "\" (release " + about.release.substr(0, 64) +
                         ") speaks version " + std::to_string(about.wire_version) +
                         " of the nodes' protocol, this controller " + std::to_string(node_wire_version) +
                         "; run the same release on both",
                     true);
  if (const auto all = problems(about); !all.empty()) {
    std::string text;
    for (const auto& line : all)
      text += (text.empty() ? "" : "\n") + line;
    return turn_away(ev.link, errc::invalid_spec, std::move(text), true);
  }
  const auto it = records_.find(about.name);
  if (it != records_.end() && is_alive(it->second.state)) {
    auto& r = it->second;
    if (r.about.incarnation == about.incarnation)
      return come_back(r, ev.link);
    const bool is_free = r.state == node_state::suspect && r.link == 0;
    if (!is_free && wrong_ != wrong_rule::takes_over) {
      const bool is_former = std::find(r.former.begin(), r.former.end(), about.incarnation) != r.former.end();
      return turn_away(ev.link, errc::rejected,
                       "the name \"" + about.name + "\" is in use by a node on " + r.about.host +
                           (is_former ? ", which has joined since: this one's replicas are not wanted any more"
                                      : "; stop that one, or choose another --name"),
                       is_former);
    }
  } else if (ids_.size() >= limits_.max_nodes) {
    return turn_away(ev.link, errc::rejected,
                     "there are " + std::to_string(ids_.size()) + " nodes, which is as many as this controller takes",
                     false);
  }
  const auto old_id = it == records_.end() ? 0 : it->second.id;
  const auto wishes = known(about.name);
  auto& r = renew(about, node_state::joining);
  if (wrong_ == wrong_rule::keeps_id && old_id != 0) {
    ids_.erase(r.id);
    r.id = old_id;
    ids_[r.id] = about.name;
  }
  r.link = ev.link;
  links_[ev.link] = about.name;
  known_[about.name] = {about.name, wishes.cordoned && wrong_ != wrong_rule::forgets_cordon, wishes.drained, true};
  emit(effect::persist{known_[about.name], last_id_});
  emit(effect::admit{r.id, ev.link, about});
  emit(effect::notify{"node_joining", about.name, "from " + about.host});
}

// The record of a name begins anew, under a new id.
machine::record& machine::renew(const node_about& about, node_state state) {
  auto& r = records_[about.name];
  if (r.id != 0)
    give_up(r, "another process has joined under its name");
  auto former = std::move(r.former);
  if (r.about.incarnation != 0 && r.about.incarnation != about.incarnation)
    former.insert(former.begin(), r.about.incarnation);
  former.erase(std::remove(former.begin(), former.end(), about.incarnation), former.end());
  former.resize(std::min(former.size(), kept_incarnations));
  const auto due = r.due;
  r = {};
  r.due = due;
  r.id = ++last_id_;
  r.about = about;
  r.state = state;
  r.former = std::move(former);
  r.since = now_;
  r.heard = now_;
  ids_[r.id] = about.name;
  arm(r, deadline(r));
  return r;
}

void machine::give_up(record& r, const std::string& why) {
  if (is_alive(r.state) || wrong_ == wrong_rule::voids_twice)
    end(r, node_state::lost, why);
}

void machine::come_back(record& r, std::uint64_t link) {
  if (r.link != link)
    close_link(r);
  r.link = link;
  links_[link] = r.about.name;
  r.heard = now_;
  emit(effect::resume{r.id, link});
  if (r.state == node_state::suspect)
    enter(r, r.before == node_state::joining ? node_state::joining : resting(r), "it is back");
}

void machine::on(const event::settled& ev) {
  auto* r = by_id(ev.id);
  if (!r)
    return;
  if (r->state == node_state::joining)
    return enter(*r, resting(*r), {});
  if (r->state == node_state::suspect && r->before == node_state::joining)
    r->before = node_state::ready;
  follow(*r);
}

void machine::on(const event::heard& ev) {
  const auto it = links_.find(ev.link);
  if (it == links_.end())
    return;
  auto& r = records_.at(it->second);
  r.heard = now_;
  if (r.state == node_state::suspect)
    enter(r, r.before == node_state::joining ? node_state::joining : resting(r), "it is heard again");
}

void machine::on(const event::disconnected& ev) {
  auto it = links_.find(ev.link);
  if (it == links_.end()) {
    if (wrong_ != wrong_rule::trusts_old_links || links_.empty())
      return;
    it = links_.begin();
  }
  auto& r = records_.at(it->second);
  links_.erase(it);
  r.link = 0;
  if (r.leaving && r.empty)
    end(r, node_state::gone, "it has left");
  else if (r.state != node_state::suspect)
    suspect(r, "the connection has ended" + (ev.why.empty() ? "" : ": " + ev.why));
}

void machine::on(const event::emptied& ev) {
  auto* r = by_id(ev.id);
  if (!r || !r->evacuating || r->empty)
    return;
  r->empty = true;
  emit(effect::notify{"node_drained", r->about.name, "nothing is left there"});
  if (r->leaving)
    end(*r, node_state::gone, "it has left");
}

void machine::on(const event::occupied& ev) {
  if (auto* r = by_id(ev.id))
    r->empty = false;
}

void machine::on(const event::leaving& ev) {
  auto* r = by_id(ev.id);
  if (!r || r->leaving)
    return;
  r->leaving = true;
  if (r->empty)
    return end(*r, node_state::gone, "it has left");
  if (r->state == node_state::ready)
    enter(*r, node_state::draining, "its process is asked to end");
  else
    follow(*r);
}

// -- time ------------------------------------------------------------------------------------------------------------

void machine::on(const event::timer& ev) {
  if (ev.epoch != timer_epoch_)
    return;
  armed_ = instant{0};
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_)
    expire(records_.at(deadlines_.begin()->second));
}

// A word of a node does not move its deadline: that is looked at when it comes.
void machine::expire(record& r) {
  if (const auto at = deadline(r); at > now_)
    return arm(r, at);
  switch (r.state) {
  case node_state::joining:
    if (now_ >= r.since + limits_.join_timeout)
      return end(r, node_state::lost, "it has not finished joining in " + seconds(limits_.join_timeout));
    return suspect(r, "nothing heard for " + seconds(limits_.suspect_after));
  case node_state::ready:
  case node_state::draining:
    return suspect(r, "nothing heard for " + seconds(limits_.suspect_after));
  case node_state::suspect:
    return end(r, node_state::lost,
               r.message + (r.restored                        ? " " + seconds(limits_.return_within) + " ago"
                            : limits_.lost_after.count() == 0 ? ""
                                                              : ", and not back in " + seconds(limits_.lost_after)));
  case node_state::lost:
  case node_state::gone:
    arm(r, instant{0});
    records_.erase(std::string(r.about.name)); // a copy: the name lies in what is erased
    return;
  }
}

instant machine::deadline(const record& r) const {
  const auto silent = wrong_ == wrong_rule::ignores_silence ? instant::max() : r.heard + limits_.suspect_after;
  switch (r.state) {
  case node_state::joining:
    return std::min(silent, r.since + instant{limits_.join_timeout});
  case node_state::ready:
  case node_state::draining:
    return silent;
  case node_state::suspect:
    return r.since + (r.restored ? limits_.return_within : limits_.lost_after);
  case node_state::lost:
  case node_state::gone:
    return r.since + limits_.forget_after;
  }
  return instant{0};
}

void machine::arm(record& r, instant at) {
  deadlines_.erase({r.due, r.about.name});
  r.due = at;
  if (at != instant{0} && at != instant::max())
    deadlines_.emplace(at, r.about.name);
}

// -- states ----------------------------------------------------------------------------------------------------------

void machine::enter(record& r, node_state next, std::string why) {
  const bool was_suspect = r.state == node_state::suspect;
  r.state = next;
  r.since = now_;
  r.message = std::move(why);
  arm(r, deadline(r));
  if ((next == node_state::suspect) != was_suspect && is_alive(next))
    emit(effect::prefer_others{r.id, next == node_state::suspect});
  auto kind = to_string(next);
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  emit(effect::notify{"node_" + kind, r.about.name, r.message});
  follow(r);
}

void machine::suspect(record& r, std::string why) {
  r.before = r.state;
  enter(r, node_state::suspect, std::move(why));
}

// Lost, or gone: nothing is said of its id any more.
void machine::end(record& r, node_state as, std::string why) {
  if (as == node_state::gone) {
    links_.erase(r.link);
    emit(effect::release{r.id, std::exchange(r.link, 0)});
  } else {
    emit(effect::void_node{r.id, why});
    close_link(r);
  }
  ids_.erase(r.id);
  r.offered = false;
  r.evacuating = false;
  const auto k = known(r.about.name);
  wish(r.about.name, k.cordoned, k.drained, false);
  enter(r, as, std::move(why));
}

void machine::follow(record& r) {
  if (!is_alive(r.state))
    return;
  const auto k = known(r.about.name);
  const bool is_wanted_empty = k.drained || r.leaving;
  if (const bool on = r.state == node_state::ready && !k.cordoned && !is_wanted_empty; on != r.offered) {
    r.offered = on;
    emit(effect::offer{r.id, on});
  }
  const bool has_settled =
      r.state == node_state::suspect ? r.before != node_state::joining : r.state != node_state::joining;
  if (const bool on = has_settled && is_wanted_empty; on != r.evacuating) {
    r.evacuating = on;
    r.empty = false;
    emit(effect::evacuate{r.id, on});
  }
}

void machine::close_link(record& r) {
  if (r.link == 0)
    return;
  links_.erase(r.link);
  emit(effect::close{std::exchange(r.link, 0)});
}

node_state machine::resting(const record& r) const {
  return known(r.about.name).drained || r.leaving ? node_state::draining : node_state::ready;
}

// -- what is stored, and answers -------------------------------------------------------------------------------------

known_node machine::known(const std::string& name) const {
  const auto it = known_.find(name);
  return it == known_.end() ? known_node{name, false, false, false} : it->second;
}

void machine::wish(const std::string& name, bool cordoned, bool drained, bool expected) {
  const known_node next{name, cordoned, drained, expected};
  if (next == known(name))
    return;
  if (cordoned || drained || expected)
    known_[name] = next;
  else
    known_.erase(name);
  emit(effect::persist{next, last_id_});
}

void machine::turn_away(std::uint64_t link, errc code, std::string why, bool for_good) {
  emit(effect::refuse{link, {code, std::move(why)}, for_good});
}

machine::record* machine::by_id(std::uint64_t id) {
  const auto it = ids_.find(id);
  return it == ids_.end() ? nullptr : &records_.at(it->second);
}

machine::record* machine::by_name(const std::string& name) {
  const auto it = records_.find(name);
  return it == records_.end() || !is_alive(it->second.state) ? nullptr : &it->second;
}

std::vector<node_view> machine::list() const {
  std::vector<node_view> all;
  all.reserve(records_.size());
  for (const auto& [name, r] : records_) {
    const auto k = known(name);
    all.push_back({r.id, r.about, r.state, k.cordoned, k.drained || r.leaving, r.empty, r.since, r.heard, r.message});
  }
  return all;
}

} // namespace troupe::nodes
