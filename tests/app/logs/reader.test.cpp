// Logs of several replicas, read in order of time and while they are written.
#include "logs_fixture.hpp"

#include <thread>
#include <unistd.h>
#include <utility>

using namespace troupe;
using namespace troupe::test;
using logs::channel;

namespace {

std::vector<std::string> texts(const std::vector<std::string>& lines) {
  std::vector<std::string> out;
  for (const auto& x : lines)
    out.push_back(x.substr(x.rfind(' ') + 1));
  return out;
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE_FIXTURE(logs_fixture, "replicas are merged by time; a query names what is read") {
  logs::writer w{asked};
  const auto a = w.open("app", "dep", "1", 1), b = w.open("app", "dep", "2", 1), c = w.open("app", "other", "3", 1),
             d = w.open("app2", "dep", "4", 1);
  for (int i = 0; i < 3; ++i)
    for (const auto& [log, name] : {std::pair{&a, "a"}, {&b, "b"}, {&c, "c"}, {&d, "d"}}) {
      ms += 1;
      (*log)->take(channel::out, name + std::to_string(i) + "\n");
    }
  w.flush();
  const auto read = [&](logs::query q) {
    logs::reader r{std::move(q)};
    return texts(logs_fixture::lines_of(r));
  };
  auto q = all();
  CHECK(read(q) == list{"a0", "b0", "c0", "d0", "a1", "b1", "c1", "d1", "a2", "b2", "c2", "d2"});
  q.application = "app";
  CHECK(read(q) == list{"a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"});
  q.deployment = "dep";
  CHECK(read(q) == list{"a0", "b0", "a1", "b1", "a2", "b2"});
  q.since = "2026-11-27T10:00:00.006Z"; // of b1
  CHECK(read(q) == list{"b1", "a2", "b2"});
  q.replica = "2";
  CHECK(read(q) == list{"b1", "b2"});
  q.replica = "9";
  CHECK(read(q).empty());
}

TEST_CASE("rotated files are read from the oldest on, and rotation between two looks loses nothing that is kept") {
  logs::options o;
  o.file_bytes = 100; // two lines
  o.files = 4;
  logs_fixture f{o};
  logs::writer w{f.asked};
  const auto x = w.open("app", "dep", "1", 1);
  const auto print = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      f.ms += 1;
      x->take(channel::out, std::to_string(i) + "\n");
    }
    w.flush();
  };
  print(100, 105);
  logs::reader r{f.all()};
  CHECK(texts(logs_fixture::lines_of(r)) == list{"100", "101", "102", "103", "104"});
  CHECK(logs_fixture::lines_of(r).empty());
  print(105, 106); // into the same file
  CHECK(texts(logs_fixture::lines_of(r)) == list{"105"});
  print(106, 111); // the one that was read is .2 or .3 now
  CHECK(texts(logs_fixture::lines_of(r)) == list{"106", "107", "108", "109", "110"});
  print(111, 131); // it is gone, but held open
  const auto rest = texts(logs_fixture::lines_of(r));
  CHECK(rest.front() == "111");
  CHECK(rest.back() == "130");
}

TEST_CASE_FIXTURE(logs_fixture, "a part of a line waits for the rest, and lines of another make do") {
  std::filesystem::create_directories(file().parent_path());
  std::ofstream out{file()};
  out << "2026-11-27T10:00:00.000Z r1 1 out whole\n2026-11-27T10:00:00.001Z r1 1 out par" << std::flush;
  logs::reader r{all()};
  CHECK(texts(logs_fixture::lines_of(r)) == list{"whole"});
  out << "tial\n\nodd\n" << std::flush;
  CHECK(texts(logs_fixture::lines_of(r)) == list{"partial", "", "odd"});
}

TEST_CASE_FIXTURE(logs_fixture,
                  "who follows is woken by what is written, the first log and a new deployment included") {
  logs::reader r{all()};
  CHECK(logs_fixture::lines_of(r).empty());
  logs::writer w{asked};
  std::vector<std::unique_ptr<logs::worker_log>> open;
  const auto follow = [&](const std::string& deployment, const std::string& replica) {
    open.push_back(w.open("app", deployment, replica, 1));
    list got;
    std::thread writer{[&] {
      open.back()->take(channel::out, deployment + replica + "\n");
      w.flush();
    }};
    while (got.empty()) {
      REQUIRE(r.wait());
      got = texts(logs_fixture::lines_of(r));
    }
    writer.join();
    CHECK(got == list{deployment + replica});
  };
  follow("dep", "1");
  follow("dep", "2");
  follow("other", "3");
  open[0]->take(channel::out, "more\n");
  w.flush();
  REQUIRE(r.wait());
  CHECK(texts(logs_fixture::lines_of(r)) == list{"more"});
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  CHECK(!r.wait(ends[0]));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a data directory that is not there is told") {
  CHECK_THROWS_WITH_AS(logs::reader{logs::query{.data_dir = "/nowhere/at/all"}},
                       doctest::Contains("/nowhere/at/all: No such file or directory"), std::system_error);
}

TEST_CASE("--since takes a time ago or RFC 3339") {
  using namespace std::chrono;
  const logs::time_point now{milliseconds{1'795'773'600'000}};
  const auto of = [&](const char* text) {
    const auto x = logs::parse_since(text, now);
    return x ? logs::time_text(*x) : "none";
  };
  CHECK(of("0s") == "2026-11-27T10:00:00.000Z");
  CHECK(of("250ms") == "2026-11-27T09:59:59.750Z");
  CHECK(of("90s") == "2026-11-27T09:58:30.000Z");
  CHECK(of("10m") == "2026-11-27T09:50:00.000Z");
  CHECK(of("2h") == "2026-11-27T08:00:00.000Z");
  CHECK(of("1d") == "2026-11-26T10:00:00.000Z");
  CHECK(of("2026-11-27T10:00:00Z") == "2026-11-27T10:00:00.000Z");
  CHECK(of("2026-11-27t10:00:00.1239z") == "2026-11-27T10:00:00.123Z");
  CHECK(of("2026-11-27 10:00:00+01:30") == "2026-11-27T08:30:00.000Z");
  CHECK(of("2026-11-27T10:00:00-08:00") == "2026-11-27T18:00:00.000Z");
  for (const auto* bad : {"", "10", "m", "-5s", "5 m", "1w", "99999999999s", "2026-13-01T00:00:00Z",
                          "2026-02-30T00:00:00Z", "2026-11-27T24:00:00Z", "2026-11-27T10:00:00", "2026-11-27",
                          "2026-11-27T10:00:00.Z", "2026-11-27T10:00:00Zx", "2026-11-27T10:00:00+0100"})
    CHECK_MESSAGE(of(bad) == std::string{"none"}, bad);
}
