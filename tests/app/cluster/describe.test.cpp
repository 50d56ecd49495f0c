// Certificates whose parts contradict each other or could be read in two ways say nothing.
#include "cluster_fixture.hpp"
#include "forge.hpp"

using namespace troupe;
using namespace troupe::cluster;
using test::contains;
using test::forge;

namespace {

std::string why_unreadable(const test::forgery& x) {
  const auto info = describe(forge(x).certificate);
  REQUIRE_FALSE(info.ok());
  return info.why().message;
}

} // namespace

TEST_CASE("what a forger gets right is read") {
  const auto info = describe(forge({.issuer = {}, .issuer_key = {}, .names = {"troupe://node/n1"}}).certificate);
  REQUIRE(info.ok());
  CHECK(info->name == "n1");
  CHECK(
      describe(forge({.issuer = {}, .issuer_key = {}, .names = {"https://x/", "troupe://node/n1"}}).certificate).ok());
}

TEST_CASE("a certificate has one role and one name") {
  const auto why = [](std::vector<std::string> names, const std::string& common_name = "n1") {
    return why_unreadable({.issuer = {}, .issuer_key = {}, .common_name = common_name, .names = std::move(names)});
  };
  CHECK(contains(why({}), "0 names of the form"));
  CHECK(contains(why({"https://example.org/"}), "0 names of the form"));
  CHECK(contains(why({"troupe://node/n1", "troupe://controller/n1"}), "2 names of the form"));
  CHECK(contains(why({"troupe://node/n1", "troupe://node/n1"}), "2 names of the form"));
  CHECK(contains(why({"troupe://node/n2"}), "contradict each other"));
  CHECK(contains(why({"troupe://node/n1"}, "n2"), "contradict each other"));
  for (const auto& bad :
       {std::string{"troupe://"}, std::string{"troupe://node"}, std::string{"troupe://node/"},
        std::string{"troupe://worker/n1"}, std::string{"troupe://node/n1/"}, std::string{"troupe://node/n1\0", 17},
        std::string{"troupe://NODE/n1"}, std::string{"troupe://node:1/n1"}, std::string{"troupe://x@node/n1"}})
    CHECK(contains(why({bad}), "malformed"));
  CHECK(contains(why({std::string{"troupe://node/n1\0x", 18}}, std::string{"n1\0x", 4}), "malformed"));
}

TEST_CASE("a CA says so in both of its forms, a process in none") {
  constexpr auto ca = "critical,CA:TRUE";
  constexpr auto signs = "critical,keyCertSign";
  CHECK(
      contains(why_unreadable(
                   {.issuer = {}, .issuer_key = {}, .names = {"troupe://node/n1"}, .constraints = ca, .usage = signs}),
               "both that it is a CA"));
  CHECK(contains(why_unreadable({.issuer = {}, .issuer_key = {}, .names = {"troupe://authority/node"}}),
                 "both that it is a CA"));
  CHECK(
      describe(
          forge(
              {.issuer = {}, .issuer_key = {}, .names = {"troupe://authority/node"}, .constraints = ca, .usage = signs})
              .certificate)
          ->is_authority);
  CHECK(contains(
      why_unreadable(
          {.issuer = {}, .issuer_key = {}, .names = {"troupe://authority/n1"}, .constraints = ca, .usage = signs}),
      "malformed"));
}

TEST_CASE("times that are none are told") {
  for (const auto* bad : {"", "x", "20291301000000Z", "20290101"})
    CHECK(contains(why_unreadable({.issuer = {}, .issuer_key = {}, .names = {"troupe://node/n1"}, .not_after = bad}),
                   "times are malformed"));
}

TEST_CASE("a certificate for one end of TLS only is not trusted") {
  const auto ca = make_authority(role::node, "prod", 365, test::cluster_fixture::now);
  REQUIRE(ca.ok());
  const auto why = [&](const char* usage) {
    const auto x = forge(
        {.issuer = ca->certificate, .issuer_key = ca->key, .names = {"troupe://node/n1"}, .extended_usage = usage});
    return why_not_trusted(x.certificate, {}, {ca->certificate}, test::cluster_fixture::now);
  };
  CHECK(why("serverAuth,clientAuth") == "");
  CHECK(why("serverAuth") == "it may not be used by TLS clients");
  CHECK(why("clientAuth") != "");
  CHECK(why("codeSigning") != "");
}
