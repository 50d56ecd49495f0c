// Code that is not loaded into the daemon: described by a worker process, run by others.
#pragma once

#include <troupe/app/config/document.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/worker/pool.hpp>

#include <memory>
#include <string>

namespace troupe::daemon {

/// Whether the config asks for `isolation: process` anywhere: then a worker looks at the code first.
bool wants_isolation(const config::application& app);

bool is_remote(const std::shared_ptr<const code>& x);

/// Equal for configs that the same loaded code serves.
json code_key(const config::application& app, const std::string& digest);

/// The `runtime_env` in which the code is looked at: of the first isolated deployment that has one, else the
/// application's.
json first_env(const config::application& app);

/// Describes the code, and makes that of all its deployments runnable in workers as `spec` says. `rejected` without
/// `workers`.
result<library::application_code> load_isolated(worker::pool* workers, const worker::launch& what,
                                                const deployment_spec& spec);
/// The same for code that ran before: variables whose secrets are away are left out where it is looked at, so that its
/// replicas are what waits for them.
result<library::application_code> load_isolated_again(worker::pool* workers, const worker::launch& what,
                                                      const deployment_spec& spec);

} // namespace troupe::daemon
