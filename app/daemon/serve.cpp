// The daemon: makes its parts in order, waits for a stop, takes them down in the other order.
#include <troupe/app/api/server.hpp>
#include <troupe/app/cluster/head.hpp>
#include <troupe/app/cluster/node_routes.hpp>
#include <troupe/app/cluster/transport.hpp>
#include <troupe/app/config/document.hpp>
#include <troupe/app/daemon/applications.hpp>
#include <troupe/app/daemon/event_log.hpp>
#include <troupe/app/daemon/http_door.hpp>
#include <troupe/app/daemon/last_process.hpp>
#include <troupe/app/daemon/logs.hpp>
#include <troupe/app/daemon/metrics.hpp>
#include <troupe/app/daemon/serve.hpp>
#include <troupe/app/daemon/service_manager.hpp>
#include <troupe/app/daemon/stop_signals.hpp>
#include <troupe/app/daemon/ticker.hpp>
#include <troupe/app/http/server.hpp>
#include <troupe/app/ingress/server.hpp>
#include <troupe/app/packages/store.hpp>
#include <troupe/app/secrets/secrets.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace troupe::daemon {

namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

/// Listens on an inherited socket, else on `where`. Returns the port (that of `where` for an inherited one).
template <class Server>
std::uint16_t listen(Server& server, const std::vector<inherited_socket>& given, const char* name, std::size_t place,
                     const endpoint& where) {
  try {
    if (const auto fd = socket_for(given, name, place))
      return server.listen(*fd);
    return server.listen(listen_address(where), where.port);
  } catch (const std::system_error& e) {
    cannot_listen(where, "--" + std::string(name) + "-address", e.code());
  }
}

std::vector<fs::path> code_dirs_of(const serve_options& options) {
  if (!options.code_dirs.empty())
    return options.code_dirs;
  std::error_code e;
  std::vector<fs::path> out{fs::current_path()};
  const auto program = fs::read_symlink("/proc/self/exe", e);
  if (!e)
    out.push_back(program.parent_path().parent_path() / "lib" / "troupe");
  return out;
}

/// However the daemon ends: a runtime that goes removes its deployments, and these are to be there at the next start.
class frozen_at_end {
public:
  explicit frozen_at_end(storage::database& db) : db_(db) {}
  frozen_at_end(const frozen_at_end&) = delete;
  frozen_at_end& operator=(const frozen_at_end&) = delete;
  ~frozen_at_end() {
    end_process(db_);
    db_.freeze();
  }

private:
  storage::database& db_;
};

std::shared_ptr<const secrets::keeper> secrets_of(const serve_options& options, log_lines& log) {
  if (!options.secrets_dir.empty() && !fs::is_directory(options.secrets_dir))
    throw cannot_start("--secrets-dir " + options.secrets_dir.string() +
                       " is no directory; it must be one with a file for each secret");
  return std::make_shared<const secrets::keeper>(
      secrets::options{.data_dir = options.data_dir,
                       .secrets_dir = options.secrets_dir,
                       .credentials_dir = options.credentials_dir,
                       .warn = [&log](const std::string& text) { log.write(troupe::log_level::warning, text); }});
}

config::document_result read_config(const serve_options& options) {
  if (options.config_file.empty())
    return {};
  auto read = config::read_file(options.config_file);
  if (!read.ok())
    throw cannot_start("the config has faults\n" + config::to_string(read.errors), 2);
  return read;
}

/// In a cluster: on nodes.
decltype(worker::worker_pool_options::elsewhere) where_code_runs(std::optional<cluster::head>& head,
                                                                 const serve_options& options) {
  if (!options.cluster_address)
    return {};
  return [&head](const worker::launch& what, const std::string& deployment, const code_traits& traits) {
    return head->code_for(what, deployment, traits);
  };
}

/// Who this controller is to nodes; null without certificates.
std::shared_ptr<const cluster::identity> identity_of(const serve_options& options, log_lines& log) {
  if (!options.cluster_address || options.cluster_dir.empty()) {
    if (options.cluster_address && !cluster::is_loopback(options.cluster_address->host))
      throw cannot_start("--cluster-address " + options.cluster_address->host +
                         " is no loopback address: nodes on other machines take certificates; make them with `troupe "
                         "cluster init` and give --cluster-dir DIR");
    return {};
  }
  return cluster::identity_in(options.cluster_dir, cluster::role::controller,
                              [&](const std::string& text) { log.write(troupe::log_level::warning, text); });
}

int run(const serve_options& options) {
  stop_signals signals;
  log_lines log{options.log_level};
  const auto given = inherited_sockets();
  const auto config = read_config(options);
  endpoint http_at{"127.0.0.1", 8000};
  if (config.document.http.host)
    http_at.host = *config.document.http.host;
  if (config.document.http.port)
    http_at.port = *config.document.http.port;
  if (options.http_address)
    http_at = *options.http_address;
  check_address(http_at, "--http-address", options.insecure);
  check_address(options.api_address, "--api-address", options.insecure);
  if (options.metrics_address)
    check_address(*options.metrics_address, "--metrics-address", options.insecure);

  const auto identity = identity_of(options, log);

  // From here on what is made is ended in the other order, whatever happens.
  storage::database db{options.data_dir};
  const auto crash_file = options.data_dir / "crashes";
  const auto crashes = library::crash_recorder::read(crash_file);
  library::crash_recorder recorder{crash_file};
  const auto secrets = secrets_of(options, log);
  recorder.set_text_filter([secrets](std::string text) { return secrets->masked_at_once(std::move(text)); });
  library::store files{{.data_dir = options.data_dir, .code_dirs = code_dirs_of(options)}};
  packages::package_store packages{{.data_dir = fs::absolute(options.data_dir), .code_dirs = code_dirs_of(options)}};
  library::loader_options loading;
  loading.max_copies = options.limits.loaded_libraries.value_or(loading.max_copies);
  loading.max_bytes = options.limits.loaded_bytes.value_or(loading.max_bytes);
  loading.on_loaded = [&](const library::loaded_copy& x) { recorder.add_code(x.begin, x.end, x.digest); };
  library::loader code{files, std::move(loading)};
  event_log events;
  std::optional<access_log> accesses;
  if (!options.access_log.empty())
    accesses.emplace(options.access_log);

  const auto logs = std::make_shared<logs::writer>(
      logs::options{.data_dir = fs::absolute(options.data_dir),
                    .shown = [secrets](std::string text) { return secrets->masked(std::move(text)); }});
  std::optional<worker::pool> workers; // outlives the runtime, and lets go of its actor system before that ends
  std::optional<cluster::head> head;   // likewise
  std::optional<runtime> rt;
  // Borrowed: the database outlives the runtime.
  rt.emplace(runtime_options{
      .max_replicas = options.max_replicas.value_or(0),
      .local = options.local ? *options.local : detected_resources(),
      .on_nodes = options.cluster_address.has_value(),
      .shutdown_timeout = options.shutdown_timeout,
      .on_event =
          [&](const runtime_event& e) {
            events.add(e);
            if (e.what != "replica_available" && e.what != "replica_stopping" && e.what != "replica_stopped")
              log.write(troupe::log_level::info, e.deployment.full() + ": " + e.what + ": " + e.message);
          },
      .on_log = [&](troupe::log_level l, std::string_view text) { log.write(l, text); },
      .store = {std::shared_ptr<void>{}, &db},
      .on_drained =
          [&] {
            if (head)
              head->close();
          },
      .scheduler_threads = options.worker_threads,
      .configure =
          [&](caf::actor_system_config& network) {
            worker::pool::configure(network);
            if (options.cluster_address)
              cluster::configure(network, options.cluster_dir);
          },
      .on_stopped =
          [&] {
            if (workers)
              workers->stop();
          }});
  workers.emplace(rt->system(), worker::worker_pool_options{
                                    .program = "/proc/self/exe",
                                    .data_dir = fs::absolute(options.data_dir),
                                    .code_dirs = code_dirs_of(options),
                                    .log = [&](troupe::log_level l, const std::string& text) { log.write(l, text); },
                                    .logs = logs,
                                    .secrets = secrets,
                                    .packages = &packages,
                                    .elsewhere = where_code_runs(head, options)});
  if (options.cluster_address)
    head.emplace(*rt, cluster::head_options{.host = options.cluster_address->host,
                                            .port = options.cluster_address->port,
                                            .self = identity,
                                            .release = options.release,
                                            .db = &db,
                                            .files = &files,
                                            .secrets = secrets});

  std::optional<frozen_at_end> guard{std::in_place, db}; // ends before the runtime

  const auto timeout =
      options.limits.request_timeout ? options.limits.request_timeout : config.document.http.request_timeout;
  ingress::server front{rt->system(), ingress_options(timeout, accesses ? &*accesses : nullptr, log),
                        http_limits(options.limits, config.document.http.keep_alive_timeout)};
  const auto http_port = listen(front, given, "http", 0, http_at);

  const auto token = options.no_token ? std::string{} : api::token_in(options.data_dir);
  applications apps{{.db = db,
                     .files = files,
                     .code = code,
                     .rt = *rt,
                     .set_routes = [&](std::vector<ingress::route> r) { front.set_routes(std::move(r)); },
                     .log = [&](troupe::log_level l, const std::string& text) { log.write(l, text); },
                     .set_node_routes =
                         [&](const std::vector<ingress::route>& r) {
                           if (head)
                             head->set_routes(cluster::node_routes_of(r));
                         },
                     .workers = &*workers,
                     .secrets = secrets,
                     .packages = &packages,
                     .on_nodes = options.cluster_address.has_value()}};
  const auto metrics = [&] { return metrics_text(*rt, front.counted(), code.loaded()); };
  const auto pid = ::getpid();
  http::options api_limits;
  api_limits.body_bytes = config::max_text_bytes + 1024;
  api::server rest{{.apps = apps,
                    .rt = *rt,
                    .code = code,
                    .events = events,
                    .metrics = metrics,
                    .shut_down = [pid] { ::kill(pid, SIGTERM); },
                    .logs = logs,
                    .data_dir = options.data_dir,
                    .http_host = http_at.host,
                    .http_port = [&] { return static_cast<int>(http_port); },
                    .nodes = head ? &*head : nullptr},
                   {.token = token, .hosts = {options.api_address.host}},
                   api_limits};
  const auto api_port = listen(rest, given, "api", 1, options.api_address);
  std::optional<http::server> scraped;
  std::uint16_t metrics_port = 0;
  if (options.metrics_address) {
    scraped.emplace(http::options{}, [&](request&& x, http::responder to) {
      if (x.path == "/metrics") {
        auto answer = response::text(200, metrics());
        answer.headers = {{"Content-Type", "text/plain; version=0.0.4"}};
        to.send(std::move(answer));
      } else {
        to.send(response::text(404, "metrics are at /metrics\n"));
      }
    });
    metrics_port = listen(*scraped, given, "metrics", 2, *options.metrics_address);
  }

  if (const auto text = begin_process(db, crashes, apps.on_trial()); !text.empty())
    log.write(troupe::log_level::warning, text);
  apps.restore(crashes);
  for (const auto& warning : config.warnings)
    log.write(troupe::log_level::warning, warning);
  const auto deployed = apps.deploy_at_start(config.document);
  if (!deployed)
    throw cannot_start(deployed.refused->message);
  for (const auto& [name, one] : deployed.value.applications) {
    if (!one)
      throw cannot_start(one.refused->message);
    for (const auto& [deployment, answer] : one.value.deployments)
      if (!answer.message.empty()) // a deploy by hand prints it
        log.write(troupe::log_level::warning, deployment_name{name, deployment}.full() + ": " + answer.message);
  }
  rest.start();
  if (scraped)
    scraped->start(1);
  front.start(options.http_threads);
  front.set_ready(true);
  const auto say = [&](const std::string& line) {
    if (!options.quiet)
      std::cout << line << std::endl;
  };
  say("troupe: serving http://" + http_at.host + ":" + std::to_string(http_port));
  say("troupe: API on http://" + options.api_address.host + ":" + std::to_string(api_port) +
      (options.no_token ? ", without a token" : ", token in " + (options.data_dir / "token").string()));
  if (scraped)
    say("troupe: metrics on http://" + options.metrics_address->host + ":" + std::to_string(metrics_port) + "/metrics");
  if (head)
    say("troupe: nodes join at " + options.cluster_address->host + ":" + std::to_string(head->port()) +
        (identity ? ", with certificates" : ", without certificates"));
  say("troupe: data in " + options.data_dir.string() + ", " + std::to_string(apps.facts().size()) + " applications");
  if (head && !identity)
    log.write(troupe::log_level::warning,
              "--cluster-address without --cluster-dir: every local user may join as a node");
  if (options.no_token)
    log.write(troupe::log_level::warning, "--no-token: every local user may load code into this process");
  std::optional<ticker> trials;
  trials.emplace(std::chrono::seconds{1}, [&] { apps.look_at_trials(steady::now()); });
  notify_service_manager("READY=1");

  signals.wait();
  const auto last = steady::now() + options.shutdown_timeout;
  const auto until = last - std::min<milliseconds>(options.shutdown_timeout / 10, std::chrono::seconds{1});
  signals.end_at_next(last);
  notify_service_manager("STOPPING=1");
  front.begin_drain();
  say("troupe: draining, another signal ends at once");
  if (options.shutdown_delay.count() > 0)
    std::this_thread::sleep_for(std::min(options.shutdown_delay, options.shutdown_timeout));
  rest.stop();
  if (scraped)
    scraped->stop();
  front.stop_listening();
  say("troupe: takes no more connections");
  const bool idle = front.wait_idle(until);
  trials.reset();
  apps.end_well();
  guard.reset();
  front.stop();
  const bool healthy = rt->healthy();
  rt->set_shutdown_timeout(std::max(std::chrono::duration_cast<milliseconds>(until - steady::now()), milliseconds{0}));
  rt.reset();
  if (!idle)
    log.write(troupe::log_level::warning, "requests were still under way after --shutdown-timeout");
  say("troupe: ended");
  return idle && healthy ? 0 : 1;
}

} // namespace

int serve(const serve_options& options) {
  try {
    return run(options);
  } catch (const cannot_start& e) {
    std::cerr << "troupe serve: " << e.what() << std::endl;
    return e.code;
  } catch (const std::exception& e) {
    std::cerr << "troupe serve: " << e.what() << std::endl;
    return 1;
  }
}

} // namespace troupe::daemon
