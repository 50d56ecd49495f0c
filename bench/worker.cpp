// What does a replica in a worker process cost? A call against a request to a bare actor in another process over CAF's
// own network layer, HTTP against a replica in this process, a start against that of a bare CAF program.
#include "http_servers.hpp"
#include "machine.hpp"
#include "outside.hpp"
#include "questions.hpp"
#include "remote_calls.hpp"
#include <troupe/app/ingress/server.hpp>

#include <cstdint>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace troupe::bench {

namespace {

sample start_worker(const std::string& policy, unsigned times) {
  outside all{policy, outside::where::workers};
  all.deploy("echo", 1);
  std::uint32_t n = 1;
  return median_of(times, [&]() -> sample {
    const auto start = steady::now();
    all.scale("echo", ++n);
    return {seconds_since(start) * 1e3};
  });
}

sample start_bare(const std::string& policy, unsigned times) {
  return median_of(times, [&]() -> sample {
    const auto start = steady::now();
    child server{bare_actor_program(policy), -1};
    server.line();
    return {seconds_since(start) * 1e3};
  });
}

// -- HTTP ------------------------------------------------------------------------------------------------------------

constexpr std::size_t large_body = std::size_t{64} << 20U;

int connected(std::uint16_t port) {
  const int fd = connect_to(port);
  if (fd < 0)
    throw std::runtime_error("a server does not answer");
  return fd;
}

/// One request and its answer's status.
int ask(int fd, const std::string& head, const std::string& body) {
  const auto send = [&](const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const auto n = ::write(fd, text.data() + done, text.size() - done);
      if (n <= 0)
        throw std::runtime_error("a server closed the connection");
      done += static_cast<std::size_t>(n);
    }
  };
  send(head);
  send(body);
  std::string answer;
  char block[4096];
  while (answer.find("Hello, World!") == std::string::npos) {
    const auto n = ::read(fd, block, sizeof block);
    if (n <= 0)
      throw std::runtime_error("a server closed the connection after \"" + answer + "\"");
    answer.append(block, static_cast<std::size_t>(n));
    if (answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 2"))
      throw std::runtime_error("a server said " + answer);
  }
  return 200;
}

/// A server in a process of its own, not pinned: its workers inherit what it may use.
class worker_server {
public:
  worker_server(const std::string& kind, const std::string& policy)
      : child_({"/proc/self/exe", "--serve", kind, "--policy", policy, "--force"}, -1),
        port(static_cast<std::uint16_t>(std::stoi(child_.line()))) {}

private:
  child child_;

public:
  const std::uint16_t port;
};

/// Requests per second by one connection after the other's answer, `connections` of them in one thread of wrk.
sample http_rate(const std::string& kind, const std::string& policy, unsigned connections, unsigned seconds) {
  const worker_server server{kind, policy};
  child wrk{{"wrk", "-t1", "-c" + std::to_string(connections), "-d" + std::to_string(seconds) + "s",
             "http://127.0.0.1:" + std::to_string(server.port) + "/"},
            -1};
  const auto text = wrk.rest();
  const auto at = text.find("Requests/sec:");
  if (at == std::string::npos || text.find("Non-2xx") != std::string::npos)
    throw std::runtime_error("wrk said:\n" + text);
  return {std::stod(text.substr(at + 13))};
}

/// The longest of many small requests in a row, in milliseconds; meanwhile bodies of 64 MB go to another deployment, or
/// nothing. To a node they share a connection.
sample longest_small(const std::string& kind, const std::string& policy, bool with_large, unsigned times) {
  const worker_server server{kind, policy};
  std::atomic<bool> enough{false};
  std::future<unsigned> large;
  if (with_large)
    large = std::async(std::launch::async, [&] {
      const std::shared_ptr<void> at_end{nullptr, [&](void*) { enough = true; }};
      const std::string body(large_body, 'x');
      const int fd = connected(server.port);
      unsigned n = 0;
      for (; n < times; ++n)
        ask(fd, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n", body);
      ::close(fd);
      return n;
    });
  const int fd = connected(server.port);
  double longest = 0;
  const auto begin = steady::now();
  while (with_large ? !enough.load() : seconds_since(begin) < 2) {
    const auto start = steady::now();
    ask(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", {});
    longest = std::max(longest, seconds_since(start) * 1e3);
    ::usleep(1000);
  }
  ::close(fd);
  if (with_large && large.get() != times)
    throw std::runtime_error("not all large bodies were answered");
  return {longest};
}

} // namespace

void serve_workers(const std::string& policy, bool on_node) {
  outside all{policy, on_node ? outside::where::nodes : outside::where::workers};
  if (on_node)
    all.add_node("n1");
  all.deploy("hello", 128);
  all.deploy("large", 8);
  http::options limits;
  limits.body_bytes = large_body + 1024;
  ingress::server front{all.system(), {}, limits};
  const auto port = front.listen("127.0.0.1", 0);
  const auto to = [&](const char* name) { return all.runtime().handle<response(request)>(name).destination(); };
  front.set_routes({{.prefix = "/", .deployment = {"default", "hello"}, .to = to("hello")},
                    {.prefix = "/large", .deployment = {"default", "large"}, .to = to("large")}});
  front.set_ready(true);
  front.start(1);
  std::cout << port << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
}

void add_worker(suite& to) {
  const auto policy = to.policy;
  const auto add = [&](std::string name, std::string unit, comparison how, double bound, side ours,
                       std::vector<side> references) {
    to.questions.push_back({std::move(name), std::move(unit), how, bound, std::move(ours), std::move(references)});
  };
  add_remote_calls(to, "call/worker/", outside::where::workers);
  const unsigned seconds = to.quick ? 1 : 3;
  add("http/worker/rate/64", "req/s", comparison::rate_at_least, 0,
      {"in a worker", [=] { return http_rate("worker", policy, 64, seconds); }},
      {{"in this process", [=] { return http_rate("pool", policy, 64, seconds); }}});
  const unsigned bodies = to.quick ? 3 : 20;
  for (const std::string kind : {"worker", "node"})
    add("http/" + kind + "/64MB-elsewhere", "ms, longest", comparison::difference_at_most, 250,
        {"with 64 MB bodies", [=] { return longest_small(kind, policy, true, bodies); }},
        {{"without", [=] { return longest_small(kind, policy, false, bodies); }}});
  const unsigned times = to.quick ? 3 : 10;
  add("start/worker", "ms", comparison::cost_at_most, 0, {"a replica", [=] { return start_worker(policy, times); }},
      {{"a bare CAF program", [=] { return start_bare(policy, times); }}});
}

} // namespace troupe::bench
