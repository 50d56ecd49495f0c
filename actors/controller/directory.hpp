// Which deployments there are and where their requests go: what threads other than the control thread may look at.
#pragma once

#include <troupe/messages/control.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe {
class code;
class router;
} // namespace troupe

namespace troupe::controller {

/// One per runtime, written by its controller. Thread-safe; no call waits for anything but its mutex.
class directory {
public:
  /// A deployment that was accepted and is not gone.
  struct listing {
    deployment_name name;
    std::shared_ptr<router> calls;
    std::shared_ptr<const code> user_code; ///< Of the deploy that was accepted last.
  };
  /// User code of a deployment that is gone still runs: its replicas were given up.
  struct leftover {
    deployment_name name;
    std::uint32_t replicas = 0;
    friend bool operator==(const leftover&, const leftover&) = default;
  };

  std::optional<listing> find(const deployment_name& name) const;
  std::vector<listing> all() const; ///< By name.
  std::vector<deployment_name> names() const;
  std::vector<leftover> leftovers() const;

  // -- for the controller

  void put(listing entry);
  /// It is gone. Its router stays known for as long as a handle keeps it, and serves the next deployment of that name.
  void remove(const deployment_name& name);
  /// The router of that name, of a deployment that is gone too; null when there is none.
  std::shared_ptr<router> router_of(const deployment_name& name) const;
  /// All that are known, of deployments that are gone too.
  std::vector<std::shared_ptr<router>> routers() const;
  /// `replicas` of a removed deployment still run, under `key`; 0 = they have ended.
  void note_leftover(std::uint64_t key, leftover x);

private:
  mutable std::mutex mutex_;
  std::map<deployment_name, listing> entries_;
  std::map<deployment_name, std::weak_ptr<router>> gone_;
  std::map<std::uint64_t, leftover> leftovers_;
};

} // namespace troupe::controller
