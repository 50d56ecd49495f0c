// The REST API: Ray Serve's paths and our own below /api/troupe/v1, served by worker threads.
#pragma once

#include <troupe/app/api/access.hpp>
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/event_log.hpp>
#include <troupe/app/http/options.hpp>
#include <troupe/app/logs/writer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe::cluster {
class node_operator;
}

namespace troupe::api {

/// What the API speaks about; all of it outlives the server.
struct subjects {
  daemon::applications& apps;
  runtime& rt;
  library::loader& code;
  daemon::event_log& events;
  std::function<std::string()> metrics;    ///< Prometheus text.
  std::function<void()> shut_down;         ///< Asks the daemon to end.
  std::shared_ptr<logs::writer> logs{};    ///< Of workers; null: there are none.
  std::filesystem::path data_dir{};        ///< Where they are.
  std::string http_host = "127.0.0.1";     ///< Of the ingress, for Ray's view.
  std::function<int()> http_port;          ///< Likewise.
  cluster::node_operator* nodes = nullptr; ///< Null: this daemon has no cluster.
};

/// Answers that may take a while (loading user code) are worked on by two threads of its own, in order of arrival.
/// `listen` and `start` come first and from one thread; the rest is thread-safe.
class server {
public:
  server(subjects about, access_rules rules, http::options limits = {});
  ~server(); ///< As `stop`.
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::uint16_t listen(const std::string& address, std::uint16_t port);
  std::uint16_t listen(int fd);
  void start();
  /// Answers what has come, closes event streams, takes nothing more.
  void stop();

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// The OpenAPI 3.1 document of our paths, made from the table that requests are looked up in.
json openapi();

} // namespace troupe::api
