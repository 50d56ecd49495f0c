// Our side of each measurement: a runtime with one deployment of a class that does next to nothing.
#pragma once

#include "harness.hpp"
#include "messages.hpp"
#include <troupe/troupe.hpp>

#include <caf/actor_system_config.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace troupe::bench {

/// Answers pong to ping.
class no_op {
public:
  pong operator()(const ping& x) { return {x.number}; }
};

/// Also takes a config.
class configurable {
public:
  pong operator()(const ping& x) { return {x.number}; }
  void reconfigure(const troupe::json&) {}
};

/// Also says that it is well.
class checked {
public:
  pong operator()(const ping& x) { return {x.number}; }
  void check_health() {}
};

/// A runtime with its own actor system, scheduled as `suite::policy` says, and at most one deployment.
class deployed {
public:
  explicit deployed(const std::string& policy);

  caf::actor_system& system() const { return runtime_.system(); }
  handle<pong(ping)> calls() const { return runtime_.handle<pong(ping)>(name); }

  /// "t" with `n` replicas of T; waits until it is whole and nothing of former ones is left. Throws if it never is.
  template <class T>
  void deploy(const deployment_options& what) {
    const auto before = rollouts_.load();
    if (runtime_.run<T>(what).change != change_kind::scaled)
      rollouts_.wait(before); // an event, so that looking costs nothing meanwhile
    wait_until_whole();
  }
  static deployment_options options_for(unsigned n, const std::string& version) {
    return deployment_options{name}.version(version).num_replicas(n);
  }

private:
  static constexpr const char* name = "t";

  void wait_until_whole() const;

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::atomic<unsigned> rollouts_{0}; // that have ended, well or not
  troupe::runtime runtime_;
};

} // namespace troupe::bench
