// The network layer of a cluster's processes: CAF's, with TLS where there is a certificate.
#pragma once

#include <troupe/app/cluster/bundle.hpp>
#include <troupe/messages/node.hpp>

#include <caf/fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace caf {
class actor_system_config;
}

namespace troupe::cluster {

/// Without TLS only these are used.
bool is_loopback(const std::string& host);

/// A bundle that was verified; throws `std::runtime_error` with everything that is wrong with it, and tells `warn` what
/// is about to be.
std::shared_ptr<const identity> identity_in(const std::filesystem::path& folder, role expected,
                                            const std::function<void(const std::string&)>& warn);

/// Before the system is made: the middleman with heartbeats and, where `folder` is not empty, TLS with the bundle
/// there, which was verified: CAF ends the process on a bad one.
void configure(caf::actor_system_config& config, const std::filesystem::path& folder);

/// Listens; returns the port. Throws `std::runtime_error`.
std::uint16_t publish(caf::actor_system& sys, const node_door_actor& door, const std::string& host, std::uint16_t port,
                      bool tls);
void unpublish(caf::actor_system& sys, const node_door_actor& door, std::uint16_t port, bool tls);

/// Blocks until the connection stands, or cannot be made: `unavailable`.
result<node_door_actor> connect(caf::actor_system& sys, const std::string& host, std::uint16_t port, bool tls);

// -- between nodes

std::uint16_t publish(caf::actor_system& sys, const peer_door_actor& door, const std::string& host, std::uint16_t port,
                      bool tls);
/// As above; what does not answer at all is given up after 2 s, since nobody else can connect meanwhile.
result<peer_door_actor> connect_peer(caf::actor_system& sys, const std::string& host, std::uint16_t port, bool tls);
/// This machine's address for connections to `host`; 127.0.0.1 where none is known. Sends nothing.
std::string own_address_towards(const std::string& host, std::uint16_t port);

} // namespace troupe::cluster
