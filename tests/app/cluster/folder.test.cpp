// What `init` and `issue_bundle` leave on the disk, and what `list` says of it.
#include "cluster_fixture.hpp"
#include <troupe/app/cluster/staged_folder.hpp>

#include <algorithm>
#include <unistd.h>

using namespace troupe;
using namespace troupe::cluster;
using troupe::test::contains;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct folder_fixture : test::cluster_fixture {
  listing listed_at(cluster::time_point when = now) const {
    auto out = list(dir, when);
    REQUIRE(out.ok());
    return *out;
  }
  result<new_bundle> make(const std::string& name, const fs::path& out = {}, int days = 365,
                          cluster::time_point when = now) const {
    return issue_bundle(dir, {.role = role::node, .name = name, .hosts = {}}, days, out, when);
  }
  std::vector<std::string> names_in(const fs::path& x) const {
    std::vector<std::string> out;
    for (const auto& f : fs::directory_iterator{x})
      out.push_back(f.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(folder_fixture, "all that is made is its owner's alone") {
  REQUIRE(make("n1").ok());
  CHECK(mode_of(dir) == 0700);
  std::size_t files = 0;
  for (const auto& x : fs::recursive_directory_iterator{dir}) {
    CAPTURE(x.path());
    const bool is_open = (mode_of(x.path()) & 077U) != 0;
    if (x.is_regular_file()) {
      ++files;
      CHECK(mode_of(x.path()) == 0600);
    } else if (x.path() != dir / "bundles") { // whose content is closed
      CHECK_FALSE(is_open);
    }
  }
  CHECK(files == 6 + 6 + 6 + 2);
}

TEST_CASE_FIXTURE(folder_fixture, "a cluster is made once: what is there is not touched") {
  const auto before = test::read_whole(dir / "ca/node.key");
  const auto again = init(dir, {.name = "other", .controller_hosts = {}}, now);
  REQUIRE(again.code() == errc::rejected);
  CHECK(contains(again.why().message, dir.string() + ": is there already"));
  CHECK(contains(again.why().message, "choose another --dir"));
  CHECK(test::read_whole(dir / "ca/node.key") == before);
  CHECK(names_in(folder.path()) == std::vector<std::string>{"cluster"}); // nothing half-made beside it

  const auto file = folder.path() / "file";
  for (const auto* text : {"x", ""}) {
    write(file, text);
    CHECK(init(file, {.name = "a", .controller_hosts = {}}, now).code() == errc::rejected);
  }
  const auto link = folder.path() / "link";
  fs::create_directory_symlink(folder.path() / "nowhere", link);
  CHECK(init(link, {.name = "a", .controller_hosts = {}}, now).code() == errc::rejected);
  const auto empty = folder.path() / "empty";
  fs::create_directory(empty);
  CHECK(init(empty / "", {.name = "a", .controller_hosts = {}}, now).ok());
  CHECK(mode_of(empty) == 0700);
}

TEST_CASE_FIXTURE(folder_fixture, "a bundle is not overwritten; any number may be made for one name") {
  REQUIRE(make("n1").ok());
  const auto key = test::read_whole(dir / "bundles/node-n1/key.pem");
  const auto again = make("n1");
  REQUIRE(again.code() == errc::rejected);
  CHECK(contains(again.why().message, "--out"));
  CHECK(test::read_whole(dir / "bundles/node-n1/key.pem") == key);
  const auto elsewhere = make("n1", folder.path() / "a" / "b");
  REQUIRE(elsewhere.ok());
  CHECK(elsewhere->folder == folder.path() / "a" / "b");
  CHECK(verify(elsewhere->folder, role::node, now).self);
  CHECK(verify(dir / "bundles/node-n1", role::node, now).self);
  CHECK(names_in(dir / "issued").size() == 3);
  CHECK(make("n1", folder.path() / "a").code() == errc::rejected);
  CHECK(names_in(dir / "issued").size() == 3); // no record of what was not made
}

TEST_CASE_FIXTURE(folder_fixture, "a folder is seen whole or not at all") {
  const auto target = folder.path() / "staged";
  {
    staged_folder stage{target};
    REQUIRE(stage.write("in/key.pem", "x").ok());
    CHECK_FALSE(fs::exists(target));
    CHECK(names_in(folder.path()).size() == 2);
  }
  CHECK(names_in(folder.path()) == std::vector<std::string>{"cluster"});
  staged_folder one{target};
  staged_folder other{target};
  REQUIRE(one.write("key.pem", "1").ok());
  REQUIRE(other.write("key.pem", "2").ok());
  CHECK(one.publish().ok());
  CHECK(other.publish().code() == errc::rejected);
  CHECK(test::read_whole(target / "key.pem") == "1");
}

TEST_CASE_FIXTURE(folder_fixture, "where nothing can be written, it is told and nothing is left") {
  write(folder.path() / "file", "x");
  const auto refused = init(folder.path() / "file" / "cluster", {.name = "a", .controller_hosts = {}}, now);
  REQUIRE_FALSE(refused.ok());
  CHECK(contains(refused.why().message, (folder.path() / "file" / "cluster").string()));
  CHECK(names_in(folder.path()) == std::vector<std::string>{"cluster", "file"});
}

TEST_CASE_FIXTURE(folder_fixture, "certificates need the CA's key, and the key of that CA") {
  const auto key = dir / "ca/node.key";
  const auto text = test::read_whole(key);
  write(key, test::read_whole(dir / "ca/client.key"));
  CHECK(contains(make("n1").why().message, "is not the key of"));
  CHECK(listed_at().errors.size() == 1);
  write(key, "garbage");
  CHECK(contains(make("n1").why().message, key.string()));
  fs::remove(key);
  const auto without = make("n1");
  REQUIRE_FALSE(without.ok());
  CHECK(contains(without.why().message, "where the CA's keys are kept"));
  CHECK(listed_at().errors.empty()); // kept elsewhere: no fault, but told
  REQUIRE(listed_at().warnings.size() == 1);
  CHECK(contains(listed_at().warnings[0], "without it no more certificates"));
  CHECK_FALSE(fs::exists(dir / "bundles"));
  CHECK(issue_bundle(folder.path() / "nowhere", {.role = role::node, .name = "n", .hosts = {}}, 1, {}, now).code() ==
        errc::rejected);
}

TEST_CASE_FIXTURE(folder_fixture, "the list has the CAs and each certificate, and says which were replaced") {
  REQUIRE(issue_bundle(dir, {.role = role::client, .name = "a", .hosts = {}}, 365, {}, now).ok());
  REQUIRE(make("n1").ok());
  REQUIRE(make("n1", folder.path() / "newer", 365, now + day).ok());
  const auto all = listed_at(now + day);
  CHECK(all.is_cluster);
  CHECK(all.errors.empty());
  CHECK(all.warnings.empty());
  std::vector<std::string> rows; // by role, name and end
  for (const auto& x : all.certificates)
    rows.push_back(std::string{to_string(x.info.role)} + ' ' + x.info.name + (x.is_replaced ? " replaced" : ""));
  CHECK(rows == std::vector<std::string>{"controller CA", "node CA", "client CA", "controller controller",
                                         "node n1 replaced", "node n1", "client a"});
}

TEST_CASE_FIXTURE(folder_fixture, "the list tells ends early, of the newest of each name") {
  REQUIRE(make("n1", {}, 40).ok());
  CHECK(listed_at(now + 10 * day - 1s).warnings.empty());
  const auto soon = listed_at(now + 10 * day);
  REQUIRE(soon.warnings.size() == 1);
  CHECK(contains(soon.warnings[0], "expires on 2026-04-10T12:00:00Z, in 30 days"));
  CHECK(soon.errors.empty());
  const auto late = listed_at(now + 40 * day);
  REQUIRE(late.errors.size() == 1);
  CHECK(contains(late.errors[0], "expired on 2026-04-10T12:00:00Z"));
  CHECK(contains(late.errors[0], "where it is not used any more, remove " + (dir / "issued").string()));
  REQUIRE(make("n1", folder.path() / "newer", 365, now + 39 * day).ok());
  CHECK(listed_at(now + 40 * day).errors.empty());
}

TEST_CASE_FIXTURE(folder_fixture, "the list tells open keys, foreign and broken records, and CAs of the wrong role") {
  fs::permissions(dir / "ca/node.key", fs::perms::others_read, fs::perm_options::add);
  fs::permissions(dir / "controller/key.pem", fs::perms::others_read, fs::perm_options::add);
  CHECK(listed_at().warnings.size() == 2);
  write(dir / "issued" / "broken.pem", "x");
  CHECK(listed_at().errors.size() == 1);
  const auto elsewhere = folder.path() / "elsewhere";
  REQUIRE(init(elsewhere, {.name = "a", .controller_hosts = {}}, now).ok());
  write(dir / "issued" / "broken.pem", test::read_whole(elsewhere / "controller/certificate.pem"));
  REQUIRE(listed_at().errors.size() == 1);
  CHECK(contains(listed_at().errors[0], "does not come from the CA of role controller in this folder"));
  fs::remove(dir / "issued" / "broken.pem");
  write(dir / "ca/client.pem", test::read_whole(dir / "ca/node.pem"));
  REQUIRE(listed_at().errors.size() == 1);
  CHECK(contains(listed_at().errors[0], "is not the CA of role client"));
}

TEST_CASE_FIXTURE(folder_fixture, "the list of a bundle has its certificate and the CAs") {
  const auto made = make("n1");
  REQUIRE(made.ok());
  const auto all = list(made->folder, now);
  REQUIRE(all.ok());
  CHECK_FALSE(all->is_cluster);
  CHECK(all->certificates.size() == 4);
  CHECK(all->certificates[0].info.name == "n1");
  CHECK(all->errors.empty());
  fs::remove(made->folder / "key.pem");
  CHECK(list(made->folder, now)->errors.size() == 1);
  fs::create_directory(folder.path() / "ca"); // somebody else's
  CHECK(list(folder.path(), now).code() == errc::rejected);
}
