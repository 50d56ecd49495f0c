// `troupe node --http-address`: what a node that takes HTTP is told, and what is refused without it.
#include "cli_world.hpp"

namespace troupe::cli_node_http_test {

using namespace troupe;

namespace {

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

cli_run node(cli_world& w, std::vector<std::string> options) {
  options.insert(options.begin(), {"node", "--join=127.0.0.1:8266", "--name=n1"});
  return w.run(options);
}

} // namespace

TEST_CASE("node: it takes no HTTP, and other nodes find it by themselves, unless it is said") {
  cli_world w;
  REQUIRE(node(w, {}).code == 0);
  CHECK_FALSE(w.hosted->http);
  CHECK_FALSE(w.hosted->peer);
  REQUIRE(node(w, {"--http-address=:8001"}).code == 0);
  const auto& http = w.hosted->http;
  REQUIRE(http);
  CHECK(http->address == daemon::endpoint{"127.0.0.1", 8001});
  CHECK_FALSE(http->insecure);
  CHECK(http->threads == 1);
  CHECK_FALSE(http->limits.request_timeout);
  CHECK_FALSE(http->limits.body_bytes);
  CHECK(http->access_log.empty());
  CHECK(http->shutdown_delay.count() == 0);
}

TEST_CASE("node: every option of its ingress arrives") {
  cli_world w;
  const auto result =
      node(w, {"--http-address=0.0.0.0:0", "--insecure", "--http-threads=2", "--max-header-bytes=5KiB",
               "--max-body-bytes=6MiB", "--max-connections=7", "--max-requests=8", "--max-body-bytes-in-flight=9",
               "--max-pipelining=10", "--request-timeout=0", "--header-timeout=1.5", "--keep-alive-timeout=12",
               "--shutdown-delay=15", "--access-log=-", "--peer-address=[fe80::1]:7000"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto& http = w.hosted->http;
  REQUIRE(http);
  CHECK(http->address == daemon::endpoint{"0.0.0.0", 0});
  CHECK(http->insecure);
  CHECK(http->threads == 2);
  CHECK(http->limits.header_bytes == 5 * 1024);
  CHECK(http->limits.body_bytes == 6 * 1024 * 1024);
  CHECK(http->limits.connections == 7);
  CHECK(http->limits.requests_in_flight == 8);
  CHECK(http->limits.body_bytes_in_flight == 9);
  CHECK(http->limits.pipelining == 10);
  CHECK(http->limits.request_timeout == std::chrono::milliseconds{0});
  CHECK(http->limits.header_timeout == std::chrono::milliseconds{1500});
  CHECK(http->limits.keep_alive_timeout == std::chrono::seconds{12});
  CHECK(http->shutdown_delay == std::chrono::seconds{15});
  CHECK(http->access_log == "-");
  CHECK(w.hosted->peer == daemon::endpoint{"fe80::1", 7000});
}

TEST_CASE("node: what its ingress cannot take ends with 2, the option and what it takes") {
  cli_world w;
  const auto refused = [&](std::vector<std::string> options, const std::string& piece) {
    CAPTURE(piece);
    w.hosted.reset();
    const auto result = node(w, std::move(options));
    CHECK(result.code == 2);
    CHECK_MESSAGE(has(result.err, piece), result.err);
    CHECK_FALSE(w.hosted);
  };
  for (const std::string option :
       {"http-threads=1", "max-header-bytes=1", "max-body-bytes=1", "max-connections=1", "max-requests=1",
        "max-body-bytes-in-flight=1", "max-pipelining=1", "request-timeout=1", "header-timeout=1",
        "keep-alive-timeout=1", "access-log=-", "shutdown-delay=1", "insecure"})
    refused({"--" + option}, "--" + option.substr(0, option.find('=')) + " goes with --http-address");
  const std::string at = "--http-address=:0";
  refused({"--http-address=here"}, "--http-address takes an address like");
  refused({at, "--http-threads=0"}, "--http-threads takes an integer from 1 to 1024, not 0");
  refused({at, "--max-requests=0"}, "--max-requests takes an integer from 1 to 1000000, not 0");
  refused({at, "--max-body-bytes=x"}, "--max-body-bytes takes a number of bytes");
  refused({at, "--request-timeout=-1"}, "--request-timeout takes seconds");
  refused({at, "--shutdown-delay=-1"}, "--shutdown-delay takes seconds");
  refused({at, "--max-libraries=1"}, "there is no option --max-libraries");
  refused({"--peer-address=h"}, "--peer-address takes an address like");
  refused({"--peer-address=0.0.0.0:7000"}, "--peer-address takes an address that other nodes reach");
  refused({"--peer-address=[::]:7000"}, "not \"[::]:7000\"");
}

TEST_CASE("node: help and completion know the options of its ingress") {
  cli_world w;
  const auto help = w.run({"node", "--help"}).out;
  for (const auto* option :
       {"--http-address HOST:PORT", "--peer-address HOST:PORT", "--http-threads NUMBER", "--request-timeout SECONDS",
        "--access-log FILE", "--shutdown-delay SECONDS", "--insecure", "--max-body-bytes BYTES"})
    CHECK_MESSAGE(has(help, option), help);
  const auto script = w.file("completion.sh", w.run({"completion"}).out);
  CHECK(w.completed(script, "troupe node --http-a", 2) == "--http-address ");
  CHECK(w.completed(script, "troupe node --peer", 2) == "--peer-address ");
  CHECK(w.completed(script, "troupe node --shut", 2) == "--shutdown-delay ");
}

} // namespace troupe::cli_node_http_test
