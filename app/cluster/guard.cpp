#include <troupe/app/cluster/guard.hpp>
#include <troupe/app/cluster/proof.hpp>

#include <utility>

namespace troupe::cluster {

namespace {

challenge from_node(const nodes::join_facts& of) { return {of.nonce, of.controller, of.node, node_wire_version}; }
challenge from_controller(const nodes::join_facts& of) { return {of.nonce, of.node, of.controller, node_wire_version}; }

result<node_proof> proof_of(const identity& self, const challenge& of) {
  auto x = make_proof(self, of);
  if (!x)
    return x.why();
  return node_proof{std::move(x->certificates), std::move(x->signature)};
}

result<bool> holds(const identity& self, role claimed, const std::string& name, const challenge& of,
                   const node_proof& x) {
  const auto who = check_proof(self.authorities_of(claimed), claimed, name, of, {x.certificates, x.signature},
                               std::chrono::system_clock::now());
  if (!who)
    return who.why();
  return true;
}

} // namespace

result<std::string> certificate_guard::make_nonce() const { return cluster::make_nonce(); }

result<bool> certificate_guard::check(const std::string& name, const nodes::join_facts& of,
                                      const node_proof& proof) const {
  if (proof.certificates.empty())
    return error{errc::rejected, "this controller wants certificates: start the node with --cluster-dir DIR"};
  return holds(*self_, role::node, name, from_node(of), proof);
}

result<node_proof> certificate_guard::prove(const nodes::join_facts& of) const {
  return proof_of(*self_, from_controller(of));
}

result<node_proof> prove_node(const identity& self, const nodes::join_facts& of) {
  return proof_of(self, from_node(of));
}

result<bool> check_controller(const identity& self, const nodes::join_facts& of, const node_proof& proof) {
  if (proof.certificates.empty())
    return error{errc::rejected, "the controller has shown no certificate"};
  const auto first = certificate_of_der(proof.certificates.front());
  if (!first)
    return first.why();
  const auto who = describe(*first); // one CA makes controllers only, so any name will do
  if (!who)
    return who.why();
  return holds(self, role::controller, who->name, from_controller(of), proof);
}

} // namespace troupe::cluster
