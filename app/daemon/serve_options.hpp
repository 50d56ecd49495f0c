// What `troupe serve` was told on its command line.
#pragma once

#include <troupe/messages/resources.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe::daemon {

using std::chrono::milliseconds;

struct endpoint {
  std::string host;       ///< An address or a host name, without brackets.
  std::uint16_t port = 0; ///< 0 = any free one.
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

enum class log_level : std::uint8_t { error, warning, info, debug };

/// Limits of the ingress and the API; where nothing is given the server's own default holds (SPEC 6).
struct limits {
  std::optional<std::size_t> header_bytes;
  std::optional<std::size_t> body_bytes;
  std::optional<std::size_t> connections;
  std::optional<std::size_t> requests_in_flight;
  std::optional<std::size_t> body_bytes_in_flight;
  std::optional<std::size_t> pipelining;
  std::optional<milliseconds> request_timeout; ///< 0 = none.
  std::optional<milliseconds> header_timeout;
  std::optional<milliseconds> keep_alive_timeout;
  std::optional<std::size_t> loaded_libraries; ///< Copies of user code at once.
  std::optional<std::size_t> loaded_bytes;
};

/// A value; as given, nothing is looked up yet.
struct serve_options {
  std::filesystem::path config_file;    ///< Empty = none.
  std::optional<endpoint> http_address; ///< Nothing: `http_options` of the config, else 127.0.0.1:8000.
  endpoint api_address{"127.0.0.1", 8265};
  std::optional<endpoint> metrics_address; ///< Nothing: metrics on the API address alone.
  std::optional<endpoint> cluster_address; ///< Where nodes join; nothing: replicas run in this process.
  std::filesystem::path cluster_dir;       ///< The controller's certificate, key and CAs; empty = none.
  std::string release;                     ///< Of this program, for nodes.
  std::filesystem::path data_dir;
  std::vector<std::filesystem::path> code_dirs; ///< Empty: the start folder and ../lib/troupe of the program.
  std::filesystem::path secrets_dir;            ///< A file for each secret; empty = none.
  std::filesystem::path credentials_dir;        ///< Likewise, as the service manager gives them; empty = none.
  bool no_token = false;
  bool insecure = false; ///< Addresses other than loopback are allowed without TLS.
  unsigned http_threads = 1;
  unsigned worker_threads = 0; ///< Of CAF's scheduler; 0 = as many as there are CPUs.
  std::optional<std::uint32_t> max_replicas;
  std::optional<resources> local; ///< Nothing: what the machine has.
  daemon::limits limits;
  milliseconds shutdown_delay{0};        ///< New connections are still taken for this long after a stop signal.
  milliseconds shutdown_timeout{30'000}; ///< All in all.
  daemon::log_level log_level = log_level::info;
  bool quiet = false;     ///< No start-up lines.
  std::string access_log; ///< A file, "-" for stdout; empty = none.
};

} // namespace troupe::daemon
