// Starts, pins, reads and ends processes, and connects to them.
#include "http_servers.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace troupe::bench {

namespace {

void pin_to(int cpu) {
  if (cpu < 0)
    return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set); // a machine with fewer processors: unpinned
}

} // namespace

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0)
    return fd;
  ::close(fd);
  return -1;
}

child::child(const std::vector<std::string>& command, int cpu) {
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  std::vector<char*> args;
  args.reserve(command.size() + 1);
  for (const auto& x : command)
    args.push_back(const_cast<char*>(x.c_str()));
  args.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    pin_to(cpu);
    dup2(in[0], 0);
    dup2(out[1], 1);
    execvp(args[0], args.data());
    _exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
  if (pid_ < 0)
    throw std::system_error(errno, std::generic_category(), "fork");
}

child::~child() {
  ::close(input_);
  ::close(output_);
  ::kill(pid_, SIGTERM);
  int status = 0;
  waitpid(pid_, &status, 0);
}

void child::kill() { ::kill(pid_, SIGKILL); }

std::string child::line() {
  std::string result;
  for (char c = 0; read(output_, &c, 1) == 1;) {
    if (c == '\n')
      return result;
    result += c;
  }
  throw std::runtime_error("a server said nothing: \"" + result + "\"");
}

std::string child::rest() {
  std::string result;
  char block[4096];
  for (ssize_t n = 0; (n = read(output_, block, sizeof block)) > 0;)
    result.append(block, static_cast<std::size_t>(n));
  return result;
}

} // namespace troupe::bench
