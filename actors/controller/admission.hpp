// Decides whether a deploy may be accepted: the spec by itself, and what the spec asks of the code.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/validation.hpp>

#include <vector>

namespace troupe::controller {

/// All bad fields; empty when it may be deployed. Beyond `validate`: there must be code, a `user_config` needs a
/// `reconfigure`, and `init_args` a constructor that takes them; without nodes (`on_nodes`) also `placement_problems`.
/// Pure.
std::vector<field_error> problems_of(const deploy_deployment& wish, bool on_nodes = false);

/// Options that say on which nodes, for who has none: labels and a bound per node would not be kept. A strategy is
/// taken and means nothing. Pure.
std::vector<field_error> placement_problems(const placement_options& where);

} // namespace troupe::controller
