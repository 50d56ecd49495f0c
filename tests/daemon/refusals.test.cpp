// `troupe serve` that cannot start: the exit code, and one sentence that says what to do.
#include "daemon/daemon_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

struct refused : daemon_fixture {
  /// Its exit code.
  int serve(std::vector<std::string> more) {
    std::vector<std::string> words{"serve",       "--data-dir",    data.string(), "--http-address",
                                   "127.0.0.1:0", "--api-address", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    run(std::move(words));
    return daemon->exit_code();
  }
  void says(const std::string& part) const { CHECK_MESSAGE(contains(errors(), part), errors()); }
};

} // namespace

TEST_CASE_FIXTURE(refused, "misuse ends with 2") {
  struct row {
    std::vector<std::string> words;
    std::string part;
  };
  for (const auto& x :
       std::vector<row>{{{"--shutdwon-delay", "1"}, "did you mean \"--shutdown-delay\"?"},
                        {{"--shutdown-timeout", "soon"}, "shutdown-timeout"},
                        {{"--http-threads", "0"}, "--http-threads takes an integer from 1 to 1024, not 0"},
                        {{"--metrics-address", "nowhere"}, "--metrics-address takes an address"},
                        {{"a.yaml", "b.yaml"}, "\"b.yaml\" is one argument too many"}}) {
    CAPTURE(x.words[0]);
    CHECK(serve(x.words) == 2);
    says(x.part);
    CHECK_FALSE(std::filesystem::exists(data)); // nothing was begun
  }
}

TEST_CASE_FIXTURE(refused, "faults of the config file are told with file, line and path, and end with 2") {
  const auto file = (folder.path() / "app.yaml").string();
  overwrite_in_place(file, "applications:\n  - name: a\n    import_path: libserved.so:app\n    deployments:\n"
                           "      - {name: front, num_replicas: many}\n      - {name: back, num_replicas: -1}\n");
  CHECK(serve({file}) == 2);
  says(file + ":5:");
  says("applications[0].deployments[0].num_replicas: \"many\" is not allowed");
  says(file + ":6:");
  overwrite_in_place(file, "applications: [\n");
  CHECK(serve({file}) == 2);
  says(file + ":");
  CHECK(serve({(folder.path() / "none.yaml").string()}) == 2);
  says("none.yaml");
}

TEST_CASE_FIXTURE(refused, "a port that is in use: which, and what to do") {
  must_start();
  const auto taken = "127.0.0.1:" + std::to_string(http);
  auto first = std::move(data);
  data = folder.path() / "other";
  std::optional<process> second;
  second.emplace(troupe_program(),
                 std::vector<std::string>{"serve", "--data-dir", data.string(), "--http-address", taken,
                                          "--api-address", "127.0.0.1:0"},
                 std::vector<std::string>{}, folder.path() / "err");
  CHECK(second->exit_code() == 1);
  says("cannot listen on " + taken + ": Address already in use; choose another one with --http-address");
  second.emplace(troupe_program(),
                 std::vector<std::string>{"serve", "--data-dir", first.string(), "--http-address", "127.0.0.1:0",
                                          "--api-address", "127.0.0.1:0"},
                 std::vector<std::string>{}, folder.path() / "err");
  CHECK(second->exit_code() == 1);
  says("is in use by another process: stop it, or choose another one with --data-dir");
}

TEST_CASE_FIXTURE(refused, "a data directory that cannot be written: which, and what to do") {
  overwrite_in_place(folder.path() / "file", "");
  const auto below = (folder.path() / "file" / "data").string();
  CHECK(serve({"--data-dir", below}) == 2); // given twice
  data = below;
  CHECK(serve({}) == 1);
  says("the data directory " + below);
  says("choose another one with --data-dir");
}

TEST_CASE_FIXTURE(refused, "an address for everybody needs --insecure") {
  CHECK(serve({"--metrics-address", "0.0.0.0:0"}) == 1);
  says("--insecure allows it");
}
