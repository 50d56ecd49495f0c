// A map under a mutex.
#include <troupe/actors/controller/directory.hpp>

#include <utility>

namespace troupe::controller {

std::optional<directory::listing> directory::find(const deployment_name& name) const {
  const std::unique_lock guard{mutex_};
  const auto it = entries_.find(name);
  return it == entries_.end() ? std::nullopt : std::optional{it->second};
}

std::vector<directory::listing> directory::all() const {
  const std::unique_lock guard{mutex_};
  std::vector<listing> out;
  out.reserve(entries_.size());
  for (const auto& [name, entry] : entries_)
    out.push_back(entry);
  return out;
}

std::vector<deployment_name> directory::names() const {
  const std::unique_lock guard{mutex_};
  std::vector<deployment_name> out;
  out.reserve(entries_.size());
  for (const auto& [name, entry] : entries_)
    out.push_back(name);
  return out;
}

std::vector<directory::leftover> directory::leftovers() const {
  const std::unique_lock guard{mutex_};
  std::vector<leftover> out;
  for (const auto& [key, x] : leftovers_)
    out.push_back(x);
  return out;
}

void directory::put(listing entry) {
  listing former; // destroyed without the lock: its code is the user's
  const std::unique_lock guard{mutex_};
  gone_.erase(entry.name);
  auto& place = entries_[entry.name];
  former = std::exchange(place, std::move(entry));
}

void directory::remove(const deployment_name& name) {
  listing former; // destroyed without the lock
  const std::unique_lock guard{mutex_};
  std::erase_if(gone_, [](const auto& x) { return x.second.expired(); });
  const auto it = entries_.find(name);
  if (it == entries_.end())
    return;
  former = std::move(it->second);
  gone_[name] = former.calls;
  entries_.erase(it);
}

std::shared_ptr<router> directory::router_of(const deployment_name& name) const {
  const std::unique_lock guard{mutex_};
  if (const auto it = entries_.find(name); it != entries_.end())
    return it->second.calls;
  const auto it = gone_.find(name);
  return it == gone_.end() ? nullptr : it->second.lock();
}

std::vector<std::shared_ptr<router>> directory::routers() const {
  const std::unique_lock guard{mutex_};
  std::vector<std::shared_ptr<router>> out;
  for (const auto& [name, entry] : entries_)
    out.push_back(entry.calls);
  for (const auto& [name, weak] : gone_)
    if (auto alive = weak.lock())
      out.push_back(std::move(alive));
  return out;
}

void directory::note_leftover(std::uint64_t key, leftover x) {
  const std::unique_lock guard{mutex_};
  if (x.replicas == 0)
    leftovers_.erase(key);
  else
    leftovers_[key] = std::move(x);
}

} // namespace troupe::controller
