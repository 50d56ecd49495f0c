// A library that was put into another store, taken over by its list of files.
#include "app/library/library_fixture.hpp"
#include <troupe/app/library/file.hpp>

#include <vector>

namespace troupe::store_accept_test {

namespace fs = std::filesystem;
using namespace troupe::test;
using library::needed_file;

namespace {

/// A library with one that comes along, put; and another store, with the files alone.
struct accept_fixture : library_fixture {
  accept_fixture() {
    fs::create_directory(code_dir / "one");
    for (const auto* file : {"libdep.so.1", "libuser_one.so"})
      fs::copy_file(built_plugins() / "one" / file, code_dir / "one" / file);
    digest = put("one/libuser_one.so:app");
    const auto stored = from.files(digest);
    REQUIRE(stored.ok());
    for (const auto& x : *stored) {
      list.push_back({x.soname, x.digest, x.source});
      fs::copy_file(x.file, other.file_with(x.digest));
    }
    REQUIRE(list.size() == 2); // libdep.so.1, the library
  }

  fs::path needs(const library::store& of) const { return of.folder() / (digest + ".needs"); }
  std::string refusal(const std::vector<needed_file>& files) {
    const auto answer = other.accept(digest, files);
    REQUIRE(!answer.ok());
    CHECK(answer.code() == errc::invalid_spec);
    CHECK(!fs::exists(needs(other)));
    return answer.why().message;
  }

  library::store other{{.data_dir = folder.path() / "other", .code_dirs = {}}};
  std::string digest;
  std::vector<needed_file> list;
};

} // namespace

TEST_CASE_FIXTURE(accept_fixture, "an accepted library is as one that was put") {
  const auto first = other.accept(digest, list);
  REQUIRE(first.ok());
  CHECK(*first);
  CHECK(read_whole(needs(other)) == read_whole(needs(from)));
  CHECK(other.contains(digest));
  const auto again = other.accept(digest, list);
  REQUIRE(again.ok());
  CHECK(!*again);
  const auto mine = other.files(digest);
  REQUIRE(mine.ok());
  REQUIRE(mine->size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK((*mine)[i].soname == list[i].soname);
    CHECK((*mine)[i].file == other.file_with(list[i].digest));
    CHECK((*mine)[i].source == list[i].source);
  }
}

TEST_CASE_FIXTURE(accept_fixture, "where in the list the library itself stands does not matter") {
  REQUIRE(other.accept(digest, {list[1], list[0]}).ok());
  CHECK(read_whole(needs(other)) == read_whole(needs(from)));
}

TEST_CASE_FIXTURE(accept_fixture, "a library alone is known by its own digest and needs no list") {
  const auto answer = other.accept(list[1].digest, {{{}, list[1].digest, {}}});
  REQUIRE(answer.ok());
  CHECK(!fs::exists(other.folder() / (list[1].digest + ".needs")));
}

TEST_CASE_FIXTURE(accept_fixture, "a damaged list is written again") {
  overwrite_in_place(needs(other), "half a li");
  CHECK(!other.contains(digest));
  REQUIRE(other.accept(digest, list).ok());
  CHECK(other.contains(digest));
}

TEST_CASE_FIXTURE(accept_fixture, "without one of its files it is not accepted") {
  fs::remove(other.file_with(list[0].digest));
  const auto answer = other.accept(digest, list);
  REQUIRE(!answer.ok());
  CHECK(answer.code() == errc::unavailable);
  CHECK(contains(answer.why().message, "is not there: " + other.file_with(list[0].digest).string()));
  CHECK(!fs::exists(needs(other)));
}

TEST_CASE_FIXTURE(accept_fixture, "a list that is not that of the digest is refused, with the reason") {
  const auto changed = [&](auto change) {
    auto files = list;
    change(files);
    return refusal(files);
  };
  using files = std::vector<needed_file>;
  CHECK(contains(changed([](files& x) { x.clear(); }), "the library itself is missing"));
  CHECK(contains(changed([](files& x) { x.pop_back(); }), "the library itself is missing"));
  CHECK(contains(changed([](files& x) { x.erase(x.begin()); }), "these files are code " + list[1].digest));
  CHECK(contains(changed([](files& x) { x[0].soname = "libdep.so.2"; }), "these files are code "));
  CHECK(contains(changed([](files& x) { x[0].digest = x[1].digest; }), "these files are code "));
  CHECK(contains(changed([](files& x) { x[0].soname.clear(); }), "file 2 is a second library"));
  CHECK(contains(changed([](files& x) { x.push_back(x[0]); }), "file 3 is a second libdep.so.1"));
}

TEST_CASE_FIXTURE(accept_fixture, "what could not be read again, or is no name, is refused") {
  for (const auto* source : {"/lib/a\nlibrary\tb\tc", "a\tb", "a\x7f", "a\r"}) {
    list[0].source = source;
    CHECK(contains(refusal(list), "file 1 has a control character in its soname or source"));
  }
  list[0].source.clear();
  CHECK(contains(refusal(list), "file 1 has no source"));
  list[0].source = "x";
  list[0].soname = "lib\tdep";
  CHECK(contains(refusal(list), "file 1 has a control character in its soname or source"));
  for (const auto* soname : {"../libdep.so.1", "/", "library"}) {
    list[0].soname = soname;
    CHECK(contains(refusal(list), "file 1 has \"" + std::string{soname} + "\" for a soname"));
  }
}

TEST_CASE_FIXTURE(accept_fixture, "what is no digest becomes no path") {
  const auto upper = [](std::string x) {
    x[0] = 'A';
    return x;
  };
  for (const auto& no : {std::string{}, std::string{"../../etc/passwd"}, upper(digest), digest.substr(1), digest + "0",
                         std::string(64, '/')}) {
    CHECK(!library::is_digest(no));
    const auto answer = other.accept(no, list);
    CHECK(answer.code() == errc::invalid_spec);
    list[0].digest = no;
    CHECK(contains(refusal(list), "file 1 has no digest of 64 lowercase hex digits"));
  }
  CHECK(library::is_digest(digest));
}

} // namespace troupe::store_accept_test
