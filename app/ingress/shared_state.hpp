// Private to app/ingress/: what the threads of an ingress share.
#pragma once

#include <troupe/app/ingress/counters.hpp>
#include <troupe/app/ingress/options.hpp>
#include <troupe/app/ingress/route_table.hpp>

#include <caf/fwd.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::ingress {

/// Routes are replaced as a whole: a thread looks at the version with each request, and at the mutex only when it has
/// changed.
struct shared_state {
  shared_state(caf::actor_system& sys, options own) : system(sys), opts(std::move(own)) {}

  caf::actor_system& system;
  const options opts;

  std::mutex mutex;
  std::shared_ptr<const route_table> routes = std::make_shared<route_table>();
  std::vector<std::shared_ptr<thread_counters>> counters; ///< Of all threads.
  std::atomic<std::uint64_t> version{0};                  ///< Of the routes; 0: there never were any.
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};
};

} // namespace troupe::ingress
