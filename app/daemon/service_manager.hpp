// What a service manager hands over and wants to hear: inherited sockets, readiness (systemd's protocols).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe::daemon {

/// A listening socket that was inherited (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES).
struct inherited_socket {
  int fd = -1;
  std::string name; ///< "http", "api", "metrics"; empty or another: by its place, in that order.
};

/// Takes them over: they are not inherited further. Empty when there are none for this process.
std::vector<inherited_socket> inherited_sockets();

/// The one called `name`, else the one at `place` that has no known name.
std::optional<int> socket_for(const std::vector<inherited_socket>& all, const std::string& name, std::size_t place);

/// Sends "READY=1", "STOPPING=1" and the like to NOTIFY_SOCKET; nothing when that is not set.
void notify_service_manager(const std::string& text);

} // namespace troupe::daemon
