// The seam to durable state: where the state actors of deployments put their snapshots.
#pragma once

#include <troupe/messages/error.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <functional>

namespace troupe::control {

/// Thread-safe; never blocks its caller. Calls for one deployment take effect in their order, each whole or not at all.
class deployment_store {
public:
  /// Called once, on any thread: with `errc::none` when it survives `kill -9` and power loss, else with `not_stored`.
  using done = std::function<void(error)>;

  virtual ~deployment_store() = default;
  /// Replaces the snapshot of that deployment.
  virtual void save(stored_deployment what, done then) = 0;
  virtual void erase(deployment_name what, done then) = 0;
};

} // namespace troupe::control
