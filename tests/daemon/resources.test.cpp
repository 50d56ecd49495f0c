// Resources as the operator of a real daemon sees them.
#include "daemon/daemon_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_CASE_FIXTURE(daemon_fixture, "what can never fit is told at a start that deploys it, and everything is served") {
  install("served");
  auto app = application();
  app["deployments"] = {{{"name", "front"}, {"ray_actor_options", {{"num_gpus", 2}}}}};
  must_start({config_file(json::array({app})), "--resources", "num_gpus=1"});
  CHECK_MESSAGE(contains(errors(),
                         "served/front: its replicas wait for room: each asks for 2 num_gpus, more than there "
                         "is in all (1)"),
                errors());
  CHECK(status_of("served").at("deployments").size() == 2);
}

TEST_CASE_FIXTURE(daemon_fixture,
                  "without nodes, what says on which nodes is refused: by plan, by a deploy and at a start") {
  install("served");
  auto app = application();
  app["deployments"] = {{{"name", "front"},
                         {"max_replicas_per_node", 2},
                         {"ray_actor_options", {{"label_selector", {{"zone", "a"}}}}},
                         {"placement_strategy", "pack"}}};
  const std::string why = "there are no nodes; replicas run in this process (troupe serve --cluster-address, "
                          "runtime_options::on_nodes)";
  const auto file = config_file(json::array({app}));
  CHECK_FALSE(start({file}));
  for (const auto& part :
       {"deployments[0].ray_actor_options.label_selector: {\"zone\":\"a\"} is not allowed; expected {}: " + why,
        "deployments[0].max_replicas_per_node: 2 is not allowed; expected 0 (no bound): " + why})
    CHECK_MESSAGE(contains(errors(), part), errors());
  must_start();
  const auto planned = call_api("POST", "/plan", json{{"applications", {app}}}.dump());
  CHECK(planned.status == 400);
  CHECK_MESSAGE(contains(planned.body, "applications[0].deployments[0].max_replicas_per_node"), planned.body);
  const auto refused = deploy(app);
  CHECK(refused.status == 400);
  CHECK_MESSAGE(contains(refused.body, why), refused.body);
  app["deployments"] = {{{"name", "front"}, {"placement_strategy", "pack"}}};
  CHECK(deploy(app).status == 200);
}
