// `troupe logs` over the files of a data directory.
#include "app/logs/logs_fixture.hpp"
#include "cli_world.hpp"

namespace troupe::logs_test {

using namespace troupe;
using namespace troupe::test;
using logs::channel;

namespace {

struct logs_of_two : logs_fixture {
  logs_of_two() { w.variables["TROUPE_DATA_DIR"] = folder.path().string(); }
  void write() {
    logs::writer to{asked};
    const auto a = to.open("spell", "speller", "7", 2), b = to.open("default", "rank", "1", 1);
    a->take(channel::err, "one\n");
    ms += 60'000;
    b->take(channel::out, "two\x1b[2J\n");
  }
  cli_world w;
};

} // namespace

TEST_CASE_FIXTURE(logs_of_two, "logs: all, of an application, of a deployment, of a replica") {
  write();
  const std::string one = "2026-11-27T10:00:00.000Z r2 7 err one\n",
                    two = "2026-11-27T10:01:00.000Z r1 1 out two\x1b[2J\n";
  CHECK(w.run({"logs"}).out == "spell/speller " + one + "default/rank " + two);
  CHECK(w.run({"logs", "spell"}).out == "spell/speller " + one);
  CHECK(w.run({"logs", "spell/speller"}).out == one);
  CHECK(w.run({"logs", "rank"}).out == two);
  CHECK(w.run({"logs", "rank", "--replica", "1"}).out == two);
  CHECK(w.run({"logs", "--since", "2026-11-27T10:00:30Z"}).out == "default/rank " + two);
  CHECK(w.run({"logs", "--data-dir", folder.path().string(), "rank"}).code == 0);
  w.is_terminal = true; // where it could move the cursor
  CHECK(!has(w.run({"logs", "rank"}).out, "\x1b"));
}

TEST_CASE_FIXTURE(logs_of_two, "logs: that there are none is said, and why") {
  const auto none = w.run({"logs", "speller"});
  CHECK(none.code == 1);
  CHECK(none.out.empty());
  CHECK(has(none.err, "there are no logs of speller in "));
  CHECK(has(none.err, "worker processes have logs of their own"));
  const auto bad = w.run({"logs", "--since", "yesterday"});
  CHECK(bad.code == 2);
  CHECK(has(bad.err, "--since takes a time ago (500ms, 30s, 10m, 2h, 1d) or a time as RFC 3339"));
  w.variables["TROUPE_DATA_DIR"] = (folder.path() / "gone").string();
  CHECK(has(w.run({"logs"}).err, "the logs cannot be read: "));
}

} // namespace troupe::logs_test
