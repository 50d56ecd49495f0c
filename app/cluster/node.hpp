// The process of a node: `troupe node --join HOST:PORT`.
#pragma once

#include <troupe/app/daemon/serve_options.hpp>
#include <troupe/messages/resources.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace troupe::cluster {

/// How a node takes HTTP. A value.
struct node_http {
  daemon::endpoint address;
  bool insecure = false; ///< Another address than loopback is allowed.
  unsigned threads = 1;
  daemon::limits limits;                       ///< Those of code apply to no node.
  std::string access_log;                      ///< A file, "-" for stdout; empty = none.
  std::chrono::milliseconds shutdown_delay{0}; ///< Nothing moves away for this long after a stop signal.
};

/// A value; as given, nothing is looked up yet.
struct node_options {
  daemon::endpoint join; ///< The controller's `--cluster-address`.
  /// Where other nodes reach this one; port 0 = any free one. Nothing: the address that reaches the controller.
  std::optional<daemon::endpoint> peer;
  std::optional<node_http> http; ///< Nothing: the node takes no HTTP.
  std::string name;              ///< In the cluster; `is_name`.
  std::string release;           ///< Of this program.
  std::map<std::string, std::string> labels;
  resources total;                                      ///< What replicas may ask for here.
  std::filesystem::path cluster_dir;                    ///< Certificate, key and CAs; empty = none, for loopback.
  std::filesystem::path data_dir;                       ///< Copies of code; of this node alone.
  unsigned threads = 0;                                 ///< Of CAF's scheduler; 0 = as many as there are CPUs.
  std::uint64_t cache_bytes = std::uint64_t{10} << 30U; ///< Of copies of code.
  std::chrono::milliseconds drain_timeout{30'000};      ///< From a stop signal on.
  daemon::log_level log_level = daemon::log_level::info;
  bool quiet = false;
};

/// Runs until a signal, or until the controller does not want it. Returns the exit code: 0 left with nothing on it; 1
/// could not start, was turned away, or had to leave replicas behind.
int run_node(const node_options& options);

} // namespace troupe::cluster
