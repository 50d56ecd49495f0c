// What one usually waits for, as predicates on a status.
#pragma once

#include <troupe/messages/status.hpp>

namespace troupe {

/// HEALTHY: all replicas are of the target and available.
bool is_healthy(const deployment_status& x);

/// The rollout towards the target has failed, and no rollback is under way any more.
bool has_failed(const deployment_status& x);

/// Nothing moves by itself any more: HEALTHY, failed, paused, held at 0, or waiting for room; nothing starts or stops.
bool is_settled(const deployment_status& x);

} // namespace troupe
