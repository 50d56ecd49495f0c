// Writes that wait, and what a crash leaves of them.
#include <troupe/testing/simulated_store.hpp>
#include <troupe/testing/simulation.hpp>

#include <utility>

namespace troupe::testing {

void simulated_store::attach(simulation& world, std::chrono::milliseconds slowest) {
  world_ = &world;
  slowest_ = slowest;
}

void simulated_store::crash() {
  world_ = nullptr;
  const auto made_it = chance_.below(static_cast<std::uint32_t>(waiting_.size()) + 1);
  for (std::uint32_t i = 0; i < made_it && !waiting_[i].failing; ++i)
    apply(waiting_[i]);
  waiting_.clear();
}

void simulated_store::save(stored_deployment what, done then) {
  add({what.name, to_json(what).dump(), std::move(then)});
}

void simulated_store::erase(deployment_name what, done then) { add({std::move(what), {}, std::move(then)}); }

void simulated_store::add(write w) {
  if (!world_)
    return; // what a dying world still writes reaches no disk
  w.failing = chance_.per_mille(failing_);
  if (lies && w.then)
    std::exchange(w.then, nullptr)({});
  waiting_.push_back(std::move(w));
  world_->post([this](caf::event_based_actor&) { sync(); }, 0, chance_.up_to(slowest_));
}

/// As many writes as are added are synced, though a sync may find that an earlier one took its write along.
void simulated_store::sync() {
  auto most = chance_.between(1, 3);
  for (; most > 0 && !waiting_.empty(); --most) {
    auto w = std::move(waiting_.front());
    waiting_.pop_front();
    if (!w.failing)
      apply(w);
    ++syncs_;
    if (w.then)
      w.then(w.failing ? error{errc::not_stored, "the disk is full"} : error{});
  }
}

void simulated_store::apply(const write& w) {
  if (w.content.empty())
    documents_.erase(w.name);
  else
    documents_.insert_or_assign(w.name, w.content);
}

std::map<deployment_name, stored_deployment> simulated_store::durable() const {
  std::map<deployment_name, stored_deployment> out;
  for (const auto& [name, content] : documents_)
    out.emplace(name, stored_deployment_from_json(json::parse(content)));
  return out;
}

} // namespace troupe::testing
