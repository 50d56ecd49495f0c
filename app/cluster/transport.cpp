#include <troupe/app/cluster/tls_errors.hpp>
#include <troupe/app/cluster/transport.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <stdexcept>

namespace troupe::cluster {

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

std::shared_ptr<const identity> identity_in(const std::filesystem::path& folder, role expected,
                                            const std::function<void(const std::string&)>& warn) {
  auto found = verify(folder, expected, std::chrono::system_clock::now());
  for (const auto& text : found.warnings)
    warn(text);
  if (found.self)
    return std::move(found.self);
  std::string all;
  for (const auto& text : found.errors)
    all += (all.empty() ? "" : "\n") + text;
  throw std::runtime_error(all);
}

void configure(caf::actor_system_config& config, const std::filesystem::path& folder) {
  config.load<caf::io::middleman>();
  config.set("middleman.heartbeat-interval", caf::timespan{std::chrono::seconds{1}});
  config.set("middleman.connection-timeout", caf::timespan{std::chrono::seconds{5}});
  if (folder.empty())
    return;
  keep_tls_errors_apart();
  const bundle_files files{folder};
  config.load<caf::openssl::manager>();
  config.openssl_certificate = files.certificate.string();
  config.openssl_key = files.key.string();
  config.openssl_cafile = files.trust.string();
}

std::uint16_t publish(caf::actor_system& sys, const node_door_actor& door, const std::string& host, std::uint16_t port,
                      bool tls) {
  const auto* in = host == "localhost" ? "127.0.0.1" : host.c_str();
  const auto got = tls ? caf::openssl::publish(door, port, in, true) : sys.middleman().publish(door, port, in, true);
  if (!got)
    throw std::runtime_error("cannot listen for nodes on " + host + ":" + std::to_string(port) + ": " +
                             sys.render(got.error()));
  return *got;
}

void unpublish(caf::actor_system& sys, const node_door_actor& door, std::uint16_t port, bool tls) {
  if (!tls) {
    sys.middleman().unpublish(door, port);
    return;
  }
  // `caf::openssl::unpublish` of this release does not compile.
  caf::scoped_actor self{sys, true};
  self->request(sys.openssl_manager().actor_handle(), std::chrono::seconds{5}, caf::unpublish_atom::value,
                door->address(), port)
      .receive([] {}, [](const caf::error&) {});
}

result<node_door_actor> connect(caf::actor_system& sys, const std::string& host, std::uint16_t port, bool tls) {
  auto door = tls ? caf::openssl::remote_actor<node_door_actor>(sys, host, port)
                  : sys.middleman().remote_actor<node_door_actor>(host, port);
  if (door)
    return std::move(*door);
  return error{errc::unavailable, sys.render(door.error())};
}

} // namespace troupe::cluster
