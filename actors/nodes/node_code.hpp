// Code that nodes run: what a node is told to load.
#pragma once

#include <troupe/actors/replica/workers.hpp>
#include <troupe/messages/node.hpp>

namespace troupe::nodes {

/// Replicas of one object share a load on each node, those of different ones never do. Immutable, thread-safe.
class node_code : public replica::remote_code {
public:
  /// `code` is a number of its own; `node` is filled in by who sends it.
  virtual const load_code& what() const noexcept = 0;
};

} // namespace troupe::nodes
