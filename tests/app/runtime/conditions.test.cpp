// What counts as healthy, failed and settled.
#include <troupe/app/runtime/conditions.hpp>

#include <doctest/doctest.h>

namespace troupe::conditions_test {

using namespace troupe;

namespace {

deployment_status healthy_of(std::uint32_t n) {
  deployment_status x;
  x.state = deployment_state_name::healthy;
  x.num_replicas = x.available = n;
  return x;
}

} // namespace

TEST_CASE("healthy is settled and has not failed") {
  const auto x = healthy_of(3);
  CHECK(is_healthy(x));
  CHECK(is_settled(x));
  CHECK(!has_failed(x));
}

TEST_CASE("what is deleted is neither healthy nor settled") {
  auto x = healthy_of(3);
  x.deleting = true;
  CHECK(!is_healthy(x));
  CHECK(!is_settled(x));
}

TEST_CASE("nothing is settled while a replica starts, reconfigures or stops") {
  for (auto field : {&deployment_status::starting, &deployment_status::reconfiguring, &deployment_status::stopping}) {
    auto x = healthy_of(3);
    x.*field = 1;
    CHECK(!is_settled(x));
  }
}

TEST_CASE("a failed rollout has failed for good when its rollback has ended") {
  auto x = healthy_of(3);
  x.state = deployment_state_name::deploy_failed;
  x.rollout.phase = rollout_phase::rolling; // rolls back
  CHECK(!has_failed(x));
  CHECK(!is_settled(x));
  x.rollout.phase = rollout_phase::complete;
  CHECK(has_failed(x));
  CHECK(is_settled(x));
  x.rollout.phase = rollout_phase::failed;
  CHECK(has_failed(x));
}

TEST_CASE("a rollout is settled only when it waits for somebody") {
  auto x = healthy_of(3);
  x.state = deployment_state_name::updating;
  x.rollout.phase = rollout_phase::baking;
  CHECK(!is_settled(x));
  x.rollout.phase = rollout_phase::paused;
  CHECK(is_settled(x));
  x.rollout.phase = rollout_phase::rolling;
  CHECK(!is_settled(x));
  x.rollout.reason = rollout_reason::waiting_for_room;
  CHECK(is_settled(x));
  x.rollout.reason = rollout_reason::held_at_zero;
  CHECK(is_settled(x));
}

TEST_CASE("lacking replicas are settled only for want of room") {
  auto x = healthy_of(3);
  x.state = deployment_state_name::upscaling;
  x.available = 2;
  CHECK(!is_settled(x));
  x.waiting_for_room = 1;
  CHECK(is_settled(x));
}

} // namespace troupe::conditions_test
