// `peers` within one runtime.
#pragma once

#include <troupe/app/library/peers.hpp>

#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class runtime;

namespace library {

/// Finds the deployments of one application, and by `application/name` those of others. Thread-safe. Code may hold it
/// longer than the runtime lives: `close` comes first.
class runtime_lookup final : public peer_lookup {
public:
  runtime_lookup(const runtime& in, std::string application);

  std::shared_ptr<router> find(std::string_view name, const std::vector<signature_info>& wanted) const override;
  /// From now on `find` throws `command_failed` (`runtime_stopped`).
  void close();

private:
  mutable std::shared_mutex mutex_;
  const runtime* runtime_;
  const std::string application_;
};

} // namespace library
} // namespace troupe
