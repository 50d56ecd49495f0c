// A runtime whose deployments run in other processes, with the library bench/library/echo.cpp.
#pragma once

#include "http_servers.hpp"
#include "machine.hpp"
#include "scratch_folder.hpp"
#include <troupe/app/cluster/head.hpp>
#include <troupe/app/library/store.hpp>
#include <troupe/app/worker/pool.hpp>
#include <troupe/troupe.hpp>

#include <caf/actor_system_config.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::bench {

/// Counts what happens on any thread, for one that waits; knows when the last one was.
class tally {
public:
  void add() {
    last_ = steady::now();
    ++n_;
    n_.notify_all();
  }
  std::uint32_t count() const noexcept { return n_; }
  steady::time_point last() const noexcept { return last_; }
  void wait_for(std::uint32_t least) const {
    for (auto n = n_.load(); n < least; n = n_.load())
      n_.wait(n);
  }

private:
  std::atomic<std::uint32_t> n_{0};
  std::atomic<steady::time_point> last_{};
};

class outside {
public:
  enum class where { workers, nodes };

  /// Workers and nodes are the program `troupe` beside this one.
  outside(const std::string& policy, where replicas);
  ~outside();
  outside(const outside&) = delete;
  outside& operator=(const outside&) = delete;

  /// Another node, ready for replicas.
  void add_node(const std::string& name);

  struct loss {
    double seen_ms = 0;     ///< From SIGKILL until the node counts as lost,
    double replaced_ms = 0; ///< and from then on until as many replicas as it had are available.
    std::uint32_t replicas = 0;
  };
  loss kill_node(const std::string& name);

  /// "echo", "hello" or "large", up.
  void deploy(const std::string& name, std::uint32_t max_ongoing_requests, std::uint32_t replicas = 1);
  /// Another number of replicas, all up when it returns.
  void scale(const std::string& name, std::uint32_t replicas);
  troupe::runtime& runtime() noexcept { return *runtime_; }
  caf::actor_system& system() noexcept { return *system_; }

private:
  scratch_folder folder_;
  const where where_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  tally up_; ///< Replicas that became available.
  tally joined_;
  tally lost_;
  std::map<std::string, std::unique_ptr<child>> nodes_;
  std::optional<library::store> files_;
  std::optional<worker::pool> pool_;
  std::optional<cluster::head> head_;
  std::optional<troupe::runtime> runtime_;
  std::string digest_;
};

} // namespace troupe::bench
