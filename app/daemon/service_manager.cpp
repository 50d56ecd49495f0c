#include <troupe/app/daemon/service_manager.hpp>

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe::daemon {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before any thread
  return value ? value : "";
}

bool is_known(const std::string& name) { return name == "http" || name == "api" || name == "metrics"; }

} // namespace

std::vector<inherited_socket> inherited_sockets() {
  constexpr int first = 3; // SD_LISTEN_FDS_START
  std::vector<inherited_socket> out;
  if (environment("LISTEN_PID") != std::to_string(::getpid()))
    return out;
  const int count = std::atoi(environment("LISTEN_FDS").c_str());
  std::istringstream names{environment("LISTEN_FDNAMES")};
  for (int i = 0; i < count && i < 16; ++i) {
    std::string name;
    std::getline(names, name, ':');
    ::fcntl(first + i, F_SETFD, FD_CLOEXEC);
    out.push_back({first + i, name});
  }
  for (const auto* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) // not for programs that user code starts
    ::unsetenv(name);                                                     // NOLINT(concurrency-mt-unsafe): as above
  return out;
}

std::optional<int> socket_for(const std::vector<inherited_socket>& all, const std::string& name, std::size_t place) {
  for (const auto& s : all)
    if (s.name == name)
      return s.fd;
  if (place < all.size() && !is_known(all[place].name))
    return all[place].fd;
  return std::nullopt;
}

void notify_service_manager(const std::string& text) {
  const auto where = environment("NOTIFY_SOCKET");
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (where.empty() || where.size() >= sizeof to.sun_path)
    return;
  std::memcpy(to.sun_path, where.data(), where.size());
  if (where.front() == '@')
    to.sun_path[0] = 0;
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + where.size());
  ::sendto(fd, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length);
  ::close(fd);
}

} // namespace troupe::daemon
