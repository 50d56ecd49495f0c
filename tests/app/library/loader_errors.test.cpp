// Everything that can be wrong with a library is the error of one load, and says what to do.
#include "app/library/library_fixture.hpp"
#include <troupe/app/library/checks.hpp>
#include <troupe/app/library/load_errors.hpp>

#include <cstddef>
#include <cstring>
#include <elf.h>
#include <sys/stat.h>

using namespace troupe;
using namespace troupe::test;

// The test library greeter has a function of this name, too.
namespace plugins {
__attribute__((visibility("default"), used)) std::string who_am_i() { return "the program"; }
} // namespace plugins

namespace {

#define CHECK_CONTAINS(text, part) CHECK_MESSAGE(contains(text, part), text) // NOLINT

/// The library with one field of its header changed.
template <class Field>
std::string with_header(std::string bytes, Field Elf64_Ehdr::*field, Field value) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.*field = value;
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

} // namespace

TEST_CASE_FIXTURE(library_fixture, "an import path that is none says how one looks") {
  for (const auto* x :
       {"", "libspell.so", ":app", "libspell.so:", "libspell.so:1st", "libspell.so:a b", "pkg.module:a-b"})
    CHECK_CONTAINS(put_error(x), "must be `path/libname.so:application`, as in `libspell.so:app`");
}

TEST_CASE_FIXTURE(library_fixture, "a missing library lists where it was looked for") {
  const auto second = folder.path() / "more";
  library::store two{{.data_dir = folder.path() / "data2", .code_dirs = {code_dir, second}}};
  const auto answer = two.put("sub/libspell.so:app");
  REQUIRE(!answer.ok());
  CHECK(answer.code() == errc::invalid_spec);
  CHECK(answer.why().message == "sub/libspell.so: no such file; looked for " + (code_dir / "sub/libspell.so").string() +
                                    ", " + (second / "sub/libspell.so").string());
  library::store none{{.data_dir = folder.path() / "data3", .code_dirs = {}}};
  CHECK_CONTAINS(none.put("libspell.so:app").why().message, "no code directories to look in; start with --code-dir");
}

TEST_CASE_FIXTURE(library_fixture, "a relative path is looked for in each code directory in turn") {
  const auto second = folder.path() / "more";
  std::filesystem::create_directories(second);
  install("greeter_1", "../more/libspell.so");
  library::store two{{.data_dir = folder.path() / "data2", .code_dirs = {code_dir, second}}};
  CHECK(two.put("libspell.so:app")->source == second / "libspell.so");
  install("greeter_2");
  CHECK(two.put("libspell.so:app")->source == code_dir / "libspell.so");
}

TEST_CASE_FIXTURE(library_fixture,
                  "what is outside of the code directories is refused, also by way of links and dots") {
  install("greeter_1", "../outside.so");
  std::filesystem::create_symlink(folder.path() / "outside.so", code_dir / "linked.so");
  for (const auto& x :
       {(folder.path() / "outside.so").string(), std::string{"linked.so"}, std::string{"../outside.so"}})
    CHECK_CONTAINS(put_error(x + ":app"), "is outside of the code directories (" + code_dir.string() + ")");
  // A sibling whose name begins alike is not inside.
  std::filesystem::create_directory(folder.path() / "lib2");
  install("greeter_1", "../lib2/libspell.so");
  CHECK_CONTAINS(put_error("../lib2/libspell.so:app"), "outside");
  // Inside, by an absolute path and by a link that stays inside, is fine.
  install("greeter_1", "real.so");
  std::filesystem::create_symlink(code_dir / "real.so", code_dir / "alias.so");
  CHECK(put((code_dir / "real.so").string() + ":app") == put("alias.so:app"));
}

TEST_CASE_FIXTURE(library_fixture, "a directory, a pipe and an unreadable file are told plainly") {
  std::filesystem::create_directory(code_dir / "folder.so");
  CHECK_CONTAINS(put_error("folder.so:app"), "folder.so: is a directory, not a shared library");
  REQUIRE(::mkfifo((code_dir / "pipe.so").c_str(), 0600) == 0);
  CHECK_CONTAINS(put_error("pipe.so:app"), "pipe.so: is not a regular file");
  install("greeter_1", "closed.so");
  std::filesystem::permissions(code_dir / "closed.so", std::filesystem::perms::none);
  if (::geteuid() != 0) // root reads everything
    CHECK_CONTAINS(put_error("closed.so:app"), "closed.so: cannot be read: Permission denied");
  std::filesystem::create_symlink("nowhere.so", code_dir / "dangling.so");
  CHECK_CONTAINS(put_error("dangling.so:app"), "no such file");
}

TEST_CASE_FIXTURE(library_fixture, "a file that is no shared library of this machine is refused, and says what it is") {
  const auto file = code_dir / "libspell.so";
  const auto whole = read_whole(built_plugins() / "libgreeter_1.so");
  overwrite_in_place(file, "");
  CHECK(put_error() == "libspell.so: is empty");
  overwrite_in_place(file, "#!/bin/sh\n");
  CHECK(put_error() == "libspell.so: is no ELF file, so it cannot be a shared library");
  for (const std::size_t length :
       {std::size_t{5}, std::size_t{40}, sizeof(Elf64_Ehdr), std::size_t{4096}, whole.size() / 2, whole.size() - 1}) {
    overwrite_in_place(file, whole.substr(0, length));
    CHECK_CONTAINS(put_error(), "libspell.so: is truncated or damaged: ");
  }
  overwrite_in_place(file, with_header(whole, &Elf64_Ehdr::e_machine, Elf64_Half{EM_ARM}));
  CHECK_CONTAINS(put_error(), "libspell.so: is for another machine: arm; this one is ");
  overwrite_in_place(file, with_header(whole, &Elf64_Ehdr::e_type, Elf64_Half{ET_REL}));
  CHECK(put_error() == "libspell.so: is no shared library but an object file (.o)");
  install("plain");
  CHECK_CONTAINS(put_error(), "offers no application: write TROUPE_APPLICATION(app)");
  CHECK(std::filesystem::directory_iterator{folder.path() / "data/code"} != std::filesystem::directory_iterator{});
  for (const auto& x : std::filesystem::directory_iterator{folder.path() / "data/code"})
    CHECK(x.path().filename() == "loaded"); // nothing of it stays
}

TEST_CASE_FIXTURE(library_fixture, "damaged tables end in an error or a library, never in a crash") {
  const auto file = code_dir / "libspell.so";
  const auto whole = read_whole(built_plugins() / "libgreeter_1.so");
  std::uint64_t state = 88172645463325252U;
  for (int i = 0; i < 300; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 8; ++k) {
      state ^= state << 13U, state ^= state >> 7U, state ^= state << 17U;
      // Half of them in the header and the segment table, half in the section table.
      const auto at = k % 2 == 0 ? state % 512 : whole.size() - 1 - state % 2048;
      bytes[at] = static_cast<char>(state >> 40U);
    }
    overwrite_in_place(file, bytes);
    static_cast<void>(from.put("libspell.so:app"));
  }
}

TEST_CASE_FIXTURE(library_fixture, "a library built for another program is refused before any of its code runs") {
  for (const auto& [plugin, what] :
       {std::pair{"greeter_old_strings", "_GLIBCXX_USE_CXX11_ABI: the library has 0, this program 1"},
        {"greeter_debug", "_GLIBCXX_DEBUG: the library has 1, this program 0"}}) {
    install(plugin); // its initialiser would end this process
    CHECK_CONTAINS(put_error(), "libspell.so: was built for another program than this one");
    CHECK_CONTAINS(put_error(), what);
  }
  auto bytes = read_whole(built_plugins() / "libgreeter_1.so");
  const std::string epoch = "troupe's ABI epoch=";
  bytes[bytes.find(epoch) + epoch.size()] = '9';
  overwrite_in_place(code_dir / "libspell.so", bytes);
  CHECK_CONTAINS(put_error(), "troupe's ABI epoch: the library has 9, this program 1");
}

TEST_CASE("all differences of two tags are named, with both values") {
  CHECK(!library::difference("a=1\nb=2\n", "a=1\nb=2\n"));
  CHECK(library::difference("a=1\nb=2\nd=5\n", "a=3\nb=2\nc=4\n") ==
        "a: the library has 1, this program 3; c: the library has none, this program 4; d: the library has 5, this "
        "program none");
  const auto own = library::own_abi();
  for (const auto* what :
       {"epoch=", "CAF=1706\n", "nlohmann_json=3.", "compiler=", "_CXX11_ABI=", "sanitizer=", "sizes"})
    CHECK_CONTAINS(own, what);
}

TEST_CASE_FIXTURE(library_fixture, "an application that is not in the library names those that are") {
  install("pair");
  CHECK(put_error("libspell.so:bth") ==
        "libspell.so: has no application \"bth\"; did you mean \"both\"? There are: both, only_back");
  CHECK(put_error("libspell.so:something") ==
        "libspell.so: has no application \"something\" There are: both, only_back");
  install("greeter_1");
  CHECK_CONTAINS(put_error("libspell.so:spell"), "It has: app");
}

TEST_CASE_FIXTURE(library_fixture, "static data that all versions would share is refused, naming it and the cure") {
  install("greeter_unique");
  const auto text = put_error();
  CHECK_CONTAINS(text, "would share static data with its other versions: `");
  CHECK_CONTAINS(text, "version");
  CHECK_CONTAINS(text, "build it with troupe_add_library() of troupe's CMake package, or with -fno-gnu-unique");
}

TEST_CASE_FIXTURE(library_fixture, "a library whose own functions the program's would replace is refused") {
  install("greeter_visible");
  const auto text = put_error();
  CHECK_CONTAINS(text, "would use the program's `");
  CHECK_CONTAINS(text, "instead of its own; build it with troupe_add_library()");
  // The same source, built as it should be, has its own although this program exports one of that name.
  CHECK(plugins::who_am_i() == "the program");
}

TEST_CASE_FIXTURE(library_fixture, "a function that is defined nowhere is named, with where it might come from") {
  install("faulty_undefined");
  const auto digest = put();
  CHECK(load_error(digest) ==
        "libspell.so: uses `plugins::defined_nowhere[abi:cxx11](int)`, which is defined nowhere; add "
        "the source or library that defines it (troupe_add_library(... LINK_LIBRARIES ...))");
  install("faulty_undefined_of_troupe");
  CHECK_CONTAINS(load_error(put()),
                 "uses `troupe::not_in_this_version(int)`, which is defined nowhere; this program does "
                 "not offer it");
  CHECK(into.loaded().copies == 0);
  CHECK(std::filesystem::is_empty(from.loaded_dir()));
}

TEST_CASE("other complaints of the dynamic linker lose the path of the private copy") {
  CHECK(library::explained("/d/code/x-1.so: wrong ELF class", "/d/code/x-1.so") ==
        "cannot be loaded: the library: wrong ELF class");
  CHECK_CONTAINS(library::explained("libgone.so.1: cannot open shared object file: No such file or directory", "/x"),
                 "needs libgone.so.1, which is neither beside it");
  CHECK_CONTAINS(library::explained("/x: cannot allocate memory in static TLS block", "/x"),
                 "-ftls-model=global-dynamic");
}

TEST_CASE_FIXTURE(library_fixture, "what a library throws while it is loaded is the error of that load") {
  for (const auto& [plugin, what] :
       {std::pair{"faulty_builder", "libspell.so: TROUPE_APPLICATION(app) threw: args: \"model\" is missing"},
        {"faulty_initialiser", "libspell.so: its initialisation threw: no room for tables"},
        {"faulty_name_twice", "libspell.so: TROUPE_APPLICATION(app) threw: two deployments have the name echo"},
        {"faulty_ingress", "libspell.so: its ingress \"web\" is none of its deployments"},
        {"faulty_ingress_without_http", "libspell.so: its ingress \"echo\" does not answer HTTP"},
        {"faulty_nothing", "libspell.so: declares no deployment"}}) {
    install(plugin);
    CHECK_CONTAINS(load_error(put()), what);
  }
  install("greeter_1"); // and the next one is not harmed: nothing is left locked
  CHECK(load(put()).deployments.size() == 1);
}
