// Packages that are good: what their copies hold, and under which digest.
#include "package_fixture.hpp"

#include <sys/stat.h>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& x) {
  struct stat about {};
  REQUIRE(::lstat(x.c_str(), &about) == 0);
  return about.st_mode & 07777U;
}

/// The same as `tree` of the code directory.
tar_builder whole() {
  tar_builder x;
  x.folder("./").folder("lib/").file("lib/a.txt", "hello").file("lib/run.sh", "#!/bin/sh\n", 0755);
  return x.link("current", "lib").folder("empty");
}

void write_whole_folder(const package_fixture& at) {
  at.write("tree/lib/a.txt", "hello");
  at.write("tree/lib/run.sh", "#!/bin/sh\n");
  fs::permissions(at.code_dir / "tree/lib/run.sh", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("lib", at.code_dir / "tree/current");
  fs::create_directory(at.code_dir / "tree/empty");
}

} // namespace

TEST_CASE_FIXTURE(package_fixture, "a folder and an archive of it are one package, unpacked and read-only") {
  write_whole_folder(*this);
  write("app.tar.gz", gzip(whole().tar()));
  const auto from_folder = put("tree");
  const auto from_archive = put();
  CHECK(from_folder.digest == from_archive.digest);
  CHECK(copies() == std::vector<std::string>{from_folder.digest});
  CHECK(from_archive.source == code_dir / "app.tar.gz");
  CHECK(from_archive.folder == store().folder_of(from_archive.digest));
  CHECK(from_archive.files == 5);
  CHECK(from_archive.bytes == 15);
  const auto at = from_archive.folder;
  CHECK(read_whole(at / "current/a.txt") == "hello");
  CHECK(fs::read_symlink(at / "current") == "lib");
  CHECK(fs::is_directory(at / "empty"));
  CHECK(mode_of(at) == 0555);
  CHECK(mode_of(at / "lib") == 0555);
  CHECK(mode_of(at / "lib/a.txt") == 0444);
  CHECK(mode_of(at / "lib/run.sh") == 0555);
  CHECK(store().contains(from_archive.digest));
}

TEST_CASE_FIXTURE(package_fixture,
                  "packed again with other times, order, owners and compression it is the same package") {
  write("app.tar.gz", gzip(whole().tar()));
  const auto first = put().digest;
  tar_builder again;
  again.file("lib/run.sh", "#!/bin/sh\n", 0700).file("lib/a.txt", "hello", 0600).folder("empty").link("current", "lib");
  write("again.tgz", gzip(again.tar().substr(0, 512 * 3)) + gzip(again.tar().substr(512 * 3)) + std::string(100, '\0'));
  CHECK(put("again.tgz").digest == first);
}

TEST_CASE_FIXTURE(package_fixture,
                  "the digest tells contents, names, the executable bit, links and empty folders apart") {
  std::set<std::string> digests;
  std::size_t n = 0;
  const auto add = [&](const tar_builder& x) {
    write("app.tar.gz", gzip(x.tar()));
    digests.insert(put().digest);
    CHECK(digests.size() == ++n);
  };
  add(tar_builder{}.file("a", "x"));
  add(tar_builder{}.file("a", "y"));
  add(tar_builder{}.file("b", "x"));
  add(tar_builder{}.file("a", "x", 0755));
  add(tar_builder{}.file("a", "x").folder("f"));
  add(tar_builder{}.file("a", "x").link("f", "a"));
  add(tar_builder{}.file("a", "x").link("f", "./a"));
  add(tar_builder{}.file("a", "x").file("f", "x"));
  // A hard link is the same file once more.
  write("app.tar.gz", gzip(tar_builder{}.file("a", "x").hard_link("f", "./a").tar()));
  CHECK(digests.contains(put().digest));
}

TEST_CASE_FIXTURE(package_fixture, "setuid and setgid are not taken along") {
  write("app.tar.gz", gzip(tar_builder{}.file("a", "x", 06755).tar()));
  CHECK(mode_of(put().folder / "a") == 0555);
  CHECK(put().digest == [&] {
    write("b.tar.gz", gzip(tar_builder{}.file("a", "x", 0755).tar()));
    return put("b.tar.gz").digest;
  }());
}

TEST_CASE_FIXTURE(package_fixture, "names that are no ASCII, or no UTF-8, stay as they are") {
  write("app.tar.gz", gzip(tar_builder{}
                               .file("gr\xc3\xbc\xc3\x9f"
                                     "e")
                               .file("\xff\xfe")
                               .tar()));
  const auto x = put();
  CHECK(fs::exists(x.folder / "gr\xc3\xbc\xc3\x9f"
                              "e"));
  CHECK(fs::exists(x.folder / "\xff\xfe"));
}

TEST_CASE_FIXTURE(package_fixture, "links within the package are kept, also those to nothing") {
  tar_builder x;
  x.link("a/up", "../b/c").link("b/c", "../d").file("d").link("gone", "nowhere/else").link("self", ".");
  write("app.tar.gz", gzip(x.tar()));
  CHECK(read_whole(put().folder / "a/up") == "x");
}

TEST_CASE_FIXTURE(package_fixture, "a copy that was damaged is replaced when it is put again") {
  write("app.tar.gz", gzip(whole().tar()));
  const auto x = put();
  fs::permissions(x.folder / "lib/a.txt", fs::perms::owner_all);
  overwrite_in_place(x.folder / "lib/a.txt", "HELLO");
  CHECK(put().digest == x.digest);
  CHECK(read_whole(x.folder / "lib/a.txt") == "hello");
  CHECK(copies().size() == 1);
}

TEST_CASE_FIXTURE(package_fixture, "only the packages that are named are kept") {
  write("app.tar.gz", gzip(whole().tar()));
  const auto first = put().digest;
  write("app.tar.gz", gzip(tar_builder{}.file("a").tar()));
  const auto second = put().digest;
  CHECK(store().keep_only({second, "no digest"}) == 1);
  CHECK(!store().contains(first));
  CHECK(copies() == std::vector<std::string>{second});
  CHECK(store().keep_only({}) == 1);
  CHECK(copies().empty());
}

TEST_CASE_FIXTURE(package_fixture, "what is no digest is not contained") {
  write("app.tar.gz", gzip(whole().tar()));
  put();
  CHECK(!store().contains(""));
  CHECK(!store().contains(".."));
  CHECK(!store().contains(std::string(64, 'a')));
}

TEST_CASE_FIXTURE(package_fixture, "a start removes what an interrupted copy left, and keeps the rest") {
  write("app.tar.gz", gzip(whole().tar()));
  const auto digest = put().digest;
  const auto half = folder.path() / "data/packages/new-1-1";
  fs::create_directories(half / "lib");
  std::ofstream{half / "lib/a.txt"} << "hel";
  fs::permissions(half / "lib", fs::perms::owner_read | fs::perms::owner_exec);
  const packages::package_store again{asked};
  CHECK(copies() == std::vector<std::string>{digest});
  CHECK(again.contains(digest));
}

TEST_CASE_FIXTURE(package_fixture, "packages are looked for in each code directory, and lie in one after all links") {
  const auto other = folder.path() / "other";
  fs::create_directory(other);
  asked.code_dirs.push_back(other);
  std::ofstream{other / "b.tar.gz", std::ios::binary} << gzip(whole().tar());
  CHECK(put("b.tar.gz").source == other / "b.tar.gz");
  CHECK(put((other / "b.tar.gz").string()).source == other / "b.tar.gz");
  fs::create_directory(folder.path() / "outside");
  fs::create_symlink(folder.path() / "outside", code_dir / "inside");
  for (const auto& [package, why] :
       {std::pair<std::string, std::string>{"inside", "is outside of the code directories ("},
        {"../outside", "is outside of the code directories ("},
        {"/etc", "is outside of the code directories ("},
        {"missing.tar.gz", "missing.tar.gz: no such file; looked for "},
        {"", "package \"\": must be the path of a folder or a .tar.gz"}}) {
    const auto out = store().put(package);
    REQUIRE(!out.ok());
    CHECK(out.why().code == errc::invalid_spec);
    CHECK_MESSAGE(has(out.why().message, why), out.why().message);
  }
}
