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
