// Trials of what applications run, with a database and a runtime of their own.
#include "app/library/library_fixture.hpp"
#include <troupe/app/daemon/applications.hpp>

#include <csignal>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

json pair_config(std::uint32_t replicas, const std::string& version) {
  return {{"name", "pair"},
          {"route_prefix", nullptr},
          {"import_path", "libpair.so:only_back"},
          {"deployments", {{{"name", "back"}, {"num_replicas", replicas}, {"version", version}}}}};
}

struct trial_files {
  trial_files() {
    std::filesystem::create_directory(folder.path() / "lib");
    std::filesystem::copy_file(built_plugins() / "libpair.so", folder.path() / "lib" / "libpair.so");
  }
  temporary_folder folder;
};

/// One process on these files.
struct trial_process {
  explicit trial_process(const std::filesystem::path& at)
      : db(at / "data"), files({.data_dir = at / "data", .code_dirs = {at / "lib"}}) {}

  void deploy(std::uint32_t replicas, const std::string& version) {
    const auto read = config::read_application_json(pair_config(replicas, version), "pair");
    REQUIRE_MESSAGE(read.ok(), config::to_string(read.errors));
    const auto done = apps.deploy(read.application, std::nullopt);
    REQUIRE_MESSAGE(done, done.refused->message);
    REQUIRE(rt.wait_until_healthy("pair/back", 60s));
  }

  daemon::trial stored() {
    REQUIRE(db.write_now({}).code == errc::none); // what was written before is stored
    return daemon::trial_from_json(db.find("trial", "pair/back"));
  }

  storage::database db;
  library::store files;
  library::loader code{files, {}};
  runtime rt{
      runtime_options{.local = resources{}.set("slots", resource_unit), .store = {std::shared_ptr<void>{}, &db}}};
  daemon::applications apps{{.db = db,
                             .files = files,
                             .code = code,
                             .rt = rt,
                             .set_routes = [](const auto&) {},
                             .log = [](log_level, const std::string&) {}}};
};

struct trials_fixture : trial_files, trial_process {
  trials_fixture() : trial_process(folder.path()) {}
};

std::vector<library::crash_record> crashes(std::size_t n, std::uint64_t revision) {
  const auto now = std::chrono::system_clock::now().time_since_epoch() / 1ms;
  library::crash_record one;
  one.unix_ms = now;
  one.signal = SIGSEGV;
  one.cause = "SIGSEGV";
  one.what = "constructor";
  one.deployment = "pair/back";
  one.revision = revision;
  return std::vector<library::crash_record>(n, one);
}

/// The documents of a change to version `v` that a crash cut off before its deployment was stored.
void begin_change(trial_process& p, const std::string& v) {
  const auto digest = p.files.put("libpair.so:only_back")->digest;
  REQUIRE(p.db.write_now({{"application",
                           "pair",
                           {{"revision", 2},
                            {"given", pair_config(1, v)},
                            {"digest", digest},
                            {"deployed_at_s", 0},
                            {"failure", ""},
                            {"ingress", ""},
                            {"deleting", false},
                            {"deployments", {"back"}},
                            {"finished", false}}},
                          {"trial", "pair/back", daemon::to_json(daemon::trial{"the new one", true, 0, 0, ""})}})
              .code == errc::none);
}

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

TEST_CASE_FIXTURE(trials_fixture, "replicas that wait for room keep no trial open; with none at all it stays open") {
  auto wish = pair_config(3, "1");
  const auto deploy_wish = [&](const char* asks) {
    wish["deployments"][0]["ray_actor_options"] = {{"resources", {{asks, 1}}}};
    const auto read = config::read_application_json(wish, "pair");
    REQUIRE_MESSAGE(read.ok(), config::to_string(read.errors));
    REQUIRE(apps.deploy(read.application, std::nullopt));
  };
  const auto waits = [&](std::uint32_t available) {
    return rt.wait_until(
        "pair/back", [=](const auto& s) { return s.available == available && s.waiting_for_room == 3 - available; },
        60s);
  };
  const std::chrono::steady_clock::time_point t{};
  SUBCASE("room for one of three") {
    deploy_wish("slots");
    REQUIRE(waits(1));
    REQUIRE(rt.wait_until_settled("pair/back", 60s));
    apps.look_at_trials(t);
    apps.look_at_trials(t + 30s);
    CHECK_FALSE(stored().open);
    CHECK(stored().before == 1);
  }
  SUBCASE("room for none") {
    deploy_wish("other_slots");
    REQUIRE(waits(0));
    apps.look_at_trials(t);
    apps.look_at_trials(t + 30s);
    CHECK(stored().open);
  }
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

TEST_CASE("a first version that crashes before anything of it is stored is quarantined by two records, too") {
  trial_files f;
  trial_process p{f.folder.path()};
  begin_change(p, "1");
  SUBCASE("one is not enough: the change is finished") {
    p.apps.restore(crashes(1, 1));
    CHECK(p.rt.wait_until_healthy("pair/back", 60s));
    CHECK(p.apps.facts().at(0).failure.empty());
  }
  SUBCASE("two are") {
    p.apps.restore(crashes(2, 1));
    CHECK_THROWS_AS(p.rt.status("pair/back"), command_failed);
    CHECK(p.apps.facts().at(0).failure.starts_with("pair/back: R1 is quarantined: the process ended 2 times"));
    CHECK(p.apps.on_trial().empty());
    // A deploy by a person tries it again.
    p.deploy(1, "1");
    CHECK(p.stored().open);
    CHECK(p.apps.facts().at(0).failure.empty());
  }
}

TEST_CASE("a new version that crashes before anything of it is stored leaves what is stored running") {
  trial_files f;
  {
    trial_process before{f.folder.path()};
    before.deploy(1, "1");
    before.db.freeze();
  }
  trial_process p{f.folder.path()};
  begin_change(p, "2");
  p.apps.restore(crashes(2, 2));
  REQUIRE(p.rt.wait_until_healthy("pair/back", 60s));
  CHECK(p.rt.config("pair/back").version == "1");
  CHECK(p.apps.facts().at(0).failure.starts_with("pair/back: rolled back to R1: R2 is quarantined"));
  CHECK_FALSE(p.stored().open);
  p.db.freeze();
}
