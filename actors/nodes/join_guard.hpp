// The seam between the door and certificates: who a node that wants to join has proved to be.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/messages/node.hpp>

#include <string>

namespace troupe::nodes {

/// What one join is about, as both ends know it.
struct join_facts {
  std::string nonce;      ///< Of who checks the proof.
  std::string controller; ///< CAF node ids.
  std::string node;
};

/// Thread-safe.
class join_guard {
public:
  virtual ~join_guard() = default;
  virtual result<std::string> make_nonce() const = 0;
  /// That the other end is the node of that name. The error is what it is told.
  virtual result<bool> check(const std::string& name, const join_facts& of, const node_proof& proof) const = 0;
  /// That this end is the controller.
  virtual result<node_proof> prove(const join_facts& of) const = 0;
};

} // namespace troupe::nodes
