// The daemon's durable documents: what survives, and what is told when they cannot be used.
#include "storage_fixture.hpp"
#include <troupe/app/storage/sqlite.hpp>

#include <array>
#include <fstream>
#include <future>
#include <latch>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

using test::overwrite_in_place;

} // namespace

TEST_CASE("what was acknowledged is there when the database is opened again") {
  const temporary_folder at;
  {
    database d{at.path() / "deep" / "down"};
    CHECK(d.write_now({{"application", "a", {{"n", 1}}}, {"application", "b", {{"n", 2}}}}).code == errc::none);
    CHECK(d.write_now({{"application", "a", nullptr}, {"application", "b", {{"n", 3}}}}).code == errc::none);
    CHECK(d.read("application").at("b").at("n") == 3);
  }
  database again{at.path() / "deep" / "down"};
  CHECK(again.read("application").size() == 1);
  CHECK(again.read("application").at("b").at("n") == 3);
  CHECK(again.read("nothing").empty());
}

TEST_CASE("changes that wait together are stored in their order") {
  const temporary_folder at;
  {
    database d{at.path()};
    for (int i = 0; i < 500; ++i)
      d.write({{"counter", "c", i}}, nullptr);
  }
  CHECK(database{at.path()}.read("counter").at("c") == 499);
}

TEST_CASE("a change that cannot be stored takes none of those down that waited with it") {
  const temporary_folder at;
  database d{at.path()};
  sqlite other{(at.path() / "state.db").string()};
  other.run(
      "CREATE TRIGGER refuse BEFORE INSERT ON documents WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
  std::latch go{1};
  d.write({{"application", "first", {{"n", 1}}}}, [&](const error&) { go.wait(); }); // holds the writing thread
  std::array<std::promise<error>, 3> told;
  const std::array keys{"good", "bad", "better"};
  for (std::size_t i = 0; i < keys.size(); ++i)
    d.write({{"application", keys.at(i), {{"n", i}}}}, [&told, i](error why) { told.at(i).set_value(std::move(why)); });
  go.count_down();
  CHECK(told[0].get_future().get().code == errc::none);
  CHECK(told[1].get_future().get().code == errc::not_stored);
  CHECK(told[2].get_future().get().code == errc::none);
  CHECK(d.read("application").size() == 3);
  CHECK_FALSE(d.read("application").contains("bad"));
}

TEST_CASE("a frozen database acknowledges and changes nothing") {
  const temporary_folder at;
  {
    database d{at.path()};
    d.write_now({{"application", "a", 1}});
    d.freeze();
    CHECK(d.write_now({{"application", "a", nullptr}}).code == errc::none);
  }
  CHECK(database{at.path()}.read("application").count("a") == 1);
}

TEST_CASE("a second process on the same directory is refused") {
  const temporary_folder at;
  const database first{at.path()};
  CHECK(has(why_unusable(at.path()), "in use by another process"));
}

TEST_CASE("a damaged, truncated, emptied or vanished database is an error, never a silent empty start") {
  const temporary_folder at;
  const auto file = at.path() / "state.db";
  {
    database d{at.path()};
    for (int i = 0; i < 200; ++i)
      d.write({{"application", std::to_string(i), std::string(500, 'x')}}, nullptr);
  }
  SUBCASE("not a database") {
    overwrite_in_place(file, std::string(4096, '#'));
    CHECK(has(why_unusable(at.path()), "state.db is damaged"));
  }
  SUBCASE("cut in the middle") {
    fs::resize_file(file, fs::file_size(file) / 2);
    CHECK(has(why_unusable(at.path()), "state.db is damaged"));
  }
  SUBCASE("emptied") {
    overwrite_in_place(file, "");
    CHECK(has(why_unusable(at.path()), "missing or empty although it was made before"));
  }
  SUBCASE("vanished") {
    fs::remove(file);
    CHECK(has(why_unusable(at.path()), "missing or empty although it was made before"));
  }
  SUBCASE("pages overwritten") {
    std::fstream f{file, std::ios::in | std::ios::out | std::ios::binary};
    f.seekp(4096);
    f << std::string(8192, '\x5a');
    f.close();
    CHECK(has(why_unusable(at.path()), "damaged"));
  }
}

TEST_CASE("a database of a newer release is refused") {
  const temporary_folder at;
  { const database d{at.path()}; }
  sqlite{(at.path() / "state.db").string()}.run("PRAGMA user_version=99");
  CHECK(has(why_unusable(at.path()), "was written by a newer release"));
}

TEST_CASE("a directory that cannot be written is told with its name") {
  const temporary_folder at;
  overwrite_in_place(at.path() / "file", "x");
  CHECK(has(why_unusable(at.path() / "file" / "below"), "cannot be made"));
}

} // namespace troupe::storage
