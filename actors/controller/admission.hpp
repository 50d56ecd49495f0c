// Decides whether a deploy may be accepted: the spec by itself, and what the spec asks of the code.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/validation.hpp>

#include <vector>

namespace troupe::controller {

/// All bad fields; empty when it may be deployed. Beyond `validate`: there must be code, a `user_config` needs a
/// `reconfigure`, and `init_args` a constructor that takes them. Pure.
std::vector<field_error> problems_of(const deploy_deployment& wish);

} // namespace troupe::controller
