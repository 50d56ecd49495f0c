// Proofs at a join, by the certificates of a bundle.
#pragma once

#include <troupe/actors/nodes/join_guard.hpp>
#include <troupe/app/cluster/bundle.hpp>

#include <memory>
#include <string>

namespace troupe::cluster {

/// The controller's end. Thread-safe.
class certificate_guard final : public nodes::join_guard {
public:
  explicit certificate_guard(std::shared_ptr<const identity> self) : self_(std::move(self)) {}
  result<std::string> make_nonce() const override;
  result<bool> check(const std::string& name, const nodes::join_facts& of, const node_proof& proof) const override;
  result<node_proof> prove(const nodes::join_facts& of) const override;

private:
  const std::shared_ptr<const identity> self_;
};

/// The node's end: that it is who its certificate says, and that the other end is a controller.
result<node_proof> prove_node(const identity& self, const nodes::join_facts& of);
result<bool> check_controller(const identity& self, const nodes::join_facts& of, const node_proof& proof);

} // namespace troupe::cluster
