#include <troupe/app/cluster/tls_errors.hpp>
#include <troupe/app/cluster/transport.hpp>
#include <troupe/app/library/file.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

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

namespace {

template <class Handle>
std::uint16_t publish_any(caf::actor_system& sys, const Handle& door, const std::string& host, std::uint16_t port,
                          bool tls) {
  const auto* in = host == "localhost" ? "127.0.0.1" : host.c_str();
  const auto got = tls ? caf::openssl::publish(door, port, in, true) : sys.middleman().publish(door, port, in, true);
  if (!got)
    throw std::runtime_error("cannot listen for nodes on " + host + ":" + std::to_string(port) + ": " +
                             sys.render(got.error()));
  return *got;
}

template <class Handle>
result<Handle> connect_any(caf::actor_system& sys, const std::string& host, std::uint16_t port, bool tls) {
  auto door =
      tls ? caf::openssl::remote_actor<Handle>(sys, host, port) : sys.middleman().remote_actor<Handle>(host, port);
  if (door)
    return std::move(*door);
  return error{errc::unavailable, sys.render(door.error())};
}

/// Calls `f(socket, address, length)` for each address of the host until it answers true.
template <class F>
bool any_address(const std::string& host, std::uint16_t port, int type, F f) {
  addrinfo hints{};
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all{found, &::freeaddrinfo};
  for (const auto* x = found; x; x = x->ai_next) {
    const library::descriptor socket{::socket(x->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (socket && f(socket.get(), x->ai_addr, x->ai_addrlen))
      return true;
  }
  return false;
}

bool answers(const std::string& host, std::uint16_t port) {
  return any_address(host, port, SOCK_STREAM, [](int socket, const sockaddr* to, socklen_t length) {
    if (::connect(socket, to, length) == 0)
      return true;
    pollfd wait{socket, POLLOUT, 0};
    int failure = 0;
    socklen_t size = sizeof failure;
    return errno == EINPROGRESS && ::poll(&wait, 1, 2'000) == 1 &&
           ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
  });
}

} // namespace

std::uint16_t publish(caf::actor_system& sys, const node_door_actor& door, const std::string& host, std::uint16_t port,
                      bool tls) {
  return publish_any(sys, door, host, port, tls);
}

std::uint16_t publish(caf::actor_system& sys, const peer_door_actor& door, const std::string& host, std::uint16_t port,
                      bool tls) {
  return publish_any(sys, door, host, port, tls);
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
  return connect_any<node_door_actor>(sys, host, port, tls);
}

// CAF makes all connections of a system one after the other, and waits for each as long as the system does.
result<peer_door_actor> connect_peer(caf::actor_system& sys, const std::string& host, std::uint16_t port, bool tls) {
  if (!answers(host, port))
    return error{errc::unavailable, "nothing answers at " + host + ":" + std::to_string(port)};
  return connect_any<peer_door_actor>(sys, host, port, tls);
}

std::string own_address_towards(const std::string& host, std::uint16_t port) {
  std::array<char, NI_MAXHOST> text{};
  const auto found = any_address(host, port, SOCK_DGRAM, [&](int socket, const sockaddr* to, socklen_t length) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    auto* as_address = reinterpret_cast<sockaddr*>(&own);
    return ::connect(socket, to, length) == 0 && ::getsockname(socket, as_address, &size) == 0 &&
           ::getnameinfo(as_address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0;
  });
  return found ? std::string{text.data()} : "127.0.0.1";
}

} // namespace troupe::cluster
