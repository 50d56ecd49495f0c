// The state of an application from those of its deployments.
#include <troupe/messages/status.hpp>

#include <algorithm>

namespace troupe {
namespace {

// A deployment that only changes its number serves as before: as in Ray, its application is RUNNING.
application_state_name seen_from_above(deployment_state_name x) {
  switch (x) {
  case deployment_state_name::updating:
  case deployment_state_name::rolling_back:
  case deployment_state_name::paused:
    return application_state_name::deploying;
  case deployment_state_name::healthy:
  case deployment_state_name::upscaling:
  case deployment_state_name::downscaling:
    return application_state_name::running;
  case deployment_state_name::unhealthy:
    return application_state_name::unhealthy;
  case deployment_state_name::deploy_failed:
    return application_state_name::deploy_failed;
  }
  return application_state_name::unhealthy;
}

int badness(application_state_name x) {
  switch (x) {
  case application_state_name::not_started:
  case application_state_name::deleting:
    return 0;
  case application_state_name::running:
    return 1;
  case application_state_name::deploying:
    return 2;
  case application_state_name::unhealthy:
    return 3;
  case application_state_name::deploy_failed:
    return 4;
  }
  return 0;
}

} // namespace

application_state_name application_state_of(const std::vector<deployment_status>& deployments) {
  if (deployments.empty())
    return application_state_name::not_started;
  auto worst = application_state_name::deleting; // what is deleted does not speak for those that stay
  for (const auto& d : deployments)
    if (const auto state = seen_from_above(d.state); !d.deleting && badness(state) > badness(worst))
      worst = state;
  return worst;
}

} // namespace troupe
