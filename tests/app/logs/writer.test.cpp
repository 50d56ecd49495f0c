// What becomes of the bytes that workers print.
#include "logs_fixture.hpp"

#include <algorithm>
#include <fixtures/full_disk.hpp>
#include <sys/stat.h>

using namespace troupe;
using namespace troupe::test;
using logs::channel;

namespace {

std::uint64_t lines_in(const std::string& x) {
  return static_cast<std::uint64_t>(std::count(x.begin(), x.end(), '\n'));
}

} // namespace

TEST_CASE_FIXTURE(logs_fixture, "lines come in any pieces and are written with time, revision, replica and stream") {
  logs::writer w{asked};
  const auto x = w.open("app", "dep", "1", 7);
  for (const char c : std::string{"hello\nwor"})
    x->take(channel::out, {&c, 1});
  x->take(channel::err, "bad\r\n\n");
  ms += 5;
  x->take(channel::out, "ld\nand the last");
  w.flush();
  CHECK(text() == "2026-11-27T10:00:00.000Z r7 1 out hello\n"
                  "2026-11-27T10:00:00.000Z r7 1 err bad\n"
                  "2026-11-27T10:00:00.000Z r7 1 err \n"
                  "2026-11-27T10:00:00.005Z r7 1 out world\n");
  x->end();
  x->end();
  w.flush();
  CHECK(text().ends_with(".005Z r7 1 out and the last\n"));
  CHECK(lines_in(text()) == 5);
  struct stat about {};
  REQUIRE(::stat(file().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777U) == 0600);
  // The next run of the same replica goes on.
  w.open("app", "dep", "1", 8)->take(channel::out, "again\n");
  w.flush();
  CHECK(lines_in(text()) == 6);
}

TEST_CASE_FIXTURE(logs_fixture, "names of files are safe for every name, and differ for different ones") {
  CHECK(logs::file_name_of("spell_checker-1.2") == "spell_checker-1.2");
  CHECK(logs::file_name_of("..") == "%2e.");
  CHECK(logs::file_name_of("a b%") == "a%20b%25");
  CHECK(logs::file_name_of("gr\xc3\xbc") == "gr%c3%bc");
  const std::string name(128, ' ');
  CHECK(logs::file_name_of(name).size() == 200);
  CHECK(logs::file_name_of(name) != logs::file_name_of(name + " "));
  logs::writer w{asked};
  w.open("../x", "a/b", "..", 1)->take(channel::out, "x\n");
  w.flush();
  CHECK(std::filesystem::exists(folder.path() / "logs/%2e.%2fx/a%2fb/%2e..log"));
}

TEST_CASE_FIXTURE(logs_fixture, "bytes that are no UTF-8 are replaced, long lines are split between characters") {
  logs::writer w{asked};
  const auto x = w.open("app", "dep", "1", 1);
  x->take(channel::out, "a\xff"
                        "b\xc3\n");
  const std::string umlauts = [] {
    std::string out = "x"; // so that the bound is within a character
    while (out.size() < 3 * logs::max_line_bytes)
      out += "\xc3\xbc";
    return out;
  }();
  x->take(channel::err, umlauts + "\n" + std::string(logs::max_line_bytes, 'y') + "\n");
  w.flush();
  const auto all = text();
  CHECK(has(all, "out a\xef\xbf\xbd"
                 "b\xef\xbf\xbd\n"));
  CHECK(lines_in(all) == 1 + 4 + 1);
  CHECK(!has(all.substr(60), "\xef\xbf\xbd"));
  CHECK(has(all, "err " + std::string(logs::max_line_bytes, 'y') + "\n"));
}

TEST_CASE_FIXTURE(logs_fixture, "a line without an end does not grow in memory") {
  logs::writer w{asked};
  const auto x = w.open("app", "dep", "1", 1);
  for (int i = 0; i < 64; ++i)
    x->take(channel::out, std::string(10'000, 'x'));
  w.flush();
  CHECK(lines_in(text()) == 640'000 / logs::max_line_bytes);
}

TEST_CASE_FIXTURE(logs_fixture, "lines are written as they may be shown, also those that came in pieces") {
  asked.shown = [](std::string lines) {
    for (auto at = lines.find("secret"); at != std::string::npos; at = lines.find("secret"))
      lines.replace(at, 6, "[mask]");
    return lines;
  };
  {
    logs::writer w{asked};
    const auto x = w.open("app", "dep", "1", 1);
    x->take(channel::err, "a sec");
    x->take(channel::err, "ret\nand no other secret");
  }
  CHECK(text().find("secret") == std::string::npos);
  CHECK(text().find("err a [mask]\n") != std::string::npos);
  CHECK(text().find("err and no other [mask]\n") != std::string::npos);
}

TEST_CASE_FIXTURE(logs_fixture, "files of many replicas are bounded by their number, too") {
  asked.deployment_files = 5;
  {
    logs::writer w{asked};
    for (int i = 0; i < 30; ++i)
      w.open("app", "dep", std::to_string(i), 1)->take(channel::out, "hello\n");
  }
  std::size_t n = 0;
  for (const auto& x : std::filesystem::recursive_directory_iterator{logs::root_of(asked.data_dir)})
    n += x.is_regular_file() ? 1U : 0U;
  CHECK(n <= 6); // one was being written
  CHECK(n > 0);
}

TEST_CASE("a file is rotated at its bound, and only so many are kept") {
  logs::options o;
  o.file_bytes = 100; // two lines of 42 bytes
  o.files = 3;
  logs_fixture f{o};
  logs::writer w{f.asked};
  const auto x = w.open("app", "dep", "1", 1);
  for (int i = 10; i < 20; ++i)
    x->take(channel::out, "line " + std::to_string(i) + "\n");
  w.flush();
  CHECK(has(f.text("1"), "line 18"));
  CHECK(has(f.text("1"), "line 19"));
  CHECK(has(f.text("1", ".1"), "line 16"));
  CHECK(has(f.text("1", ".2"), "line 14"));
  CHECK(!std::filesystem::exists(f.file("1", ".3")));
  for (const auto* more : {"", ".1", ".2"})
    CHECK(f.text("1", more).size() <= 100);
}

TEST_CASE("a line that is longer than a file is written all the same, alone") {
  logs::options o;
  o.file_bytes = 50;
  logs_fixture f{o};
  logs::writer w{f.asked};
  const auto x = w.open("app", "dep", "1", 1);
  x->take(channel::out, "a\n" + std::string(200, 'x') + "\nb\n");
  w.flush();
  CHECK(has(f.text("1"), "out b\n"));
  CHECK(has(f.text("1", ".1"), "xxx\n"));
  CHECK(lines_in(f.text("1", ".1")) == 1);
}

TEST_CASE("all files of a deployment together stay within their bound, the oldest go first") {
  logs::options o;
  o.file_bytes = 1000;
  o.files = 2;
  o.deployment_bytes = 5000;
  logs_fixture f{o};
  logs::writer w{f.asked};
  std::uint64_t most = 0;
  for (int replica = 0; replica < 20; ++replica) {
    const auto x = w.open("app", "dep", std::to_string(replica), 1);
    for (int i = 0; i < 40; ++i)
      x->take(channel::out, "line " + std::to_string(i) + "\n");
    x->end();
    w.flush();
    most = std::max(most, f.bytes_on_disk());
  }
  CHECK(most <= 5000);
  CHECK(most > 3000);
  CHECK(!std::filesystem::exists(f.file("0")));
  CHECK(has(f.text("19"), "line 39"));
  // Also when all of them are written.
  std::vector<std::unique_ptr<logs::worker_log>> all;
  for (int replica = 0; replica < 8; ++replica)
    all.push_back(w.open("app", "dep", "w" + std::to_string(replica), 1));
  for (int i = 0; i < 200; ++i)
    for (const auto& x : all)
      x->take(channel::out, "line " + std::to_string(i) + "\n");
  w.flush();
  CHECK(f.bytes_on_disk() <= 5000 + 1000);
}

TEST_CASE("ten thousand lines a second stay bounded on the disk and in memory") {
  logs::options o;
  o.file_bytes = 100'000;
  o.files = 2;
  o.waiting_bytes = 50'000;
  logs_fixture f{o};
  logs::writer w{f.asked};
  const auto x = w.open("app", "dep", "1", 1);
  std::string second;
  for (int i = 0; i < 10'000; ++i)
    second += "an error, number " + std::to_string(i) + "\n";
  for (int i = 0; i < 5; ++i) { // as fast as it goes
    x->take(channel::err, second);
    CHECK(f.bytes_on_disk() <= 300'000);
  }
  x->end();
  w.flush();
  CHECK(f.bytes_on_disk() <= 200'000);
  CHECK(x->lost() < 50'000);
}

TEST_CASE("lines beyond what may wait are lost, and told where the log goes on") {
  logs::options o;
  o.waiting_bytes = 100;
  logs_fixture f{o};
  logs::writer w{f.asked};
  const auto x = w.open("app", "dep", "1", 1);
  x->take(channel::out, std::string(200, 'x') + "\n");
  w.flush();
  CHECK(x->lost() == 1);
  CHECK(f.text() == "2026-11-27T10:00:00.000Z r1 1 err troupe: 1 line was lost: they came faster than they could be "
                    "written\n");
  x->take(channel::out, "more\n");
  w.flush();
  CHECK(f.text().ends_with("out more\n"));
}

TEST_CASE_FIXTURE(logs_fixture, "on a full disk lines are counted as lost, and this is told when there is room again") {
  logs::writer w{asked};
  const auto x = w.open("app", "dep", "1", 1);
  x->take(channel::out, "before\n");
  w.flush();
  {
    const full_disk no_room{50};
    for (int i = 0; i < 3; ++i) {
      x->take(channel::out, "gone " + std::to_string(i) + "\n");
      w.flush();
    }
    CHECK(x->lost() == 3);
  }
  CHECK(lines_in(text()) == 1);
  CHECK(text().ends_with('\n')); // no part of a line
  x->take(channel::out, "after\n");
  w.flush();
  CHECK(text().ends_with("out after\n2026-11-27T10:00:00.000Z r1 1 err troupe: 3 lines were lost: File too large\n"));
  x->take(channel::out, "more\n");
  w.flush();
  CHECK(text().ends_with("out more\n"));
}

TEST_CASE_FIXTURE(logs_fixture, "a log that outlives its writer loses what comes") {
  std::unique_ptr<logs::worker_log> x;
  {
    logs::writer w{asked};
    x = w.open("app", "dep", "1", 1);
    x->take(channel::out, "written at the end\n");
  }
  CHECK(lines_in(text()) == 1);
  x->take(channel::err, "too late\n");
  x->end();
  CHECK(lines_in(text()) == 1);
}
