// Who sends requests: actors, and a plain thread with futures.
#pragma once

#include "ledger.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <cstddef>
#include <latch>
#include <thread>

namespace spellcheck {

using speller_handle = troupe::handle<spelling(passage)>;

/// All of them, at work from construction to `stop`. Each keeps a few requests under way and sends the next page when
/// one comes back. Outlived by the actor system's runtime and the ledger.
class clients {
public:
  clients(caf::actor_system& system, const speller_handle& spellers, ledger& book, std::size_t actors);
  ~clients() { stop(); }

  /// Sends nothing more and returns when every request has its outcome. Idempotent.
  void stop();

private:
  std::atomic<bool> stopping_{false};
  std::latch actors_ended_;
  std::thread thread_;
};

} // namespace spellcheck
