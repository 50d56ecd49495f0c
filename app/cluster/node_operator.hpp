// What operators see of nodes and may do with them.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/messages/resources.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe::cluster {

/// One node. A value.
struct node_line {
  std::string name;
  std::string state; ///< "JOINING", "READY", "SUSPECT", "LOST", "DRAINING", "GONE".
  std::string host;
  std::string release; ///< Of its program.
  std::map<std::string, std::string> labels;
  resources total;
  resources used;
  std::uint32_t replicas = 0;
  bool cordoned = false;                ///< Gets no new replicas.
  bool drained = false;                 ///< Is to be empty.
  bool empty = false;                   ///< It is drained and may be stopped.
  std::chrono::milliseconds since{0};   ///< How long it is in this state.
  std::chrono::milliseconds silence{0}; ///< Since its last word; of those alive.
  std::string message;                  ///< Why it is suspect, lost or gone.
};

/// Thread-safe; every function blocks until the controller has answered. Errors: `invalid_spec` for an unknown name,
/// with those that there are, `rejected` with the reason; then nothing has changed.
class node_operator {
public:
  virtual ~node_operator() = default;
  virtual result<std::vector<node_line>> list() const = 0; ///< By name; lost and gone ones included.
  /// Off also takes back a drain.
  virtual result<bool> cordon(const std::string& name, bool on) = 0;
  virtual result<bool> drain(const std::string& name) = 0;
  /// Forgets one that is lost or gone, or ends one that is alive and empty; `force`: also one that is not empty.
  virtual result<bool> remove(const std::string& name, bool force) = 0;
};

} // namespace troupe::cluster
