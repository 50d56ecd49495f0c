// What a host may choose when it makes a runtime.
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/app/runtime/machine_resources.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace caf {
class actor_system_config;
}

namespace troupe {

using control::log_level;
using control::runtime_event;

/// The hooks are called on the runtime's threads, the control thread among them: they must be quick, and may not call
/// the runtime's blocking functions. What they throw is swallowed. None is called once the runtime is destroyed.
struct runtime_options {
  std::uint32_t max_replicas = 0;         ///< Over all deployments, surge included; 0 = no bound.
  resources local = detected_resources(); ///< What replicas may ask for; what it doesn't name is none.
  bool on_nodes = false;  ///< Replicas go to nodes that join (`app/cluster`), none runs here; `local` does not count.
  std::uint64_t seed = 0; ///< Of all random choices; 0 = a different one each time.
  milliseconds shutdown_timeout{30'000};                ///< Longest drain at destruction, over all deployments. >= 0.
  std::function<void(const runtime_event&)> on_event{}; ///< Something that an operator may want to see.
  std::function<void(log_level, std::string_view)> on_log{}; ///< The library itself prints nothing.

  /// Where targets, revisions and rollout positions are kept; changes are acknowledged when they are stored. Null:
  /// nothing outlives the process.
  std::shared_ptr<control::deployment_store> store{};

  /// All deployments have ended: control actors of the host on the runtime's `environment()` are to end before it
  /// returns.
  std::function<void()> on_drained{};

  // Only for a runtime that makes its own actor system:
  std::string scheduler_policy = "local"; ///< "local", or CAF's "sharing" or "stealing": see docs/decisions/0005.
  std::size_t scheduler_threads = 0;      ///< 0 = CAF's default: one per core, at least 4.
  std::function<void(caf::actor_system_config&)> configure{}; ///< To add modules, before the system is made.
  std::function<void()> on_stopped{};                         ///< All deployments have ended, the system is about to.
};

} // namespace troupe
