// Private to app/runtime/: which deployments hold handles to which, and in what order they stop because of it.
#pragma once

#include <troupe/messages/control.hpp>

#include <map>
#include <set>
#include <shared_mutex>
#include <vector>

namespace troupe {

/// Thread-safe. What was once noted stays: a handle may be kept anywhere.
class call_graph {
public:
  void add(const deployment_name& caller, const deployment_name& callee);

  /// `names` in groups, callers before callees: a group may stop when those before it have. Deployments that call each
  /// other in a circle are in one group.
  std::vector<std::vector<deployment_name>> stop_order(const std::vector<deployment_name>& names) const;

private:
  mutable std::shared_mutex mutex_;
  std::map<deployment_name, std::set<deployment_name>> callees_;
};

} // namespace troupe
