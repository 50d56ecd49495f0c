// Code that nodes run: what a node is told to load.
#pragma once

#include <troupe/actors/replica/workers.hpp>
#include <troupe/actors/router/signature.hpp>
#include <troupe/messages/node.hpp>

namespace troupe::nodes {

/// Replicas of one object share a load on each node, those of different ones never do. Immutable, thread-safe.
class node_code : public replica::remote_code {
public:
  /// `code` is a number of its own; `node` is filled in by who sends it.
  virtual const load_code& what() const noexcept = 0;
};

/// Whether two orders, perhaps of two controllers, load the same.
inline bool loads_the_same(const load_code& a, const load_code& b) {
  return a.application == b.application && a.deployment == b.deployment && a.digest == b.digest &&
         a.import_path == b.import_path && a.args == b.args;
}

/// Equal for those; never 0.
inline std::uint64_t likeness_of(const load_code& x) {
  std::uint64_t hash = 1;
  for (const auto& text : {x.application, x.digest, x.import_path, x.args.dump()})
    hash = (hash ^ detail::fnv1a(text)) * 0x100000001b3U;
  return hash == 0 ? 1 : hash;
}

} // namespace troupe::nodes
