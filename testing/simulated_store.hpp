// The disk of a simulated world: what is written is lost in a crash unless it was synced before.
#pragma once

#include <troupe/actors/control/deployment_store.hpp>
#include <troupe/testing/random.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

namespace troupe::testing {

class simulation;

/// Outlives the worlds that use it one after the other. Writes wait in their order until a sync of their world's clock
/// makes them durable and acknowledges them. Confined to its worlds' thread.
class simulated_store final : public control::deployment_store {
public:
  explicit simulated_store(std::uint64_t seed) : chance_(seed) {}

  /// From now on that world's clock syncs; each write takes up to `slowest`. Precondition: nothing is attached.
  void attach(simulation& world, std::chrono::milliseconds slowest);
  /// The process ends: of the writes that wait, the first few may have become durable; none is acknowledged any more.
  void crash();
  /// Chance in 1000 that a write fails, and changes nothing.
  void failing_writes(std::uint32_t chance) { failing_ = chance; }
  /// Acknowledges what is not durable yet; for simulations that must fail.
  bool lies = false;

  void save(stored_deployment what, done then) override;
  void erase(deployment_name what, done then) override;

  /// What is durable, read as a restarted process reads it.
  std::map<deployment_name, stored_deployment> durable() const;
  std::uint64_t syncs() const { return syncs_; }

private:
  struct write {
    deployment_name name;
    std::string content; ///< Empty: erased.
    done then;
    bool failing = false;
  };

  void add(write w);
  void sync();
  void apply(const write& w);

  random_source chance_;
  simulation* world_ = nullptr;
  std::chrono::milliseconds slowest_{0};
  std::uint32_t failing_ = 0;
  std::uint64_t syncs_ = 0;
  std::deque<write> waiting_;
  std::map<deployment_name, std::string> documents_;
};

} // namespace troupe::testing
