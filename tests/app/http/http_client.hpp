// A client for tests: a blocking socket that sends what it is told, byte for byte, and reads whole answers.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::testing_http {

/// One answer as it came, taken apart.
struct answer {
  int status = 0;     ///< 0: the connection ended before there was one.
  std::string head;   ///< With the empty line.
  std::string body;   ///< Chunks are put together.
  bool whole = false; ///< The body ended as its head said.

  /// The value of a field, case as it was sent; empty when there is none.
  std::string field(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos)
      return {};
    const auto from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

class client {
public:
  explicit client(std::uint16_t port, const char* address = "127.0.0.1") {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    const timeval patience{60, 0}; // against a hang, not to wait for something
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() { close(); }

  int fd() const noexcept { return fd_; }
  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
  }
  void close_sending() { ::shutdown(fd_, SHUT_WR); }

  /// False when the other side has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// `of_head`: the answer to HEAD, which has no body whatever its head says.
  answer read(bool of_head = false) {
    answer result;
    std::size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos)
      if (!more())
        return result;
    result.head = take(end + 4);
    result.status = std::stoi(result.head.substr(9, 3));
    if (result.status == 100 || of_head || result.status == 204 || result.status == 304) {
      result.whole = true;
    } else if (result.field("Transfer-Encoding") == "chunked") {
      read_chunks(result);
    } else if (const auto length = result.field("Content-Length"); !length.empty()) {
      const auto size = std::stoul(length);
      while (input_.size() < size && more()) {
      }
      result.whole = input_.size() >= size;
      result.body = take(std::min<std::size_t>(size, input_.size()));
    } else {
      result.whole = true;
      while (more()) {
      }
      result.body = take(input_.size());
    }
    return result;
  }

  answer ask(std::string_view bytes) {
    send(bytes);
    return read();
  }

  /// Whether the other side closes without sending any more.
  bool at_end() { return input_.empty() && !more() && !timed_out_; }

private:
  bool more() {
    char block[16 * 1024];
    const auto n = ::recv(fd_, block, sizeof block, 0);
    timed_out_ = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    REQUIRE_FALSE(timed_out_);
    if (n <= 0)
      return false;
    input_.append(block, static_cast<std::size_t>(n));
    return true;
  }

  std::string take(std::size_t n) {
    auto result = input_.substr(0, n);
    input_.erase(0, n);
    return result;
  }

  void read_chunks(answer& to) {
    for (;;) {
      std::size_t end = 0;
      while ((end = input_.find("\r\n")) == std::string::npos)
        if (!more())
          return;
      const auto size = std::stoul(take(end + 2), nullptr, 16);
      while (input_.size() < size + 2)
        if (!more())
          return;
      to.body += take(size);
      take(2);
      if (size == 0) {
        to.whole = true;
        return;
      }
    }
  }

  int fd_ = -1;
  bool timed_out_ = false;
  std::string input_;
};

inline std::string get(const std::string& target, const std::string& more = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: test\r\n" + more + "\r\n";
}

inline std::string post(const std::string& target, const std::string& body, const std::string& more = "") {
  return "POST " + target + " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more + "\r\n" + body;
}

} // namespace troupe::testing_http
