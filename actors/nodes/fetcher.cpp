// Chunks in turns, room by need.
#include <troupe/actors/nodes/fetcher.hpp>

#include <algorithm>
#include <utility>

namespace troupe::nodes {

fetcher::fetcher(fetch_limits l, wrong_fetch wrong)
    : limits_{std::max<std::uint64_t>(l.chunk_bytes, 1), std::max(l.window, 1U), l.cache_bytes, std::max(l.tries, 1U)},
      wrong_(wrong) {}

std::vector<fetch_effect> fetcher::step(const fetch_event& ev) {
  out_.clear();
  std::visit([this](const auto& x) { on(x); }, ev);
  ask();
  return std::move(out_);
}

// -- what is kept ----------------------------------------------------------------------------------------------------

void fetcher::on(const event::found& ev) {
  if (ev.bytes > limits_.cache_bytes)
    return emit(effect::remove_copy{ev.digest});
  if (fetching_.contains(ev.digest))
    return;
  const auto [it, is_new] = copies_.try_emplace(ev.digest);
  if (!is_new)
    return;
  it->second.bytes = ev.bytes;
  it->second.free_since = ++releases_;
  free_.emplace(releases_, ev.digest);
  bytes_ += ev.bytes;
  make_room(0); // the limit may be lower than that of the earlier process
}

void fetcher::on(const event::need& ev) {
  needs_[ev.user].insert(ev.digest);
  if (const auto it = copies_.find(ev.digest); it != copies_.end()) {
    auto& c = it->second;
    if (c.users.empty())
      free_.erase({c.free_since, ev.digest});
    c.users.insert(ev.user);
    return emit(effect::ready{ev.user, ev.digest});
  }
  const auto [at, is_new] = fetching_.try_emplace(ev.digest, last_fetch_ + 1);
  if (!is_new) {
    transfers_.at(at->second).users.insert(ev.user);
    return;
  }
  const auto it = transfers_.try_emplace(++last_fetch_).first;
  it->second.digest = ev.digest;
  it->second.users.insert(ev.user);
  queue(it);
}

void fetcher::on(const event::drop_user& ev) {
  const auto node = needs_.extract(ev.user);
  if (!node)
    return;
  for (const auto& digest : node.mapped())
    release(digest, ev.user);
}

void fetcher::release(const std::string& digest, std::uint64_t user) {
  if (const auto it = copies_.find(digest); it != copies_.end()) {
    auto& c = it->second;
    if (c.users.erase(user) != 0 && c.users.empty()) {
      c.free_since = ++releases_;
      free_.emplace(releases_, digest);
    }
  } else if (const auto at = fetching_.find(digest); at != fetching_.end()) {
    const auto t = transfers_.find(at->second);
    t->second.users.erase(user);
    if (t->second.users.empty())
      forget(t);
  }
}

/// Whether `bytes` more are within the limit, after copies that nobody uses were removed for them.
bool fetcher::make_room(std::uint64_t bytes) {
  const auto fits = [&](std::uint64_t used) {
    return used <= limits_.cache_bytes && bytes <= limits_.cache_bytes - used;
  };
  if (wrong_ == wrong_fetch::ignores_limit)
    return true;
  decltype(free_) used_too;
  if (wrong_ == wrong_fetch::forgets_users)
    for (const auto& [digest, c] : copies_)
      used_too.emplace(c.free_since, digest);
  const auto& from = wrong_ == wrong_fetch::forgets_users ? used_too : free_;
  std::vector<std::string> victims; // nothing is removed for what will not fit all the same
  auto used = bytes_;
  for (auto it = from.begin(); it != from.end() && !fits(used); ++it) {
    used -= copies_.at(it->second).bytes;
    victims.push_back(it->second);
  }
  if (bytes > 0 && !fits(used))
    return false;
  for (auto& digest : victims) {
    free_.erase({copies_.at(digest).free_since, digest});
    copies_.erase(digest);
    emit(effect::remove_copy{std::move(digest)});
  }
  bytes_ = used;
  return true;
}

// -- what is fetched -------------------------------------------------------------------------------------------------

/// Fetch 0 if there is no such.
fetcher::place fetcher::take_ask(std::uint64_t ask) {
  const auto node = asked_.extract(ask);
  return node ? node.mapped() : place{};
}

void fetcher::on(const event::chunk& ev) {
  const auto [fetch, offset] = take_ask(ev.ask);
  const auto it = transfers_.find(fetch);
  if (it == transfers_.end())
    return; // nobody needs it any more
  auto& t = it->second;
  if (t.total == 0 && !learn_total(it, ev.total))
    return;
  if (ev.total != t.total || ev.bytes != std::min(limits_.chunk_bytes, t.total - std::min(t.total, offset)))
    return end(it, "the controller sent " + std::to_string(ev.bytes) + " bytes at " + std::to_string(offset) + " of " +
                       std::to_string(ev.total) + ", which does not go with a content of " + std::to_string(t.total));
  emit(effect::write_chunk{fetch, offset});
  t.here += ev.bytes;
  if (t.here < t.total)
    return queue(it);
  if (wrong_ == wrong_fetch::trusts_bytes)
    return on(event::checked{fetch, true});
  emit(effect::check{fetch, t.digest});
}

bool fetcher::learn_total(transfers::iterator it, std::uint64_t total) {
  auto& t = it->second;
  if (total == 0) {
    end(it, "the controller's copy is empty");
    return false;
  }
  if (!make_room(total)) {
    std::uint64_t unused = 0;
    for (const auto& [since, digest] : free_)
      unused += copies_.at(digest).bytes;
    end(it, "no room on the node: " + std::to_string(total) + " bytes; of " + std::to_string(limits_.cache_bytes) +
                " for code " + std::to_string(bytes_ - unused) + " are in use");
    return false;
  }
  t.total = total;
  bytes_ += total;
  return true;
}

void fetcher::on(const event::not_there& ev) {
  if (const auto it = transfers_.find(take_ask(ev.ask).fetch); it != transfers_.end())
    end(it, "the controller has no such code: " + ev.why);
}

void fetcher::on(const event::disk_failed& ev) {
  if (const auto it = transfers_.find(ev.fetch); it != transfers_.end())
    end(it, "the node's disk: " + ev.why);
}

void fetcher::on(const event::checked& ev) {
  const auto it = transfers_.find(ev.fetch);
  if (it == transfers_.end() || it->second.total == 0 || it->second.here < it->second.total)
    return; // it was discarded meanwhile, or nobody asked for a check
  auto& t = it->second;
  if (!ev.right) {
    if (t.tries >= limits_.tries)
      return end(it, "what the controller sent is not " + t.digest + ", " + std::to_string(t.tries) + " times");
    ++t.tries;
    return begin_again(it);
  }
  auto& c = copies_[t.digest];
  c.bytes = t.total;
  c.users = std::move(t.users);
  for (const auto user : c.users)
    emit(effect::ready{user, t.digest});
  leave(it);
}

/// From its first byte; how long it is may have been wrong, too.
void fetcher::begin_again(transfers::iterator it) {
  auto& t = it->second;
  bytes_ -= std::exchange(t.total, 0);
  t.here = 0;
  t.next = 0;
  t.again.clear();
  queue(it);
}

void fetcher::end(transfers::iterator it, const std::string& why) {
  const auto& t = it->second;
  for (const auto user : t.users) {
    emit(effect::failed{user, t.digest, {errc::unavailable, why}});
    const auto at = needs_.find(user);
    at->second.erase(t.digest);
    if (at->second.empty())
      needs_.erase(at);
  }
  forget(it);
}

void fetcher::forget(transfers::iterator it) {
  bytes_ -= it->second.total;
  emit(effect::discard{it->first});
  leave(it);
}

void fetcher::leave(transfers::iterator it) {
  if (it->second.waits)
    std::erase(turns_, it->first);
  fetching_.erase(it->second.digest);
  transfers_.erase(it);
}

// -- asking ----------------------------------------------------------------------------------------------------------

void fetcher::on(const event::connected&) {
  lose_asks();
  connected_ = true;
}

void fetcher::on(const event::connection_lost&) {
  lose_asks();
  connected_ = false;
}

void fetcher::lose_asks() {
  const auto lost = wrong_ == wrong_fetch::believes_late ? asked_ : std::exchange(asked_, {});
  for (const auto& [ask, at] : lost)
    if (const auto it = transfers_.find(at.fetch); it != transfers_.end()) {
      it->second.again.insert(at.offset);
      queue(it);
    }
}

void fetcher::queue(transfers::iterator it) {
  if (!std::exchange(it->second.waits, true))
    turns_.push_back(it->first);
}

/// The first chunk tells how many there are.
bool fetcher::can_ask(const transfer& t) const {
  return !t.again.empty() || (t.total == 0 ? t.next == 0 : t.next < t.total);
}

void fetcher::ask() {
  while (connected_ && !turns_.empty() && (asked_.size() < limits_.window || wrong_ == wrong_fetch::ignores_window)) {
    const auto it = transfers_.find(turns_.front());
    turns_.pop_front();
    auto& t = it->second;
    t.waits = false;
    if (!can_ask(t))
      continue;
    auto offset = t.next;
    if (!t.again.empty())
      offset = t.again.extract(t.again.begin()).value();
    else
      t.next += limits_.chunk_bytes;
    asked_.emplace(++last_ask_, place{it->first, offset});
    emit(effect::ask_chunk{last_ask_, t.digest, offset, limits_.chunk_bytes});
    if (!can_ask(t))
      continue;
    t.waits = true;
    wrong_ == wrong_fetch::one_by_one ? turns_.push_front(it->first) : turns_.push_back(it->first);
  }
}

} // namespace troupe::nodes
