// Says which deployments there are when somebody names one that is not.
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/error.hpp>

#include <vector>

namespace troupe::controller {

/// `unknown_deployment`: "no deployment is named "spel"; did you mean "spell"? There are: ping, spell". The guess is
/// the nearest of `known` within a third of the name's length of edits; at most 10 names are listed.
error unknown_deployment(const deployment_name& asked, const std::vector<deployment_name>& known);

} // namespace troupe::controller
