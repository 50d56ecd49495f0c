// A runtime whose deployments run in worker processes, with the library bench/library/echo.cpp.
#pragma once

#include "scratch_folder.hpp"
#include <troupe/app/library/store.hpp>
#include <troupe/app/worker/pool.hpp>
#include <troupe/troupe.hpp>

#include <caf/actor_system_config.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe::bench {

/// Workers are the program `troupe` beside this one.
class in_workers {
public:
  explicit in_workers(const std::string& policy);
  ~in_workers();
  in_workers(const in_workers&) = delete;
  in_workers& operator=(const in_workers&) = delete;

  /// "echo", "hello" or "large", one replica, up.
  void deploy(const std::string& name, std::uint32_t max_ongoing_requests);
  /// Another number of replicas, all up when it returns.
  void scale(const std::string& name, std::uint32_t replicas);
  troupe::runtime& runtime() noexcept { return *runtime_; }
  caf::actor_system& system() noexcept { return *system_; }

private:
  void wait_for(std::uint32_t replicas);

  scratch_folder folder_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::atomic<std::uint32_t> up_{0}; ///< Replicas that became available.
  std::optional<library::store> files_;
  std::optional<worker::pool> pool_;
  std::optional<troupe::runtime> runtime_;
  std::string digest_;
};

} // namespace troupe::bench
