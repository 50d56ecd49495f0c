// The names of the enums, as they are shown, written to JSON and (states) fixed by SPEC 1.7.
#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/replica.hpp>
#include <troupe/messages/status.hpp>

namespace troupe {
namespace {

// Only values that did not come through a checked load get here.
template <class Enum>
std::string unknown(Enum x) {
  return "unknown(" + std::to_string(static_cast<unsigned>(x)) + ")";
}

} // namespace

std::string to_string(execution_mode x) {
  switch (x) {
  case execution_mode::pool:
    return "pool";
  case execution_mode::inlined:
    return "inline";
  case execution_mode::thread:
    return "thread";
  }
  return unknown(x);
}

std::string to_string(isolation_mode x) {
  switch (x) {
  case isolation_mode::none:
    return "none";
  case isolation_mode::process:
    return "process";
  }
  return unknown(x);
}

std::string to_string(placement_strategy x) {
  switch (x) {
  case placement_strategy::spread:
    return "spread";
  case placement_strategy::pack:
    return "pack";
  }
  return unknown(x);
}

std::string to_string(rollout_strategy x) {
  switch (x) {
  case rollout_strategy::start_first:
    return "start_first";
  case rollout_strategy::stop_first:
    return "stop_first";
  }
  return unknown(x);
}

std::string to_string(rollout_action x) {
  switch (x) {
  case rollout_action::pause:
    return "pause";
  case rollout_action::resume:
    return "resume";
  case rollout_action::promote:
    return "promote";
  case rollout_action::abort:
    return "abort";
  case rollout_action::restart:
    return "restart";
  case rollout_action::rollback:
    return "rollback";
  }
  return unknown(x);
}

std::string to_string(change_kind x) {
  switch (x) {
  case change_kind::none:
    return "none";
  case change_kind::created:
    return "created";
  case change_kind::light:
    return "light";
  case change_kind::scaled:
    return "scaled";
  case change_kind::reconfigured:
    return "reconfigured";
  case change_kind::replaced:
    return "replaced";
  }
  return unknown(x);
}

std::string to_string(stop_reason x) {
  switch (x) {
  case stop_reason::asked:
    return "asked";
  case stop_reason::start_failed:
    return "start_failed";
  case stop_reason::killed:
    return "killed";
  case stop_reason::owner_gone:
    return "owner_gone";
  }
  return unknown(x);
}

std::string to_string(deployment_state_name x) {
  switch (x) {
  case deployment_state_name::updating:
    return "UPDATING";
  case deployment_state_name::healthy:
    return "HEALTHY";
  case deployment_state_name::unhealthy:
    return "UNHEALTHY";
  case deployment_state_name::upscaling:
    return "UPSCALING";
  case deployment_state_name::downscaling:
    return "DOWNSCALING";
  case deployment_state_name::deploy_failed:
    return "DEPLOY_FAILED";
  case deployment_state_name::rolling_back:
    return "ROLLING_BACK";
  case deployment_state_name::paused:
    return "PAUSED";
  }
  return unknown(x);
}

std::string to_string(application_state_name x) {
  switch (x) {
  case application_state_name::not_started:
    return "NOT_STARTED";
  case application_state_name::deploying:
    return "DEPLOYING";
  case application_state_name::deploy_failed:
    return "DEPLOY_FAILED";
  case application_state_name::running:
    return "RUNNING";
  case application_state_name::unhealthy:
    return "UNHEALTHY";
  case application_state_name::deleting:
    return "DELETING";
  }
  return unknown(x);
}

std::string to_string(replica_state_name x) {
  switch (x) {
  case replica_state_name::starting:
    return "STARTING";
  case replica_state_name::updating:
    return "UPDATING";
  case replica_state_name::recovering:
    return "RECOVERING";
  case replica_state_name::running:
    return "RUNNING";
  case replica_state_name::stopping:
    return "STOPPING";
  case replica_state_name::stopped:
    return "STOPPED";
  case replica_state_name::pending_migration:
    return "PENDING_MIGRATION";
  }
  return unknown(x);
}

std::string to_string(rollout_reason x) {
  switch (x) {
  case rollout_reason::none:
    return "none";
  case rollout_reason::start_failed:
    return "replicas failed to start";
  case rollout_reason::progress_deadline:
    return "no progress within progress_deadline_s";
  case rollout_reason::reconfigure_failed:
    return "reconfigure failed";
  case rollout_reason::waiting_for_room:
    return "waiting for room";
  case rollout_reason::operator_pause:
    return "paused by an operator";
  case rollout_reason::canary_pause:
    return "paused after the canary";
  case rollout_reason::baking:
    return "baking";
  case rollout_reason::held_at_zero:
    return "held: scaled to 0";
  case rollout_reason::operator_abort:
    return "aborted by an operator";
  }
  return unknown(x);
}

std::string to_string(rollout_phase x) {
  switch (x) {
  case rollout_phase::complete:
    return "complete";
  case rollout_phase::rolling:
    return "rolling";
  case rollout_phase::baking:
    return "baking";
  case rollout_phase::paused:
    return "paused";
  case rollout_phase::failed:
    return "failed";
  }
  return unknown(x);
}

} // namespace troupe
