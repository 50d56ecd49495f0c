// Trials of what applications run, with a database and a runtime of their own.
#include "app/library/library_fixture.hpp"
#include <troupe/app/daemon/applications.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

struct trials_fixture {
  trials_fixture() {
    std::filesystem::create_directory(folder.path() / "lib");
    std::filesystem::copy_file(built_plugins() / "libpair.so", folder.path() / "lib" / "libpair.so");
  }

  void deploy(std::uint32_t replicas, const std::string& version) {
    const json given{{"name", "pair"},
                     {"route_prefix", nullptr},
                     {"import_path", "libpair.so:only_back"},
                     {"deployments", {{{"name", "back"}, {"num_replicas", replicas}, {"version", version}}}}};
    const auto read = config::read_application_json(given, "pair");
    REQUIRE_MESSAGE(read.ok(), config::to_string(read.errors));
    const auto done = apps.deploy(read.application, std::nullopt);
    REQUIRE_MESSAGE(done, done.refused->message);
    REQUIRE(rt.wait_until_healthy("pair/back", 60s));
  }

  daemon::trial stored() {
    REQUIRE(db.write_now({}).code == errc::none); // what was written before is stored
    return daemon::trial_from_json(db.find("trial", "pair/back"));
  }

  temporary_folder folder;
  storage::database db{folder.path() / "data"};
  library::store files{{.data_dir = folder.path() / "data", .code_dirs = {folder.path() / "lib"}}};
  library::loader code{files, {}};
  runtime rt{runtime_options{.store = {std::shared_ptr<void>{}, &db}}};
  daemon::applications apps{{.db = db,
                             .files = files,
                             .code = code,
                             .rt = rt,
                             .set_routes = [](const auto&) {},
                             .log = [](log_level, const std::string&) {}}};
};

} // namespace

TEST_CASE_FIXTURE(trials_fixture, "what is new is on trial for 30 s, and is what the next one may go back to") {
  const std::chrono::steady_clock::time_point t{};
  deploy(1, "1");
  CHECK(apps.on_trial() == std::vector<deployment_name>{{"pair", "back"}});
  CHECK(stored().before == 0);
  apps.look_at_trials(t);
  apps.look_at_trials(t + 29s);
  CHECK(stored().open);
  apps.look_at_trials(t + 30s);
  CHECK_FALSE(stored().open);
  CHECK(stored().before == 1);
  CHECK(apps.on_trial().empty());

  deploy(2, "1"); // the same, in another number
  CHECK_FALSE(stored().open);
  deploy(2, "2");
  CHECK(stored().open);
  CHECK(stored().before == 1);
  deploy(2, "3"); // before the one before has stood its trial
  CHECK(stored().before == 1);
}

TEST_CASE_FIXTURE(trials_fixture, "as long as nothing has stood its trial the base is what it may go back to") {
  deploy(1, "1");
  deploy(1, "2");
  CHECK(stored().open);
  CHECK(stored().before == 1);
}

TEST_CASE_FIXTURE(trials_fixture, "a clean stop ends the count of crashes, a removal all that was known") {
  deploy(1, "1");
  const auto before = stored();
  apps.end_well();
  CHECK(stored().since_ms >= before.since_ms);
  CHECK(stored().open);
  REQUIRE(apps.remove("pair"));
  CHECK(apps.on_trial().empty());
}
