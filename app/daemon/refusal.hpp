// Why the daemon does not do what it was asked for.
#pragma once

#include <troupe/app/config/problem.hpp>

#include <string>
#include <vector>

namespace troupe::daemon {

/// A value.
struct refusal {
  int status = 400; ///< As HTTP says it: 400, 404, 409, 412, 503.
  std::string code; ///< "invalid_config", "not_found", "revision_moved", ...
  std::string message;
  std::vector<config::problem> fields{};
};

} // namespace troupe::daemon
