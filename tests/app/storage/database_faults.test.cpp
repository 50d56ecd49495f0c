// The database on a disk that is full or must not be written: told, nothing acknowledged is lost, and no half of a
// change.
#include "storage_fixture.hpp"

#include <array>
#include <fixtures/full_disk.hpp>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;
using test::full_disk;

/// What `f` returns in a process without the rights of root.
std::string as_nobody(const std::function<std::string()>& f) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0)
      ::_exit(1);
    const auto text = f();
    ::_exit(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  std::size_t n = 0;
  for (ssize_t got = 0; (got = ::read(ends[0], text.data() + n, text.size() - n)) > 0;)
    n += static_cast<std::size_t>(got);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  text.resize(n);
  return text;
}

} // namespace

TEST_CASE("on a full disk a change is refused whole, and what was acknowledged stays") {
  const temporary_folder at;
  const std::string large(300'000, 'x');
  {
    database d{at.path()};
    CHECK(d.write_now({{"application", "a", 1}}).code == errc::none);
    {
      const full_disk no_room{131'072};
      const auto why = d.write_now({{"application", "a", 2}, {"application", "large", large}});
      CHECK(why.code == errc::not_stored);
      CHECK(has(why.message, "state.db: "));
      CHECK(d.read("application").at("a") == 1);
      CHECK(d.read("application").count("large") == 0);
      CHECK(d.write_now({{"application", "large", large}}).code == errc::not_stored);
    }
    // There is room again.
    CHECK(d.write_now({{"application", "a", 3}}).code == errc::none);
  }
  const database again{at.path()};
  CHECK(again.read("application").at("a") == 3);
  CHECK(again.read("application").size() == 1);
}

TEST_CASE("a disk that is full at the first start is told") {
  const temporary_folder at;
  const full_disk no_room{0};
  CHECK(has(why_unusable(at.path()), "state.db cannot be used: "));
}

TEST_CASE("a database that must not be written is told, never served without storing") {
  const temporary_folder at;
  {
    database d{at.path()};
    CHECK(d.write_now({{"application", "a", 1}}).code == errc::none);
  }
  const auto all = fs::perms::owner_all | fs::perms::group_all | fs::perms::others_all;
  const auto read = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  for (const auto& f : fs::directory_iterator{at.path()})
    fs::permissions(f, all);
  SUBCASE("the file") {
    fs::permissions(at.path(), all);
    fs::permissions(at.path() / "state.db", read);
    const auto why = as_nobody([&] { return why_unusable(at.path()); });
    CHECK_MESSAGE(has(why, "state.db is not writable: "), why);
  }
  SUBCASE("the directory") {
    fs::permissions(at.path(), read | fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec);
    fs::permissions(at.path() / "lock", read);
    const auto why = as_nobody([&] { return why_unusable(at.path()); });
    CHECK_MESSAGE(has(why, "is not writable: "), why);
  }
  fs::permissions(at.path(), all);
}

} // namespace troupe::storage
