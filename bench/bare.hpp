// The bare CAF counterparts: a system with CAF's default scheduler settings or with ours, and plain actors in it.
#pragma once

#include "harness.hpp"
#include "messages.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::bench {

/// Sets the scheduler: "" = CAF's default settings; else a policy of CAF's, or "pool" (pool_policy.hpp).
void set_policy(caf::actor_system_config& config, const std::string& policy);

/// An actor system of its own for one measurement.
class bare_system {
public:
  explicit bare_system(const std::string& policy);
  caf::actor_system& operator*() noexcept { return *system_; }
  caf::actor_system* operator->() noexcept { return system_.get(); }

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

/// The same measurement with CAF's default settings and with `policy`, ours, as references of a question.
std::vector<side> both_settings(const std::string& name, const std::string& policy,
                                const std::function<sample(const std::string&)>& run);

/// Counts to a number that one thread waits for.
class countdown {
public:
  explicit countdown(unsigned n) : left_(n) {}
  void tick() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      left_.notify_all();
  }
  void wait() const {
    for (auto n = left_.load(std::memory_order_acquire); n != 0; n = left_.load(std::memory_order_acquire))
      left_.wait(n, std::memory_order_acquire);
  }

private:
  std::atomic<unsigned> left_;
};

/// Answers pong to ping; nothing else.
class bare_actor : public caf::event_based_actor {
public:
  /// `up` hears that it is initialised, `down` that it has ended. Both may be null; else they outlive the actor.
  bare_actor(caf::actor_config& cfg, countdown* up, countdown* down);
  void on_exit() override;

protected:
  caf::behavior make_behavior() override;

private:
  countdown* up_;
  countdown* down_;
};

/// N of them, initialised. Stops them and waits for it.
class bare_population {
public:
  bare_population(caf::actor_system& system, unsigned n);
  bare_population(const bare_population&) = delete;
  bare_population& operator=(const bare_population&) = delete;
  ~bare_population();

  const std::vector<caf::actor>& actors() const noexcept { return actors_; }

private:
  countdown down_;
  std::vector<caf::actor> actors_;
};

} // namespace troupe::bench
