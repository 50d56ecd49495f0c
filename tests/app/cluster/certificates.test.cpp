// What is in a certificate, which names are taken, and when it is trusted.
#include "cluster_fixture.hpp"

#include <openssl/x509v3.h>

using namespace troupe;
using namespace troupe::cluster;
using troupe::test::cluster_fixture;
using namespace std::chrono_literals;

namespace {

constexpr auto made_at = cluster_fixture::now;

credential authority_of(role x, int days = 3650) {
  auto out = make_authority(x, "prod", days, made_at);
  REQUIRE(out.ok());
  return *out;
}

credential certificate_from(const credential& authority, const subject& to, int days = 365) {
  auto out = issue(authority, to, days, made_at);
  REQUIRE_MESSAGE(out.ok(), out.why().message);
  return *out;
}

} // namespace

TEST_CASE("a certificate says role, name, cluster, hosts and times, and begins a day before it was made") {
  const auto ca = authority_of(role::node);
  const auto made = certificate_from(
      ca, {.role = role::node, .name = "n-1.a_b", .hosts = {"head.example.org", "10.0.0.7", "fe80::1"}}, 90);
  const auto read = certificates_of_pem(to_pem(made.certificate));
  REQUIRE(read.ok());
  const auto info = describe(read->front());
  REQUIRE(info.ok());
  CHECK(info->role == role::node);
  CHECK(info->name == "n-1.a_b");
  CHECK(info->cluster == "prod");
  CHECK_FALSE(info->is_authority);
  CHECK(info->hosts == std::vector<std::string>{"head.example.org", "10.0.0.7", "fe80::1"});
  CHECK(info->not_before == made_at - 24h);
  CHECK(info->not_after == made_at + std::chrono::days{90});
  CHECK(info->serial.size() == 32);
  const auto other = describe(certificate_from(ca, {.role = role::node, .name = "n-1.a_b", .hosts = {}}).certificate);
  CHECK(other->serial != info->serial);

  const auto authority = describe(ca.certificate);
  REQUIRE(authority.ok());
  CHECK(authority->is_authority);
  CHECK(authority->role == role::node);
}

TEST_CASE("keys and certificates come back from their texts; each key belongs to its certificate alone") {
  const auto ca = authority_of(role::node);
  const auto a = certificate_from(ca, {.role = role::node, .name = "a", .hosts = {}});
  const auto b = certificate_from(ca, {.role = role::node, .name = "a", .hosts = {}});
  const auto key = key_of_pem(to_pem(a.key));
  REQUIRE(key.ok());
  CHECK(key_matches(a.certificate, *key));
  CHECK_FALSE(key_matches(b.certificate, *key));
  const auto der = certificate_of_der(to_der(a.certificate));
  REQUIRE(der.ok());
  CHECK(same(*der, a.certificate));
  CHECK_FALSE(same(*der, b.certificate));
}

TEST_CASE("a certificate is trusted from its first second to before its last, by its own CA alone") {
  const auto ca = authority_of(role::node);
  const auto twin = authority_of(role::node); // same name, other key
  const auto clients = authority_of(role::client);
  const auto leaf = certificate_from(ca, {.role = role::node, .name = "n", .hosts = {}}, 10).certificate;
  const auto why = [&](const x509_list& by, cluster::time_point when) { return why_not_trusted(leaf, {}, by, when); };
  const auto end = made_at + std::chrono::days{10};
  CHECK(why({ca.certificate}, made_at) == "");
  CHECK(why({twin.certificate, ca.certificate}, made_at) == "");
  CHECK(why({ca.certificate}, made_at - 24h) == "");
  CHECK(why({ca.certificate}, made_at - 24h - 1s) != "");
  CHECK(why({ca.certificate}, end - 1s) == "");
  CHECK(why({ca.certificate}, end) != "");
  CHECK(why({twin.certificate}, made_at) != "");
  CHECK(why({clients.certificate}, made_at) != "");
  CHECK(why({}, made_at) != "");
  CHECK_MESSAGE(why({leaf}, made_at) != "", "a certificate is no CA");
}

TEST_CASE("a process's certificate makes no others") {
  const auto ca = authority_of(role::node);
  const auto leaf = certificate_from(ca, {.role = role::node, .name = "n", .hosts = {}});
  CHECK((X509_get_extension_flags(leaf.certificate.get()) & EXFLAG_CA) == 0);
  CHECK(X509_get_pathlen(ca.certificate.get()) == 0);
  CHECK(issue(leaf, {.role = role::node, .name = "m", .hosts = {}}, 10, made_at).code() == errc::rejected);
}

TEST_CASE("a CA makes certificates of its role only, and none that outlives it") {
  const auto ca = authority_of(role::node, 10);
  const auto refused = [&](role of, int days) {
    return issue(ca, {.role = of, .name = "n", .hosts = {}}, days, made_at);
  };
  CHECK(refused(role::client, 5).code() == errc::rejected);
  CHECK(refused(role::controller, 5).code() == errc::rejected);
  CHECK(refused(role::node, 10).ok());
  const auto late = refused(role::node, 11);
  REQUIRE(late.code() == errc::rejected);
  CHECK(test::contains(late.why().message, "2026-03-11T12:00:00Z"));
  CHECK(test::contains(late.why().message, "at most 10 days"));
  CHECK(refused(role::node, 0).code() == errc::rejected);
  CHECK(refused(role::node, 36'501).code() == errc::rejected);
  CHECK(make_authority(role::node, "prod", 36'500, made_at).ok());
}

TEST_CASE("names and hosts that could mean something else are refused") {
  const auto ca = authority_of(role::node);
  const std::string longest(64, 'a');
  for (const auto& good : {std::string{"a"}, longest, std::string{"9.x-_Y"}})
    CHECK(issue(ca, {.role = role::node, .name = good, .hosts = {}}, 1, made_at).ok());
  for (const auto& bad : {std::string{}, longest + "a", std::string{"-a"}, std::string{"a/b"}, std::string{"a b"},
                          std::string{"a\0b", 3}, std::string{".."}, std::string{"\xc3\xa4"}, std::string{"a,URI:x"}})
    CHECK(issue(ca, {.role = role::node, .name = bad, .hosts = {}}, 1, made_at).code() == errc::rejected);
  for (const auto* good : {"localhost", "a.b-c.example", "10.0.0.1", "::1", "x1", "1.a"})
    CHECK_MESSAGE(is_host(good), good);
  for (const auto* bad : {"", "*.example", "a:80", "[::1]", "10.0.0.256", "1.2.3", "a..b", ".a", "a.", "-a", "a-",
                          "a b", "a,DNS:b", "a/b"})
    CHECK_MESSAGE(!is_host(bad), bad);
  CHECK_FALSE(is_host(std::string(64, 'a')));
  CHECK_FALSE(is_host(std::string_view{"10.0.0.1\0x", 10}));
  CHECK(issue(ca, {.role = role::node, .name = "n", .hosts = {"a:80"}}, 1, made_at).code() == errc::rejected);
  const std::vector<std::string> many(101, "a");
  CHECK(issue(ca, {.role = role::node, .name = "n", .hosts = many}, 1, made_at).code() == errc::rejected);
}

TEST_CASE("garbage is an error, never more: cut and changed texts of certificates and keys") {
  const auto ca = authority_of(role::node);
  const auto pem = to_pem(ca.certificate);
  const auto key = to_pem(ca.key);
  const auto der = to_der(ca.certificate);
  for (std::size_t n = 0; n + 2 < pem.size(); n += 7)
    CHECK_FALSE(certificates_of_pem(pem.substr(0, n)).ok());
  for (std::size_t n = 0; n + 2 < key.size(); n += 7)
    CHECK_FALSE(key_of_pem(key.substr(0, n)).ok());
  for (std::size_t n = 0; n < der.size(); n += 5)
    CHECK_FALSE(certificate_of_der(der.substr(0, n)).ok());
  CHECK_FALSE(certificate_of_der(der + "x").ok());
  for (std::size_t n = 0; n < der.size(); ++n) { // most still parse; none may be trusted or crash
    auto changed = der;
    changed[n] = static_cast<char>(changed[n] ^ 0x21);
    const auto x = certificate_of_der(changed);
    if (x)
      CHECK((!describe(*x).ok() || why_not_trusted(*x, {}, {ca.certificate}, made_at) != ""));
  }
  CHECK_FALSE(certificates_of_pem(key).ok());
  CHECK_FALSE(key_of_pem(pem).ok());
  CHECK_FALSE(certificates_of_pem(std::string(2'000'000, 'x')).ok());
  std::string many;
  for (int i = 0; i < 17; ++i)
    many += pem;
  CHECK(test::contains(certificates_of_pem(many).why().message, "more than 16"));
  CHECK(openssl_reason() == "OpenSSL gives no reason");
}

TEST_CASE("the end is told from 30 days before it, to the second") {
  const auto end = made_at + std::chrono::days{365};
  CHECK(expiry_text(end, end - 30 * 24h - 1s) == "");
  CHECK(expiry_text(end, end - 30 * 24h) == "expires on 2027-03-01T12:00:00Z, in 30 days");
  CHECK(expiry_text(end, end - 47h) == "expires on 2027-03-01T12:00:00Z, in 1 day");
  CHECK(expiry_text(end, end - 24h + 1s) == "expires on 2027-03-01T12:00:00Z, in less than a day");
  CHECK(expiry_text(end, end - 1s) == "expires on 2027-03-01T12:00:00Z, in less than a day");
  CHECK(expiry_text(end, end) == "expired on 2027-03-01T12:00:00Z");
}

TEST_CASE("who trusts whom") {
  CHECK(trusted_by(role::controller) == std::vector{role::node, role::client});
  CHECK(trusted_by(role::node) == std::vector{role::controller, role::node, role::client});
  CHECK(trusted_by(role::client) == std::vector{role::controller, role::node});
  for (const auto x : all_roles)
    CHECK(parse_role(to_string(x)) == x);
  CHECK_FALSE(parse_role("authority"));
  CHECK_FALSE(parse_role(""));
}
