// The servers whose HTTP is measured, each as a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::bench {

/// What all of them answer.
inline constexpr const char* http_answer = "Hello, World!";

/// Runs one in this process, prints its port and a newline, and serves until standard input ends: "inline" and "pool"
/// are ours, "beast" is Boost.Beast as its examples show it. Throws `std::invalid_argument` for other kinds.
void serve_http(const std::string& kind, const std::string& policy);

/// Its "worker", "node", "caf" and "tcp": HTTP answered in worker processes, or by a node (POST bodies of 64 MB to
/// /large), a bare actor that is published on the port and sends back what it gets, and who sends back each eight bytes
/// of the first connection.
void serve_workers(const std::string& policy, bool on_node);
void serve_bare_actor(const std::string& policy);
void serve_tcp();

/// A socket that is connected to this port of loopback; -1 when nobody listens.
int connect_to(std::uint16_t port);

/// A process that ends when this object does.
class child {
public:
  /// Pinned to one processor; -1 = to none. `input`: a pipe, which ends with this object.
  child(const std::vector<std::string>& command, int cpu);
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  void kill();        ///< By SIGKILL.
  std::string line(); ///< The next line of its output; throws when there is none.
  std::string rest(); ///< All of its output, when it has ended.

private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

/// A server in a process of its own, on processor 0.
class http_process {
public:
  virtual ~http_process() = default;
  std::uint16_t port() const noexcept { return port_; }

protected:
  std::uint16_t port_ = 0;
};

} // namespace troupe::bench
