// The actor of a worker process that starts replicas and brings them their requests.
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/messages/worker.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace troupe::worker {

/// Replicas of one host, or of several. Thread-safe.
using replica_count = std::atomic<std::uint32_t>;

/// `on_end` is called once, by `end_worker`. `count` has those that were started and not dropped; may be null.
worker_host_actor spawn_worker_host(std::shared_ptr<const control::environment> env, library::application_code code,
                                    std::function<void()> on_end, std::shared_ptr<replica_count> count = nullptr);

} // namespace troupe::worker
