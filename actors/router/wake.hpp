// The one message of the data plane: "your inbox is no longer empty".
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

namespace troupe {

/// To a replica: calls wait in its cell. Sent only when the cell's reader had gone idle (`cell::next` gave null).
/// Local.
struct wake_replica {};

/// To a caller: outcomes wait in its completion sink. Local.
struct wake_caller {};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wake_replica)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::wake_caller)
