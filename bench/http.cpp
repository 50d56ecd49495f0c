// What does a request over HTTP cost, through ingress, router and replica? Against nginx and a textbook Beast server.
#include "http_beast.hpp"
#include "http_servers.hpp"
#include "panel.hpp"
#include "questions.hpp"
#include "scratch_folder.hpp"
#include <troupe/actors/control/scheduler_policy.hpp>
#include <troupe/app/ingress/server.hpp>
#include <troupe/troupe.hpp>

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <netinet/in.h>
#include <optional>
#include <regex>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::bench {

namespace {

class hello {
public:
  response operator()(const request&) { return response::text(200, http_answer); }
};

void serve_ours(execution_mode mode, const std::string& policy) {
  runtime rt{{.scheduler_policy = policy}};
  rt.run<hello>(deployment_options{"hello"}.version("1").num_replicas(4).max_ongoing_requests(128).execution(mode));
  if (!rt.wait_until_healthy("hello", std::chrono::seconds{20}))
    throw std::runtime_error("the deployment did not start");
  ingress::server front{rt.system()};
  const auto port = front.listen("127.0.0.1", 0);
  front.set_routes(
      {{.prefix = "/", .deployment = {"default", "hello"}, .to = rt.handle<response(request)>("hello").destination()}});
  front.set_ready(true);
  front.start(1);
  std::cout << port << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
}

/// Ours or Beast's: this program, told to be a server.
class own_server final : public http_process {
public:
  own_server(const std::string& kind, const std::string& policy)
      : child_({"/proc/self/exe", "--serve", kind, "--policy", policy, "--force"}, 0) {
    port_ = static_cast<std::uint16_t>(std::stoi(child_.line()));
  }

private:
  child child_;
};

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof local;
  auto* address = reinterpret_cast<sockaddr*>(&local);
  const bool ok = bind(fd, address, size) == 0 && getsockname(fd, address, &size) == 0;
  ::close(fd);
  if (!ok)
    throw std::runtime_error("no free port");
  return ntohs(local.sin_port);
}

bool answers(std::uint16_t port) {
  const int fd = connect_to(port);
  if (fd < 0)
    return false;
  ::close(fd);
  return true;
}

/// Debian's nginx, one worker in one process, no access log, its files in a temporary folder.
class nginx_server final : public http_process {
public:
  nginx_server() {
    const auto name = folder_.path().string();
    port_ = free_port();
    std::ofstream{folder_.path() / "nginx.conf"}
        << "daemon off;\nmaster_process off;\nworker_processes 1;\npid " << name << "/pid;\nerror_log " << name
        << "/error.log;\n"
        << "events { worker_connections 1024; }\nhttp {\naccess_log off;\n"
        << "keepalive_requests 1000000000;\ndefault_type text/plain;\n"
        << temporary("client_body") << temporary("proxy") << temporary("fastcgi") << temporary("uwsgi")
        << temporary("scgi") << "server { listen 127.0.0.1:" << port_ << "; location / { return 200 \"" << http_answer
        << "\"; } }\n}\n";
    child_.emplace(
        std::vector<std::string>{"/usr/sbin/nginx", "-p", name, "-c", name + "/nginx.conf", "-e", name + "/error.log"},
        0);
    for (int i = 0; i < 200 && !answers(port_); ++i)
      usleep(10'000);
    if (!answers(port_))
      throw std::runtime_error("nginx does not answer; look at " + name + "/error.log");
  }

private:
  std::string temporary(const std::string& what) const {
    return what + "_temp_path " + (folder_.path() / what).string() + ";\n";
  }

  scratch_folder folder_; // outlives the child
  std::optional<child> child_;
};

/// "123.45us", "1.20ms", "2.00s" in microseconds.
double microseconds(const std::string& text) {
  const auto value = std::stod(text);
  if (text.ends_with("us"))
    return value;
  return text.ends_with("ms") ? value * 1e3 : value * 1e6;
}

/// Requests per second, p50 and p99 in microseconds, as wrk has them.
std::vector<double> load(std::uint16_t port, unsigned connections, double seconds) {
  child wrk{{"wrk", "-t1", "-c" + std::to_string(connections), "-d" + std::to_string(static_cast<int>(seconds)) + "s",
             "--latency", "http://127.0.0.1:" + std::to_string(port) + "/"},
            1};
  const auto text = wrk.rest();
  if (text.find("Non-2xx") != std::string::npos || text.find("Socket errors") != std::string::npos)
    throw std::runtime_error("wrk saw errors:\n" + text);
  const auto find = [&](const char* pattern) {
    std::smatch match;
    if (!std::regex_search(text, match, std::regex{pattern}))
      throw std::runtime_error("wrk said:\n" + text);
    return match[1].str();
  };
  // At the start of a line: a share in another column may end in "50%" too.
  return {std::stod(find(R"(Requests/sec:\s+([0-9.]+))")), microseconds(find(R"(\n\s+50%\s+(\S+))")),
          microseconds(find(R"(\n\s+99%\s+(\S+))"))};
}

/// A server that starts when it is first needed, and stays.
contestant make_contestant(const std::string& name, std::function<std::unique_ptr<http_process>()> start,
                           unsigned connections, double seconds) {
  auto running = std::make_shared<std::unique_ptr<http_process>>();
  return {name, [=] {
            if (!*running)
              *running = start();
            return load((*running)->port(), connections, seconds);
          }};
}

} // namespace

void serve_http(const std::string& kind, const std::string& policy) {
  if (kind == "inline")
    return serve_ours(execution_mode::inlined, policy);
  if (kind == "pool")
    return serve_ours(execution_mode::pool, policy);
  if (kind == "beast")
    return serve_beast();
  if (kind == "worker" || kind == "node")
    return serve_workers(policy, kind == "node");
  if (kind == "caf")
    return serve_bare_actor(policy);
  if (kind == "tcp")
    return serve_tcp();
  throw std::invalid_argument("--serve takes inline, pool, worker, caf, tcp or beast, not \"" + kind + "\"");
}

void add_http(suite& to) {
  enum : std::size_t { inlined, pool, beast, nginx };
  enum : std::size_t { rate, p50, p99 };
  for (const unsigned connections : {1U, 64U, 256U}) {
    const double seconds = to.quick ? 1 : 2;
    const auto own = [&](const std::string& name, const std::string& kind) {
      return make_contestant(
          name, [kind, policy = to.policy] { return std::make_unique<own_server>(kind, policy); }, connections,
          seconds);
    };
    panel x;
    x.contestants = {own("inline", "inline"), own("pool", "pool"), own("textbook Beast", "beast"),
                     make_contestant(
                         "nginx", [] { return std::make_unique<nginx_server>(); }, connections, seconds)};
    const auto c = "/" + std::to_string(connections);
    const bool many = connections == 64;
    const bool one = connections == 1;
    using enum comparison;
    x.lines = {
        {"http/inline/rate-nginx" + c, "req/s", rate_at_least, many ? 0.85 : 0, rate, inlined, nginx},
        {"http/inline/rate-beast" + c, "req/s", rate_at_least, many ? 1.05 : 0, rate, inlined, beast},
        {"http/inline/p50-beast" + c, "us", cost_at_most, one ? 1.2 : 0, p50, inlined, beast},
        {"http/inline/p99-nginx" + c, "us", cost_at_most, many ? 2.0 : 0, p99, inlined, nginx},
        {"http/inline/p99-beast" + c, "us", cost_at_most, many ? 2.0 : 0, p99, inlined, beast},
        {"http/pool/rate-beast" + c, "req/s", rate_at_least, many ? 0.6 : 0, rate, pool, beast},
        {"http/pool/p50-beast" + c, "us", cost_at_most, one ? 2.0 : 0, p50, pool, beast},
        {"http/pool/p99-beast" + c, "us", cost_at_most, many ? 3.0 : 0, p99, pool, beast},
        {"http/nginx/p50-beast" + c, "us", cost_at_most, 0, p50, nginx, beast},
    };
    to.panels.push_back(std::move(x));
  }
}

} // namespace troupe::bench
