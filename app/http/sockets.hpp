// Listening sockets and addresses, as the system's calls give them.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::http {

/// "127.0.0.1:40522", "[::1]:80"; of the other side of a connected socket. Empty when it is not known.
std::string peer_of(int fd);

/// The local port; 0 for sockets that have none.
std::uint16_t port_of(int fd);

/// A listening TCP socket for an address and a port (0: any), with SO_REUSEADDR. Throws `std::system_error` whose text
/// says what was tried.
int open_listener(const std::string& address, std::uint16_t port, int backlog);

/// Throws `std::invalid_argument` unless `fd` is a listening stream socket; makes it non-blocking.
void check_listener(int fd);

} // namespace troupe::http
