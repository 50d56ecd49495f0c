// The state of an application is the worst of its deployments'.
#include <troupe/messages/status.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

using namespace troupe;
using d = deployment_state_name;
using a = application_state_name;

application_state_name state_of(const std::vector<d>& states, std::size_t deleting = 0) {
  std::vector<deployment_status> all(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    all[i].state = states[i];
    all[i].deleting = i < deleting;
  }
  return application_state_of(all);
}

} // namespace

TEST_CASE("an application without deployments has not started") { CHECK(state_of({}) == a::not_started); }

TEST_CASE("each state of a single deployment") {
  CHECK(state_of({d::updating}) == a::deploying);
  CHECK(state_of({d::rolling_back}) == a::deploying);
  CHECK(state_of({d::paused}) == a::deploying);
  CHECK(state_of({d::healthy}) == a::running);
  CHECK(state_of({d::upscaling}) == a::running);
  CHECK(state_of({d::downscaling}) == a::running);
  CHECK(state_of({d::unhealthy}) == a::unhealthy);
  CHECK(state_of({d::deploy_failed}) == a::deploy_failed);
}

TEST_CASE("the worst deployment wins, in any order") {
  CHECK(state_of({d::healthy, d::updating}) == a::deploying);
  CHECK(state_of({d::updating, d::healthy}) == a::deploying);
  CHECK(state_of({d::updating, d::unhealthy, d::healthy}) == a::unhealthy);
  CHECK(state_of({d::unhealthy, d::deploy_failed, d::updating}) == a::deploy_failed);
}

TEST_CASE("deleting is told only when all are; a deleted one does not speak for those that stay") {
  CHECK(state_of({d::healthy, d::updating}, 2) == a::deleting);
  CHECK(state_of({d::deploy_failed, d::healthy}, 1) == a::running);
}
