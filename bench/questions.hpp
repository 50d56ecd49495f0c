// One function per question of SPEC section 8; each adds its lines to the suite.
#pragma once

#include "harness.hpp"

#include <string>

namespace troupe::bench {

void add_call_handle(suite& to); ///< From an actor through a handle, against a request to a bare actor.
void add_call_future(suite& to); ///< From a plain thread, against Asio.
void add_rollout(suite& to);     ///< Against spawning and stopping bare actors.
void add_reconfigure(suite& to); ///< Against one-way questions and answers.
void add_memory(suite& to);      ///< An idle replica against an idle bare actor.
void add_http(suite& to);        ///< Through the ingress, against nginx and a textbook Beast server.
void add_worker(suite& to);      ///< In worker processes, against bare actors in another process.
void add_node(suite& to);        ///< On nodes, against the same and against bytes over TCP; when one is killed.
void add_idle(suite& to);        ///< What 10,000 replicas cost while nothing happens.
void add_placement(suite& to);   ///< Finding nodes and seats for 10,000 replicas, against a set that is kept in order.

/// "1k", "100k", "1M"; 16 stays "16".
inline std::string short_number(unsigned n) {
  if (n >= 1'000'000 && n % 1'000'000 == 0)
    return std::to_string(n / 1'000'000) + "M";
  if (n >= 1'000 && n % 1'000 == 0)
    return std::to_string(n / 1'000) + "k";
  return std::to_string(n);
}

} // namespace troupe::bench
