// Wraps socket, bind, listen and the address functions.
#include <troupe/app/http/sockets.hpp>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace troupe::http {

namespace {

struct any_address {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr_in& v4() const noexcept { return reinterpret_cast<const sockaddr_in&>(storage); }
  const sockaddr_in6& v6() const noexcept { return reinterpret_cast<const sockaddr_in6&>(storage); }
};

any_address parse(const std::string& address, std::uint16_t port) {
  any_address result;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    result.size = sizeof v4;
    std::memcpy(&result.storage, &v4, sizeof v4);
  } else if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    result.size = sizeof v6;
    std::memcpy(&result.storage, &v6, sizeof v6);
  } else {
    throw std::system_error(EINVAL, std::generic_category(),
                            "cannot listen on \"" + address + "\": an IPv4 or IPv6 address is needed");
  }
  return result;
}

} // namespace

std::string peer_of(int fd) {
  any_address peer;
  if (getpeername(fd, peer.get(), &peer.size) != 0)
    return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &peer.v4().sin_addr, text.data(), text.size());
    return std::string{text.data()} + ":" + std::to_string(ntohs(peer.v4().sin_port));
  }
  if (peer.storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &peer.v6().sin6_addr, text.data(), text.size());
    return "[" + std::string{text.data()} + "]:" + std::to_string(ntohs(peer.v6().sin6_port));
  }
  return {};
}

std::uint16_t port_of(int fd) {
  any_address local;
  if (getsockname(fd, local.get(), &local.size) != 0)
    return 0;
  if (local.storage.ss_family == AF_INET)
    return ntohs(local.v4().sin_port);
  return local.storage.ss_family == AF_INET6 ? ntohs(local.v6().sin6_port) : std::uint16_t{0};
}

int open_listener(const std::string& address, std::uint16_t port, int backlog) {
  auto local = parse(address, port);
  const int fd = ::socket(local.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind(fd, local.get(), local.size) == 0 && ::listen(fd, backlog) == 0)
    return fd;
  const int code = errno;
  if (fd >= 0)
    ::close(fd);
  throw std::system_error(code, std::generic_category(), "cannot listen on " + address + ":" + std::to_string(port));
}

void check_listener(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
    throw std::invalid_argument("descriptor " + std::to_string(fd) + " is not a listening socket");
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

} // namespace troupe::http
