// Where secrets are looked for, what a digest says, what is masked.
#include <troupe/app/secrets/resolving_code.hpp>
#include <troupe/app/secrets/secrets.hpp>

#include <doctest/doctest.h>

#include <fixtures/files.hpp>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

struct secrets_fixture {
  secrets_fixture() {
    for (const auto* dir : {"data", "secrets", "credentials"})
      fs::create_directory(folder.path() / dir);
    write("secrets/db", "correct horse\n");
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream{folder.path() / file, std::ios::binary} << text;
    fs::permissions(folder.path() / file, fs::perms::owner_read | fs::perms::owner_write);
  }
  secrets::options options() {
    return {folder.path() / "data", folder.path() / "secrets", folder.path() / "credentials",
            [this](const std::string& text) { warnings.push_back(text); }};
  }

  static json ref(const json& name) { return {{"$secret", name}}; }
  std::string why_not(const std::string& name) const {
    const auto x = keeper.resolve(ref(name));
    REQUIRE(!x.ok());
    CHECK(x.why().code == errc::unavailable);
    return x.why().message;
  }
  json sealed(const json& x) const {
    auto out = keeper.seal(x, "user_config");
    REQUIRE(out.faults.empty());
    return out.value;
  }

  temporary_folder folder;
  std::vector<std::string> warnings;
  secrets::keeper keeper{options()};
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE_FIXTURE(secrets_fixture, "references are resolved wherever they are; all else stays") {
  write("secrets/empty", "");
  write("secrets/lines", "a\n\n");
  const json config{{"db", {{"user", "me"}, {"password", ref("db")}}}, {"all", {1, ref("lines"), {ref("empty")}}}};
  const auto out = keeper.resolve(config);
  REQUIRE(out.ok());
  CHECK(*out == json{{"db", {{"user", "me"}, {"password", "correct horse"}}}, {"all", {1, "a\n", {""}}}});
  CHECK(*keeper.resolve(ref("db")) == "correct horse");
  CHECK(*keeper.resolve(json(nullptr)) == json(nullptr));
  CHECK(*keeper.resolve(sealed(config)) == *out);
  CHECK(secrets::has_references(config));
  CHECK(!secrets::has_references(*out));
}

TEST_CASE_FIXTURE(secrets_fixture, "what is shown is what was given") {
  const json config{{"a", {ref("db")}}, {"b", 1}};
  CHECK(sealed(config) != config);
  CHECK(secrets::shown(sealed(config)) == config);
}

TEST_CASE_FIXTURE(secrets_fixture, "a digest follows the content, differs between secrets, keys and data directories") {
  const auto digest = [&](const char* name) { return sealed(ref(name)).at("$digest").get<std::string>(); };
  const auto first = digest("db");
  CHECK(first.size() == 32);
  CHECK(first == digest("db"));
  write("secrets/other", "correct horse\n");
  CHECK(digest("other") != first);
  write("secrets/db", "correct horse"); // the newline is not part of it
  CHECK(digest("db") == first);
  write("secrets/db", "correct horsf");
  CHECK(digest("db") != first);
  write("secrets/db", "correct horse\n");
  CHECK(secrets::keeper{options()}.seal(ref("db"), "").value.at("$digest") == first);
  struct stat about {};
  REQUIRE(::stat((folder.path() / "data/secrets.key").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777U) == 0600);
  CHECK(about.st_size == 32);
  fs::remove(folder.path() / "data/secrets.key");
  CHECK(secrets::keeper{options()}.seal(ref("db"), "").value.at("$digest") != first);
}

TEST_CASE_FIXTURE(secrets_fixture, "references that are malformed are told with path, value and form") {
  const auto told = [&](const json& x) {
    const auto out = keeper.seal({{"a", {1, x}}}, "user_config");
    REQUIRE(out.faults.size() == 1);
    CHECK(out.faults[0].path == "user_config.a[1]");
    CHECK(out.faults[0].value == x.dump().substr(0, 100));
    CHECK(out.faults[0].is_malformed);
    CHECK(out.faults[0].allowed.starts_with("{\"$secret\": name} with no other member"));
    CHECK(keeper.resolve(x).code() == errc::invalid_spec);
  };
  for (const json& name : {json(1), json(nullptr), json(""), json("a/b"), json("../db"), json(".hidden"), json("a\nb"),
                           json(std::string(256, 'x')), json{{"$secret", "db"}}})
    told(ref(name));
  told({{"$secret", "db"}, {"more", 1}});
  const json own{{"$secret", "db"}, {"$digest", "00"}}; // nobody may write that
  CHECK(keeper.seal(own, "").faults.size() == 1);
}

TEST_CASE_FIXTURE(secrets_fixture, "a secret that cannot be had is told with its name and where it was looked for") {
  const auto dir = [&](const char* x) { return (folder.path() / x).string(); };
  CHECK(why_not("gone") == "the secret \"gone\" cannot be read: " + dir("secrets/gone") +
                               ": No such file or directory; " + dir("credentials/gone") +
                               ": No such file or directory");
  write("secrets/latin", "gr\xfc\xdf"
                         "e");
  CHECK(has(why_not("latin"), "secrets/latin: is not UTF-8"));
  write("secrets/most", std::string(secrets::keeper::max_bytes, 'x'));
  CHECK(keeper.resolve(ref("most")).ok());
  write("secrets/large", std::string(secrets::keeper::max_bytes + 1, 'x'));
  CHECK(has(why_not("large"), "secrets/large: is larger than 1048576 bytes"));
  fs::create_directory(folder.path() / "secrets/folder");
  CHECK(has(why_not("folder"), "secrets/folder: is not a regular file"));
  REQUIRE(::mkfifo((folder.path() / "secrets/pipe").c_str(), 0600) == 0);
  CHECK(has(why_not("pipe"), "secrets/pipe: is not a regular file"));
  const auto x = keeper.seal({{"a", ref("gone")}, {"b", ref("large")}}, "user_config");
  REQUIRE(x.faults.size() == 2);
  CHECK(x.faults[0].path == "user_config.a");
  CHECK(!x.faults[0].is_malformed);
  CHECK(has(x.faults[0].allowed, "a secret that can be read; \"gone\" cannot: " + dir("secrets/gone")));
  const secrets::keeper none{{.data_dir = folder.path() / "data", .secrets_dir = {}, .credentials_dir = {}}};
  CHECK(has(none.resolve(ref("db")).why().message, "there are no secrets: start with --secrets-dir"));
}

TEST_CASE_FIXTURE(secrets_fixture,
                  "the folder of secrets comes before the service's credentials; a bad one is not passed over") {
  write("credentials/token", "from systemd");
  CHECK(*keeper.resolve(ref("token")) == "from systemd");
  write("secrets/token", "from the folder");
  CHECK(*keeper.resolve(ref("token")) == "from the folder");
  write("secrets/token", "\xff");
  CHECK(!has(why_not("token"), "credentials"));
}

TEST_CASE_FIXTURE(secrets_fixture, "a file that others may read is used, and told once") {
  fs::create_symlink("db", folder.path() / "secrets/link"); // as Kubernetes mounts them
  CHECK(*keeper.resolve(ref("link")) == "correct horse");
  CHECK(warnings.empty());
  fs::permissions(folder.path() / "secrets/db", fs::perms::group_read, fs::perm_options::add);
  for (int i = 0; i < 3; ++i)
    CHECK(keeper.resolve(ref("db")).ok());
  REQUIRE(warnings.size() == 1);
  CHECK(has(warnings[0], "secrets/db is open to others than its owner; chmod 600 closes it"));
}

TEST_CASE_FIXTURE(secrets_fixture, "contents that were given out are masked, the last ones too; short ones are not") {
  CHECK(keeper.masked("correct horse") == "correct horse"); // nobody has it
  write("secrets/seven", "1234567");
  write("secrets/eight", "12345678");
  write("secrets/lines", "one line\nand \"another\"");
  write("secrets/longer", "correct horse battery");
  for (const auto* name : {"db", "seven", "eight", "lines", "longer"})
    REQUIRE(keeper.resolve(ref(name)).ok());
  CHECK(keeper.masked("x correct horse, correct horse.") == "x [secret db], [secret db].");
  CHECK(keeper.masked("correct horse battery") == "[secret longer]");
  CHECK(keeper.masked("1234567") == "1234567");
  CHECK(keeper.masked("12345678") == "[secret eight]");
  CHECK(keeper.masked(json("one line\nand \"another\"").dump()) == "\"[secret lines]\"");
  CHECK(keeper.masked("one line\nand \"another\"") == "[secret lines]");
  write("secrets/db", "battery staple");
  REQUIRE(keeper.resolve(ref("db")).ok());
  CHECK(keeper.masked("correct horse, battery staple") == "[secret db], [secret db]");
  CHECK(*keeper.masked_at_once("battery staple") == "[secret db]");
}
