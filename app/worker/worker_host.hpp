// The actor of a worker process that starts replicas and brings them their requests.
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/messages/worker.hpp>

#include <functional>
#include <memory>

namespace troupe::worker {

/// `on_end` is called once, by `end_worker`.
worker_host_actor spawn_worker_host(std::shared_ptr<const control::environment> env, library::application_code code,
                                    std::function<void()> on_end);

} // namespace troupe::worker
