// What is wrong with a bundle is told with the file and what to do, and only a good one gives an identity.
#include "cluster_fixture.hpp"

#include <algorithm>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::cluster;
using troupe::test::contains;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct bundle_fixture : test::cluster_fixture {
  verified look(cluster::time_point when = now, std::optional<role> expected = role::node) const {
    return verify(at, expected, when);
  }
  // The only error, or all of them.
  std::string only_error(const verified& x) const {
    CHECK_FALSE(x.self);
    std::string all;
    for (const auto& e : x.errors)
      all += (all.empty() ? "" : "\n") + e;
    CHECK_MESSAGE(x.errors.size() == 1, all);
    return all;
  }
  void is_told(const verified& x, const char* file, const std::string& what) const {
    const auto text = only_error(x);
    CHECK_MESSAGE(text.starts_with((at / file).string() + ": "), text);
    CHECK_MESSAGE(contains(text, what), text);
    CHECK_MESSAGE(contains(text, "; "), text); // what to do
  }

  fs::path at = bundle(role::node, "n1");
  bundle_files files{at};
};

std::string encrypted(const key_handle& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  char passphrase[] = "x";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_128_cbc(), passphrase, 1, nullptr, nullptr) == 1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio, &text);
  std::string out(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

} // namespace

TEST_CASE_FIXTURE(bundle_fixture, "a bundle as it was made is good, and holds no key of a CA") {
  const auto found = look();
  REQUIRE(found.self);
  CHECK(found.errors.empty());
  CHECK(found.warnings.empty());
  CHECK(found.self->info.name == "n1");
  CHECK(found.self->info.role == role::node);
  CHECK(found.self->authorities_of(role::client).size() == 1);
  std::vector<std::string> names;
  for (const auto& x : fs::directory_iterator{at}) {
    names.push_back(x.path().filename());
    CHECK(mode_of(x.path()) == 0600);
  }
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"ca-client.pem", "ca-controller.pem", "ca-node.pem", "certificate.pem",
                                          "key.pem", "trust.pem"});
  CHECK(mode_of(at) == 0700);
  for (const auto role : all_roles)
    CHECK_FALSE(key_of_pem(test::read_whole(files.authority_of(role))).ok());
  for (const auto x : {role::controller, role::client})
    CHECK(verify(bundle(x, "x"), x, now).self);
}

TEST_CASE_FIXTURE(bundle_fixture, "every file is needed") {
  for (const auto* file :
       {"certificate.pem", "key.pem", "trust.pem", "ca-controller.pem", "ca-node.pem", "ca-client.pem"}) {
    CAPTURE(file);
    const auto text = test::read_whole(at / file);
    fs::remove(at / file);
    is_told(look(), file, "is not there");
    fs::create_directory(at / file);
    is_told(look(), file, "is not a regular file");
    fs::remove(at / file);
    REQUIRE(::mkfifo((at / file).c_str(), 0600) == 0);
    is_told(look(), file, "is not a regular file");
    fs::remove(at / file);
    write(at / file, "");
    CHECK(contains(only_error(look()), (at / file).string()));
    write(at / file, text.substr(0, text.size() / 2));
    is_told(look(), file, "is not a PEM file");
    write(at / file, std::string(65'537, 'x'));
    is_told(look(), file, "larger than 64 KiB");
    write(at / file, text);
    fs::permissions(at / file, fs::perms::owner_read | fs::perms::owner_write);
    CHECK(look().self);
  }
}

TEST_CASE_FIXTURE(bundle_fixture, "all faults are told at once") {
  fs::remove(files.key);
  write(files.authority_of(role::client), "x");
  write(files.trust, "x");
  CHECK(look().errors.size() >= 2);
  CHECK(verify(folder.path() / "nowhere", role::node, now).errors.size() == 5);
}

TEST_CASE_FIXTURE(bundle_fixture, "a file that may not be read is told") {
  if (::geteuid() == 0)
    return; // who may read everything
  fs::permissions(files.key, fs::perms::none);
  is_told(look(), "key.pem", "cannot be read");
}

TEST_CASE_FIXTURE(bundle_fixture, "a key that others may read is used, with a warning, as for secrets") {
  for (const auto mode : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write}) {
    fs::permissions(files.key, fs::perms::owner_read | mode);
    const auto found = look();
    CHECK(found.self);
    REQUIRE(found.warnings.size() == 1);
    CHECK(found.warnings[0] ==
          "the key " + files.key.string() + " is open to others than its owner; chmod 600 closes it");
  }
  fs::permissions(files.key, fs::perms::owner_read);
  CHECK(look().warnings.empty());
}

TEST_CASE_FIXTURE(bundle_fixture, "the key of another certificate is none of this one") {
  write(files.key, test::read_whole(bundle_files{bundle(role::node, "n1")}.key));
  is_told(look(), "key.pem", "is not the key of " + files.certificate.string());
}

TEST_CASE_FIXTURE(bundle_fixture, "a key with a passphrase is told, and nobody is asked for it") {
  const auto key = key_of_pem(test::read_whole(files.key));
  REQUIRE(key.ok());
  write(files.key, encrypted(*key));
  is_told(look(), "key.pem", "passphrase");
}

TEST_CASE_FIXTURE(bundle_fixture, "a key of a kind that cannot sign a proof is told") {
  const key_handle key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free};
  REQUIRE(key);
  write(files.key, to_pem(key));
  is_told(look(), "key.pem", "neither EC nor RSA");
}

TEST_CASE_FIXTURE(bundle_fixture, "another role than expected is told; with none expected it is the certificate's") {
  is_told(look(now, role::client), "certificate.pem", "is of role node, not client");
  CHECK(look(now, std::nullopt).self->info.role == role::node);
}

TEST_CASE_FIXTURE(bundle_fixture, "a certificate of another CA is told, of this role or another") {
  const auto elsewhere = folder.path() / "elsewhere";
  REQUIRE(init(elsewhere, {.name = "prod", .controller_hosts = {}}, now).ok());
  const auto other = issue_bundle(elsewhere, {.role = role::node, .name = "n1", .hosts = {}}, 365, {}, now);
  REQUIRE(other.ok());
  for (const auto* file : {"certificate.pem", "key.pem"})
    write(at / file, test::read_whole(other->folder / file));
  is_told(look(), "certificate.pem", "does not come from the CA in " + files.authority_of(role::node).string());
}

TEST_CASE_FIXTURE(bundle_fixture, "CAs in each other's files are told") {
  const auto nodes = test::read_whole(files.authority_of(role::node));
  const auto clients = test::read_whole(files.authority_of(role::client));
  write(files.authority_of(role::client), nodes);
  write(files.authority_of(role::node), clients);
  const auto found = look();
  CHECK_FALSE(found.self);
  REQUIRE(found.errors.size() >= 2);
  CHECK(contains(found.errors[0], "is the CA of role client"));
  CHECK(contains(found.errors[1], "is the CA of role node"));
  write(files.authority_of(role::client), test::read_whole(files.certificate));
  write(files.authority_of(role::node), nodes);
  CHECK(contains(look().errors[0], "is the certificate of a node and no CA"));
}

TEST_CASE_FIXTURE(bundle_fixture, "a CA as a process's certificate is told") {
  for (const auto& [from, to] : {std::pair{"ca/node.pem", "certificate.pem"}, {"ca/node.key", "key.pem"}})
    write(at / to, test::read_whole(dir / from));
  is_told(look(), "certificate.pem", "is a CA");
}

TEST_CASE_FIXTURE(bundle_fixture, "trust.pem trusts what the role trusts, no more and no less") {
  const auto text = [&](role x) { return test::read_whole(files.authority_of(x)); };
  write(files.trust, text(role::client) + text(role::node) + text(role::controller)); // in any order
  CHECK(look().self);
  write(files.trust, text(role::controller) + text(role::node));
  is_told(look(), "trust.pem", "lacks a CA");
  write(files.trust,
        text(role::controller) + text(role::node) + text(role::client) + test::read_whole(files.certificate));
  is_told(look(), "trust.pem", "trusts a CA that it is not to trust");

  const bundle_files client{bundle(role::client, "c")};
  write(client.trust, test::read_whole(client.trust) + text(role::client));
  const auto found = verify(client.folder, role::client, now);
  REQUIRE(found.errors.size() == 1);
  CHECK(contains(found.errors[0], "ca-controller.pem ca-node.pem"));
}

TEST_CASE_FIXTURE(bundle_fixture, "while a CA is replaced both are trusted, and certificates of both are good") {
  const auto next = make_authority(role::node, "prod", 3650, now);
  REQUIRE(next.ok());
  const auto text = test::read_whole(files.authority_of(role::node)) + to_pem(next->certificate);
  write(files.authority_of(role::node), text);
  write(files.trust, test::read_whole(files.trust) + to_pem(next->certificate));
  CHECK(look().self);
  const auto renewed = issue(*next, {.role = role::node, .name = "n1", .hosts = {}}, 365, now);
  REQUIRE(renewed.ok());
  write(files.certificate, to_pem(renewed->certificate));
  write(files.key, to_pem(renewed->key));
  CHECK(look().self);
}

TEST_CASE_FIXTURE(bundle_fixture, "before its first and from its last second on it is refused, with the date") {
  CHECK(look(now - 24h).self);
  const auto early = look(now - 24h - 1s);
  REQUIRE(early.errors.size() == 4); // the CAs begin then, too
  CHECK(contains(early.errors.back(), "is not valid before 2026-02-28T12:00:00Z"));
  CHECK(contains(early.errors.back(), "clock here says 2026-02-28T11:59:59Z"));
  const auto end = now + std::chrono::days{365};
  CHECK(look(end - 1s).self);
  is_told(look(end), "certificate.pem", "expired on 2027-03-01T12:00:00Z");
  CHECK(contains(look(end).errors[0], "troupe cluster certificate --role node --name n1"));
}

TEST_CASE_FIXTURE(bundle_fixture, "an end within 30 days is a warning with the date and the command") {
  const auto end = now + std::chrono::days{365};
  CHECK(look(end - 30 * day - 1s).warnings.empty());
  const auto found = look(end - 30 * day);
  CHECK(found.self);
  REQUIRE(found.warnings.size() == 1);
  CHECK(found.warnings[0] ==
        files.certificate.string() +
            ": expires on 2027-03-01T12:00:00Z, in 30 days; make a new one with `troupe cluster "
            "certificate --role node --name n1 --out NEW-FOLDER` and start the process again with it");
}

TEST_CASE_FIXTURE(bundle_fixture, "the end of a CA is told, too") {
  const auto elsewhere = folder.path() / "short";
  REQUIRE(init(elsewhere, {.name = "prod", .controller_hosts = {}, .days = 5, .authority_days = 40}, now).ok());
  const auto other = issue_bundle(elsewhere, {.role = role::node, .name = "n1", .hosts = {}}, 40, {}, now);
  REQUIRE(other.ok());
  CHECK(verify(other->folder, role::node, now + 9 * day).warnings.empty());
  const auto found = verify(other->folder, role::node, now + 10 * day);
  CHECK(found.self);
  REQUIRE(found.warnings.size() == 4);
  CHECK(contains(found.warnings[0], "ca-controller.pem: expires on 2026-04-10T12:00:00Z"));
  CHECK(contains(found.warnings[0], "`troupe cluster init` in another folder"));
  CHECK(verify(other->folder, role::node, now + 40 * day).errors.size() == 4);
}
