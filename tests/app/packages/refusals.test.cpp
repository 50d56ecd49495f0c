// Packages that are refused: each names the entry, what it is and what is allowed, and leaves nothing behind.
#include "package_fixture.hpp"
#include <troupe/app/packages/archive.hpp>
#include <troupe/app/packages/folder.hpp>

#include <fcntl.h>
#include <fixtures/full_disk.hpp>
#include <functional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

std::string random_bytes(std::size_t n) {
  std::string out;
  for (std::uint32_t x = 1; out.size() < n; x = x * 1664525U + 1013904223U)
    out += static_cast<char>(x >> 24U);
  return out;
}

/// Does something when the first byte has been read.
struct meddling final : packages::sink {
  explicit meddling(std::function<void()> f) : act(std::move(f)) {}
  failure folder(const std::string&) override { return std::nullopt; }
  failure begin_file(const std::string&, bool) override { return std::nullopt; }
  failure write(std::string_view) override {
    if (act)
      std::exchange(act, nullptr)();
    return std::nullopt;
  }
  failure end_file() override { return std::nullopt; }
  failure same_file(const std::string&, const std::string&) override { return std::nullopt; }
  failure link(const std::string&, const std::string&) override { return std::nullopt; }
  std::function<void()> act;
};

} // namespace

#define CHECK_REFUSED(tar, text)                                                                                       \
  do {                                                                                                                 \
    const auto said = refused_tar(tar);                                                                                \
    CHECK_MESSAGE(has(said, text), said);                                                                              \
  } while (false)

TEST_CASE_FIXTURE(package_fixture, "paths that lead out of the package are refused") {
  CHECK_REFUSED(tar_builder{}.file("../a"), "entry \"../a\" has \"..\" in its path; paths in a package lead down only");
  CHECK_REFUSED(tar_builder{}.file("a/../../b"), "has \"..\" in its path");
  CHECK_REFUSED(tar_builder{}.folder("a/.."), "has \"..\" in its path");
  CHECK_REFUSED(tar_builder{}.file("/etc/passwd"),
                "entry \"/etc/passwd\" has an absolute path; paths in a package are relative");
  CHECK_REFUSED(tar_builder{}.file("\x1b[2J/.."), "entry \"\\u001b[2J/..\" has");
}

TEST_CASE_FIXTURE(package_fixture, "links that lead out of the package are refused, also by way of other links") {
  CHECK_REFUSED(tar_builder{}.link("a", "/etc"), "entry \"a\" is a link to the absolute path \"/etc\"");
  CHECK_REFUSED(tar_builder{}.link("a", ".."), "entry \"a\" is a link to \"..\", which is outside of the package");
  CHECK_REFUSED(tar_builder{}.link("a/b", "../../c"), "which is outside of the package; links stay in it");
  CHECK_REFUSED(tar_builder{}.link("a/b/up", "../..").link("out", "a/b/up/.."),
                "entry \"out\" is a link to \"a/b/up/..\"");
  CHECK_REFUSED(tar_builder{}.link("a", "b").link("b", "a"), "leads in a circle");
  CHECK_REFUSED(tar_builder{}.link("a", "").file("b"), "is a link with a target of 0 bytes");
  // Not written through, whichever comes first.
  CHECK_REFUSED(tar_builder{}.link("a", "b").folder("b").file("a/x"), "lies below \"a\", which is a link");
  CHECK_REFUSED(tar_builder{}.file("a/x").link("a", "b"), "entry \"a\" is there twice");
}

TEST_CASE_FIXTURE(package_fixture, "hard links to what is no file of the package are refused") {
  for (const auto* of : {"/etc/passwd", "../x", "nothing", "folder"})
    CHECK_REFUSED(tar_builder{}.folder("folder").hard_link("a", of),
                  "entry \"a\" is a hard link to \"" + std::string{of} + "\", which is no file of the package");
}

TEST_CASE_FIXTURE(package_fixture, "devices, pipes and sockets are refused") {
  CHECK_REFUSED(tar_builder{}.add("a", '3'), "entry \"a\" is a device; a package has files, folders and links");
  CHECK_REFUSED(tar_builder{}.add("a", '4'), "is a device");
  CHECK_REFUSED(tar_builder{}.add("a", '6'), "is a named pipe");
  fs::create_directory(code_dir / "tree");
  REQUIRE(::mkfifo((code_dir / "tree/pipe").c_str(), 0600) == 0);
  CHECK(has(refused("tree").message, "tree: entry \"pipe\" is a named pipe; a package has files, folders and links"));
  fs::remove(code_dir / "tree/pipe");
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  (code_dir / "tree/s").string().copy(at.sun_path, sizeof(at.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0);
  CHECK(has(refused("tree").message, "entry \"s\" is a socket"));
  ::close(fd);
  REQUIRE(::mkfifo((code_dir / "pipe").c_str(), 0600) == 0);
  CHECK(has(refused("pipe").message, "pipe: is neither a file nor a folder"));
}

TEST_CASE_FIXTURE(package_fixture, "each path may be there once") {
  CHECK_REFUSED(tar_builder{}.file("a").file("a"), "entry \"a\" is there twice; each path may be there once");
  CHECK_REFUSED(tar_builder{}.file("a").file("./a"), "entry \"./a\" is there twice");
  CHECK_REFUSED(tar_builder{}.folder("a").folder("a/"), "is there twice");
  CHECK_REFUSED(tar_builder{}.file("a").file("a/b"), "entry \"a/b\" lies below \"a\", which is a file");
  CHECK_REFUSED(tar_builder{}.link("./", "a"), "is the package itself");
}

TEST_CASE("bounds hold at their edges") {
  packages::options o;
  o.max_files = 3;
  o.max_unpacked_bytes = 100;
  o.max_archive_bytes = 4096;
  package_fixture x{o};
  const auto put = [&](const tar_builder& tar) {
    x.write("app.tar.gz", gzip(tar.tar()));
    return x.store().put("app.tar.gz");
  };
  CHECK(put(tar_builder{}.file("a/b").file("c")).ok());
  CHECK(has(put(tar_builder{}.file("a/b").file("c").file("d")).why().message,
            "entry \"d\" is one too many: a package has at most 3 files, folders and links"));
  CHECK(put(tar_builder{}.file("a", std::string(99, 'x')).file("b")).ok());
  CHECK(has(put(tar_builder{}.file("a", std::string(99, 'x')).file("b", "xy")).why().message,
            "entry \"b\" makes the package larger than 100 bytes unpacked"));
  const std::string name(255, 'n');
  x.write("one/" + name, "x");
  CHECK(x.store().put("one").ok());
  x.write("large.tar.gz", gzip(random_bytes(5000)));
  CHECK(has(x.store().put("large.tar.gz").why().message, "is larger than 4096 bytes"));
  CHECK(x.copies().size() == 3);
}

TEST_CASE_FIXTURE(package_fixture, "paths that are too long, or too deep, are refused") {
  std::string deep = "long";
  for (int i = 0; i < 5; ++i)
    deep += "/" + std::string(250, 'd');
  write(deep, "x");
  CHECK(has(refused("long").message, " bytes; allowed are 1024"));
  std::string path;
  for (int i = 0; i < 64; ++i)
    path += "d/";
  fs::create_directories(code_dir / "tree" / path);
  CHECK(store().put("tree").ok());
  write("tree/" + path + "f", "x");
  CHECK(has(store().put("tree").why().message, "is 65 folders deep; allowed are 64"));
}

TEST_CASE_FIXTURE(package_fixture, "an archive that grows beyond measure is refused before it has") {
  write("app.tar.gz", gzip(tar_builder{}.file("zeros", std::string(std::size_t{80} << 20U, '\0')).tar()));
  CHECK(has(refused().message, "unpacks to more than 200 times its size, which is the most that is allowed"));
}

TEST_CASE_FIXTURE(package_fixture, "a broken-off or damaged archive is refused") {
  const auto good = gzip(tar_builder{}.file("a", random_bytes(20'000)).tar());
  const auto refused_bytes = [&](const std::string& bytes) {
    write("app.tar.gz", bytes);
    return refused().message;
  };
  for (const auto n : {std::size_t{5}, std::size_t{11}, good.size() / 2, good.size() - 8, good.size() - 1})
    CHECK_MESSAGE(has(refused_bytes(good.substr(0, n)), "ends too early"), n);
  CHECK(has(refused_bytes(""), "is empty"));
  auto sum = good;
  sum[good.size() - 6] = static_cast<char>(~sum[good.size() - 6]);
  CHECK(has(refused_bytes(sum), "is damaged: incorrect data check"));
  auto content = good;
  content[good.size() / 2] = static_cast<char>(~content[good.size() / 2]);
  CHECK(has(refused_bytes(content), "app.tar.gz: "));
  CHECK(has(refused_bytes(good + "more"), "is damaged"));
  const auto tar = tar_builder{}.file("a", random_bytes(20'000)).tar();
  CHECK(has(refused_bytes(gzip(tar.substr(0, 10'000))), "entry \"a\" is damaged: Truncated"));
  CHECK(has(refused_bytes(gzip(tar + "something else")), "is damaged"));
  CHECK_REFUSED(tar_builder{}.claiming(100'000).file("a", "x"), "is damaged");
}

TEST_CASE_FIXTURE(package_fixture, "what is no .tar.gz is refused") {
  write("app.tar.gz", tar_builder{}.file("a").tar());
  CHECK(has(refused().message, "is no gzip file; a package is a folder or a .tar.gz"));
  write("app.tar.gz", gzip("not a tar, but long enough to be looked at" + std::string(2000, 'x')));
  CHECK(has(refused().message, "holds no tar archive"));
  write("app.tar.gz", gzip(gzip(tar_builder{}.file("a").tar())));
  CHECK(has(refused().message, "holds no tar archive"));
  CHECK_REFUSED(tar_builder{}, "app.tar.gz: it is empty; a package has at least one file");
  fs::create_directory(code_dir / "tree");
  CHECK(has(refused("tree").message, "tree: it is empty"));
}

TEST_CASE_FIXTURE(package_fixture, "on a full disk a copy is refused whole, and goes when there is room") {
  write("app.tar.gz", gzip(tar_builder{}.file("small").file("lib/large", random_bytes(300'000)).tar()));
  store();
  {
    const full_disk no_room{131'072};
    const auto why = refused();
    CHECK(why.code == errc::unavailable);
    CHECK_MESSAGE(has(why.message, "lib/large: File too large"), why.message);
  }
  CHECK(fs::file_size(put().folder / "lib/large") == 300'000);
}

TEST_CASE_FIXTURE(package_fixture, "an archive that is written while it is read is told") {
  const auto changed = [&](std::function<void()> f) {
    write("app.tar.gz", gzip(tar_builder{}.file("a", "hello").tar()));
    meddling to{std::move(f)};
    packages::intake in{{}, to};
    const library::descriptor at{::open((code_dir / "app.tar.gz").c_str(), O_RDONLY)};
    return packages::read_archive(at.get(), {}, in).changed;
  };
  CHECK(!changed([] {}));
  CHECK(changed([&] { write("app.tar.gz", "another one"); }));
  CHECK(changed([&] { std::ofstream{code_dir / "app.tar.gz", std::ios::app} << '\0'; }));
}

TEST_CASE_FIXTURE(package_fixture, "a folder in which something is written while it is read is told") {
  const auto changed = [&](std::function<void()> f) {
    fs::remove_all(code_dir / "tree");
    write("tree/a", "hello");
    write("tree/b/c", "world");
    meddling to{std::move(f)};
    packages::intake in{{}, to};
    const library::descriptor at{::open((code_dir / "tree").c_str(), O_RDONLY | O_DIRECTORY)};
    return packages::read_folder(at.get(), in).changed;
  };
  CHECK(!changed([] {}));
  CHECK(changed([&] { write("tree/a", "hello, longer"); }));
  CHECK(changed([&] { write("tree/new", ""); }));
  CHECK(changed([&] { fs::remove_all(code_dir / "tree/b"); }));
  CHECK(changed([&] { fs::rename(code_dir / "tree/b/c", code_dir / "tree/b/d"), write("tree/e", ""); }));
}
