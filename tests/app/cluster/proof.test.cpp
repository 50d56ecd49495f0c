// A proof holds for exactly what was signed, by a certificate of exactly that role and name.
#include "cluster_fixture.hpp"
#include "forge.hpp"

using namespace troupe;
using namespace troupe::cluster;
using troupe::test::contains;
using namespace std::chrono_literals;

namespace {

struct proof_fixture : test::cluster_fixture {
  proof_fixture() {
    const auto nonce = make_nonce();
    REQUIRE(nonce.ok());
    asked = {*nonce, "controller-id", "node-id", 7};
    auto made = make_proof(*node, asked);
    REQUIRE(made.ok());
    given = *made;
  }

  result<certificate_info> check(const challenge& of, const proof& x, role claimed = role::node,
                                 const std::string& name = "n1", cluster::time_point when = now) const {
    return check_proof(controller->authorities_of(claimed), claimed, name, of, x, when);
  }
  std::string why_not(const result<certificate_info>& x) const {
    REQUIRE_FALSE(x.ok());
    CHECK(x.code() == errc::rejected);
    return x.why().message;
  }

  std::shared_ptr<const identity> node = identity_of(bundle(role::node, "n1"));
  std::shared_ptr<const identity> controller = identity_of(dir / "controller");
  challenge asked;
  proof given;
};

} // namespace

TEST_CASE_FIXTURE(proof_fixture, "a node proves its name and role to the controller, and the controller to it") {
  const auto peer = check(asked, given);
  REQUIRE_MESSAGE(peer.ok(), peer.why().message);
  CHECK(peer->name == "n1");
  CHECK(peer->role == role::node);
  CHECK(peer->not_after == node->info.not_after);
  const auto back = make_proof(*controller, {asked.nonce, "node-id", "controller-id", 7});
  REQUIRE(back.ok());
  CHECK(check_proof(node->authorities_of(role::controller), role::controller, "controller",
                    {asked.nonce, "node-id", "controller-id", 7}, *back, now)
            .ok());
}

TEST_CASE_FIXTURE(proof_fixture, "a proof for another nonce, other ids or another version doesn't hold") {
  const auto refused = [&](challenge of) { CHECK(contains(why_not(check(of, given)), "signature")); };
  for (std::size_t i = 0; i < nonce_bytes; ++i) {
    auto other = asked;
    other.nonce[i] = static_cast<char>(other.nonce[i] ^ 1);
    refused(other);
  }
  refused({asked.nonce, "controller-ie", "node-id", 7});
  refused({asked.nonce, "controller-id", "node-ie", 7});
  refused({asked.nonce, "node-id", "controller-id", 7});
  refused({asked.nonce, "controller-id", "node-id", 8});
  refused({asked.nonce, "controller-id", "node-id", 7U << 24U});
}

TEST_CASE_FIXTURE(proof_fixture, "no byte can be moved from one field to the next") {
  for (const auto& [verifier, prover] : {std::pair{"controller-idn", "ode-id"},
                                         {"controller-i", "dnode-id"},
                                         {"", "controller-idnode-id"},
                                         {"controller-idnode-id", ""}})
    CHECK_FALSE(check({asked.nonce, verifier, prover, 7}, given).ok());
  const challenge a{std::string(32, 'n'), "ab", "c", 1};
  const challenge b{std::string(32, 'n'), "a", "bc", 1};
  CHECK(signed_text(a, role::node, "x") != signed_text(b, role::node, "x"));
  CHECK(signed_text({a.nonce, "ab", "", 1}, role::node, "x") != signed_text({a.nonce, "", "ab", 1}, role::node, "x"));
  CHECK(signed_text(a, role::node, "x") != signed_text(a, role::client, "x"));
  // worked: 8 + 36 of the context, 8 + 32, 8 + 2, 8 + 1, 8 + 4 ("node"), 8 + 1, 4 as 8 bytes
  CHECK(signed_text(a, role::node, "x").size() == 8 * 7 + 36 + 32 + 2 + 1 + 4 + 1);
  challenge zero = asked;
  zero.prover = std::string{"node\0id", 7};
  const auto made = make_proof(*node, zero);
  REQUIRE(made.ok());
  CHECK(check(zero, *made).ok());
  zero.prover = std::string{"node\0ie", 7};
  CHECK_FALSE(check(zero, *made).ok());
}

TEST_CASE_FIXTURE(proof_fixture, "a claimed name or role other than the certificate's is refused") {
  CHECK(contains(why_not(check(asked, given, role::node, "n2")), "has the name \"n1\", not \"n2\""));
  CHECK(contains(why_not(check(asked, given, role::client)), "is that of a node, not of a client"));
  CHECK(contains(why_not(check(asked, given, role::controller)), "not of a controller"));
  CHECK_FALSE(check(asked, given, role::node, "").ok());
  CHECK_FALSE(check(asked, given, role::node, "n1\n").ok());
}

TEST_CASE_FIXTURE(proof_fixture,
                  "the CA must be that of the role: another role's, another cluster's or none is refused") {
  const auto with = [&](const x509_list& authorities) {
    return check_proof(authorities, role::node, "n1", asked, given, now);
  };
  CHECK_FALSE(with({}).ok());
  CHECK(contains(why_not(with(controller->authorities_of(role::client))), "not that of role node"));
  const auto elsewhere = folder.path() / "elsewhere";
  REQUIRE(init(elsewhere, {.name = "prod", .controller_hosts = {}}, now).ok());
  const auto other = identity_of(elsewhere / "controller");
  CHECK(contains(why_not(with(other->authorities_of(role::node))), "does not come from the CA of role node"));
}

TEST_CASE_FIXTURE(proof_fixture, "another's certificate and signature cannot be mixed with one's own") {
  const auto client = identity_of(bundle(role::client, "n1"));
  auto forged = make_proof(*client, asked);
  REQUIRE(forged.ok());
  CHECK_FALSE(check(asked, *forged).ok());
  CHECK(check(asked, *forged, role::client).ok());
  CHECK(contains(why_not(check(asked, {given.certificates, forged->signature})), "signature"));
  forged->certificates.push_back(given.certificates.front()); // the first one counts
  CHECK_FALSE(check(asked, *forged).ok());
}

TEST_CASE_FIXTURE(proof_fixture, "the CA of clients cannot make a node") {
  const auto client_ca = key_of_pem(test::read_whole(dir / "ca/client.key"));
  REQUIRE(client_ca.ok());
  const auto forged = test::forge({.issuer = controller->authorities_of(role::client).front(),
                                   .issuer_key = *client_ca,
                                   .names = {"troupe://node/n1"}});
  const identity false_node{*describe(forged.certificate), {forged.certificate}, forged.key, {}};
  REQUIRE(false_node.info.role == role::node);
  const auto made = make_proof(false_node, asked);
  REQUIRE(made.ok());
  CHECK(contains(why_not(check(asked, *made)), "does not come from the CA of role node"));
  CHECK_FALSE(check(asked, *made, role::client).ok());
}

TEST_CASE_FIXTURE(proof_fixture, "a certificate counts from its first second to before its last") {
  const auto end = node->info.not_after;
  const auto at = [&](cluster::time_point when) { return check(asked, given, role::node, "n1", when); };
  CHECK(at(end - 1s).ok());
  CHECK(contains(why_not(at(end)), "expired on 2027-03-01T12:00:00Z"));
  CHECK(at(now - 24h).ok());
  CHECK(contains(why_not(at(now - 24h - 1s)), "not valid before 2026-02-28T12:00:00Z"));
}

TEST_CASE_FIXTURE(proof_fixture, "changed, cut, empty and oversized proofs are refused") {
  for (std::size_t i = 0; i < given.signature.size(); ++i) {
    auto other = given;
    other.signature[i] = static_cast<char>(other.signature[i] ^ 4);
    CHECK_FALSE(check(asked, other).ok());
    other.signature = given.signature.substr(0, i);
    CHECK_FALSE(check(asked, other).ok());
  }
  const auto& der = given.certificates.front();
  for (std::size_t i = 0; i < der.size(); ++i) {
    auto changed = der;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    CHECK_FALSE(check(asked, {{changed}, given.signature}).ok());
  }
  CHECK_FALSE(check(asked, {}).ok());
  CHECK_FALSE(check(asked, {{""}, given.signature}).ok());
  CHECK_FALSE(check(asked, {{der, der, der, der, der}, given.signature}).ok());
  CHECK_FALSE(check(asked, {{der, std::string(8193, 'x')}, given.signature}).ok());
  CHECK_FALSE(check(asked, {{der}, std::string(1025, 'x')}).ok());
}

TEST_CASE_FIXTURE(proof_fixture, "nobody gets a text of another form signed") {
  for (const std::size_t size : {0U, 31U, 33U, 1000U}) {
    CHECK(make_proof(*node, {std::string(size, 'x'), "a", "b", 1}).code() == errc::rejected);
    CHECK_FALSE(check({std::string(size, 'x'), "a", "b", 1}, given).ok());
  }
}

TEST_CASE_FIXTURE(proof_fixture, "two certificates for one name both prove it") {
  const auto again = identity_of(bundle(role::node, "n1"));
  const auto second = make_proof(*again, asked);
  REQUIRE(second.ok());
  CHECK(second->certificates != given.certificates);
  CHECK(check(asked, *second).ok());
  CHECK(check(asked, given).ok());
  CHECK_FALSE(check(asked, {given.certificates, second->signature}).ok());
}

TEST_CASE("nonces differ") {
  CHECK(*make_nonce() != *make_nonce());
  CHECK(make_nonce()->size() == nonce_bytes);
}
