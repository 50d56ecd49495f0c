// A disk that takes nothing for a while: told, and made good when it takes writes again.
#include "worker.hpp"
#include <troupe/testing/simulated_store.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::simulation_tests;
using namespace std::chrono_literals;

namespace {

struct full_disk_world {
  full_disk_world() {
    disk = std::make_shared<testing::simulated_store>(1);
    sim = std::make_unique<simulation>(testing::simulation_options{.store = disk});
    seen.attach(*sim);
    disk->attach(*sim, 5ms);
    seen.add_deployment("a");
  }
  ~full_disk_world() {
    disk->crash();
    sim.reset();
  }
  full_disk_world(const full_disk_world&) = delete;
  full_disk_world& operator=(const full_disk_world&) = delete;

  template <class Answer, class Question>
  errc ask(Question question, std::function<void(const Answer&)> look = {}) {
    std::optional<errc> code;
    sim->ask<Answer>(std::move(question), [&](Answer* answer, const error& why) {
      code = why.code;
      if (answer && look)
        look(*answer);
    });
    for (int i = 0; i < 10'000 && !code && sim->step(); ++i) {
    }
    REQUIRE(code);
    return *code;
  }
  std::string status_message() {
    std::string message;
    CHECK(ask<deployment_status>(get_deployment{a}, [&](const deployment_status& s) { message = s.message; }) ==
          errc::none);
    return message;
  }
  errc deploy(const std::string& version) {
    deployment_spec spec;
    spec.name = "a";
    spec.version = version;
    return ask<command_result>(deploy_deployment{spec, {"worker", worker_code(seen)}});
  }

  books seen;
  std::shared_ptr<testing::simulated_store> disk;
  std::unique_ptr<simulation> sim;
  const deployment_name a{"default", "a"};
};

} // namespace

TEST_CASE("a first deploy that cannot be stored runs, refuses further changes, and is stored when there is room") {
  full_disk_world w;
  w.disk->failing_writes(1000);
  CHECK(w.deploy("v1") == errc::not_stored);
  CHECK(w.status_message() == "what runs is not stored, it is tried again: the disk is full");
  CHECK(w.ask<command_result>(scale_deployment{w.a, 3}) == errc::unavailable);
  CHECK(w.deploy("v2") == errc::unavailable);
  CHECK(w.disk->durable().empty());
  w.disk->failing_writes(0);
  w.sim->advance(2s);
  CHECK(w.disk->durable().at(w.a).target == 1);
  CHECK(w.status_message().empty());
  CHECK(w.ask<command_result>(scale_deployment{w.a, 3}) == errc::none);
  CHECK(w.disk->durable().at(w.a).num_replicas == 3);
}

TEST_CASE("a delete that cannot be stored is not acknowledged, and is stored when there is room") {
  full_disk_world w;
  REQUIRE(w.deploy("v1") == errc::none);
  w.sim->advance(1s);
  w.disk->failing_writes(1000);
  CHECK(w.ask<removed_deployment>(delete_deployment{w.a}) == errc::not_stored);
  CHECK(w.disk->durable().count(w.a) == 1);
  w.disk->failing_writes(0);
  w.sim->advance(2s);
  CHECK(w.disk->durable().empty());
  CHECK(w.ask<deployment_status>(get_deployment{w.a}) == errc::unknown_deployment);
}
