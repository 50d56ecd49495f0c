// Calls into another process: through a handle, to a bare actor over CAF's own network layer, as bytes over TCP.
#pragma once

#include "harness.hpp"
#include "outside.hpp"

#include <string>
#include <vector>

namespace caf {
class actor_system_config;
}

namespace troupe::bench {

struct calls_of {
  unsigned window = 1; ///< Calls that are kept open.
  unsigned warm_up = 0;
  unsigned calls = 0;
};
calls_of calls_of_window(unsigned window, bool quick);

// Calls per second.
sample call_outside(calls_of what, const std::string& policy, outside::where replicas);
sample call_bare_remote(calls_of what, const std::string& policy);
/// One after the other; the same eight bytes there and back.
sample call_tcp(calls_of what);

/// What a bare actor that is asked by others needs of its system.
void set_remote(caf::actor_system_config& config, const std::string& policy);
/// What starts `serve_bare_actor`.
std::vector<std::string> bare_actor_program(const std::string& policy);

/// For windows of 1, 64 and 1000.
void add_remote_calls(suite& to, const std::string& name, outside::where replicas);

} // namespace troupe::bench
