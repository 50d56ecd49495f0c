// Command lines: which command, which options, what is told about mistakes.
#include "cli_world.hpp"
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/command.hpp>

namespace troupe::command_line_test {

using namespace troupe;

namespace {

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

} // namespace

TEST_CASE("help lists every command, and every command has help with an example of itself") {
  cli_world w;
  const auto all = w.run({"--help"});
  CHECK(all.code == 0);
  for (const auto& c : cli::commands()) {
    const std::string name{c.name};
    CAPTURE(name);
    CHECK(has(all.out, "\n  " + name + ' '));
    std::vector<std::string> words;
    std::istringstream split{name};
    for (std::string word; split >> word;)
      words.push_back(word);
    words.emplace_back("--help");
    const auto one = w.run(words);
    CHECK(one.code == 0);
    CHECK(has(one.out, "usage: troupe " + name));
    CHECK(has(one.out, "troupe " + name + ' ') == true);
    CHECK(has(one.out, "Examples:\n"));
    CHECK(has(one.out, "--api-address") == (c.is_client || name == "serve"));
  }
  CHECK(w.run({"help", "deploy"}).out == w.run({"deploy", "-h"}).out);
  CHECK(has(w.run({"rollout", "--help"}).out, "rollout undo"));
}

TEST_CASE("mistakes end with 2, say what is there instead, and go to stderr") {
  cli_world w;
  const auto refused = [&](std::vector<std::string> words, const std::string& piece) {
    CAPTURE(piece);
    const auto result = w.run(words);
    CHECK(result.code == 2);
    CHECK(result.out == "");
    CHECK_MESSAGE(has(result.err, piece), result.err);
  };
  refused({}, "usage: troupe COMMAND");
  refused({"dploy"}, "did you mean \"deploy\"?");
  refused({"rolout"}, "did you mean \"rollout\"?");
  refused({"clster"}, "did you mean \"cluster\"?");
  refused({"rollout"}, "needs one of: status, pause, resume");
  refused({"rollout", "puase", "x"}, "did you mean \"pause\"?");
  refused({"deploy"}, "it needs FILE");
  refused({"deploy", "a", "b"}, "\"b\" is one argument too many");
  refused({"deploy", "a", "--wiat"}, "there is no option --wiat; did you mean \"--wait\"?");
  refused({"deploy", "a", "--if-revision", "x"}, "if-revision");
  refused({"status", "--output", "xml"}, "--output takes \"text\" or \"json\", not \"xml\"");
  refused({"status", "--timeout", "0"}, "--timeout takes seconds");
  refused({"status", "--api-address", "https://x"}, "--api-address takes an address");
  refused({"scale", "a", "-1"}, "-1");
  refused({"scale", "a", "many"}, "is no number of replicas");
  refused({"scale", "a/b/c", "1"}, "is not the name of a deployment");
  refused({"completion", "fish"}, "there is one for bash");
  refused({"serve", "--log-level", "warnin"}, "did you mean \"warning\"?");
}

TEST_CASE("no daemon: 3, and what to do") {
  cli_world w;
  std::string address;
  {
    const scripted_server gone{[](const auto&) { return scripted_server::answer{}; }};
    address = gone.address();
  }
  const auto result = w.run({"status", "--api-address", address});
  CHECK(result.code == 3);
  CHECK(has(result.err, "no daemon answers at " + address));
  CHECK(has(result.err, "troupe serve"));
}

TEST_CASE("addresses") {
  using cli::parse_endpoint;
  const auto is = [](const std::string& text, const std::string& host, std::uint16_t port) {
    CAPTURE(text);
    CHECK(parse_endpoint(text, "--x") == daemon::endpoint{host, port});
  };
  is("127.0.0.1:8265", "127.0.0.1", 8265);
  is("[::1]:80", "::1", 80);
  is(":8000", "127.0.0.1", 8000);
  is("8000", "127.0.0.1", 8000);
  is("localhost:0", "localhost", 0);
  is("http://127.0.0.1:8265/", "127.0.0.1", 8265);
  CHECK(cli::to_string(daemon::endpoint{"::1", 80}) == "[::1]:80");
  for (const auto* bad :
       {"", "host", "host:", "host:65536", "host:-1", "::1:80", "a/b:80", "u@h:80", "https://h:80", "h:8 "})
    CHECK_THROWS_AS(parse_endpoint(bad, "--x"), cli::failure);
}

TEST_CASE("amounts of bytes") {
  CHECK(cli::parse_bytes("65536", "--x") == 65536);
  CHECK(cli::parse_bytes("64KiB", "--x") == 65536);
  CHECK(cli::parse_bytes("1GiB", "--x") == std::size_t{1} << 30U);
  CHECK(cli::parse_bytes("2TiB", "--x") == std::size_t{2} << 40U);
  for (const auto* bad :
       {"", "0", "KiB", "1KB", "1.5MiB", "-1", "99999999999999999999", "18446744073709551615GiB", "16777216TiB"})
    CHECK_THROWS_AS(cli::parse_bytes(bad, "--x"), cli::failure);
}

TEST_CASE("the data directory: the option, then TROUPE_DATA_DIR, XDG_STATE_HOME, the home") {
  cli_world w;
  const auto dir = [&](const std::string& option) {
    std::vector<std::string> words{"serve"};
    if (!option.empty())
      words.insert(words.end(), {"--data-dir", option});
    const auto result = w.run(words);
    return result.code == 0 ? w.served->data_dir.string() : result.err;
  };
  w.variables["HOME"] = "/home/x";
  w.variables["XDG_STATE_HOME"] = "/state";
  w.variables["TROUPE_DATA_DIR"] = "/troupe";
  CHECK(dir("given") == "given");
  CHECK(dir("") == "/troupe");
  w.variables.erase("TROUPE_DATA_DIR");
  CHECK(dir("") == "/state/troupe");
  w.variables["XDG_STATE_HOME"] = "relative";
  CHECK(dir("") == "/home/x/.local/state/troupe");
  w.variables.erase("HOME");
  CHECK(has(dir(""), "set TROUPE_DATA_DIR"));
}

TEST_CASE("serve: what is not given is the daemon's default") {
  cli_world w;
  REQUIRE(w.run({"serve"}).code == 0);
  CHECK(w.served->config_file.empty());
  CHECK_FALSE(w.served->http_address);
  CHECK(w.served->api_address == daemon::endpoint{"127.0.0.1", 8265});
  CHECK(w.served->http_threads == 1);
  CHECK_FALSE(w.served->limits.body_bytes);
  CHECK(w.served->shutdown_timeout == std::chrono::seconds{30});
}

TEST_CASE("serve: every option arrives") {
  cli_world w;
  const auto result = w.run({"serve",
                             "app.yaml",
                             "--http-address=0.0.0.0:1",
                             "--api-address=:2",
                             "--metrics-address=:3",
                             "--data-dir=/d",
                             "--code-dir=/a",
                             "--code-dir=/b",
                             "--secrets-dir=/s",
                             "--no-token",
                             "--insecure",
                             "--http-threads=2",
                             "--threads=3",
                             "--max-replicas=4",
                             "--max-header-bytes=5KiB",
                             "--max-body-bytes=6MiB",
                             "--max-connections=7",
                             "--max-requests=8",
                             "--max-body-bytes-in-flight=9",
                             "--max-pipelining=10",
                             "--request-timeout=0",
                             "--header-timeout=1.5",
                             "--keep-alive-timeout=12",
                             "--max-libraries=13",
                             "--max-library-bytes=14",
                             "--shutdown-delay=15",
                             "--shutdown-timeout=16",
                             "--resources=num_gpus=2",
                             "--access-log=-",
                             "--log-level=debug",
                             "-q"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto& o = *w.served;
  CHECK(o.config_file == "app.yaml");
  CHECK(o.http_address == daemon::endpoint{"0.0.0.0", 1});
  CHECK(o.api_address.port == 2);
  CHECK(o.metrics_address->port == 3);
  CHECK(o.data_dir == "/d");
  CHECK(o.code_dirs == std::vector<std::filesystem::path>{"/a", "/b"});
  CHECK(o.secrets_dir == "/s");
  CHECK(o.no_token);
  CHECK(o.insecure);
  CHECK(o.http_threads == 2);
  CHECK(o.worker_threads == 3);
  CHECK(o.max_replicas == 4);
  CHECK(o.local->of("num_gpus") == 20'000);
  CHECK(o.limits.header_bytes == 5 * 1024);
  CHECK(o.limits.body_bytes == 6 * 1024 * 1024);
  CHECK(o.limits.connections == 7);
  CHECK(o.limits.requests_in_flight == 8);
  CHECK(o.limits.body_bytes_in_flight == 9);
  CHECK(o.limits.pipelining == 10);
  CHECK(o.limits.request_timeout == std::chrono::milliseconds{0});
  CHECK(o.limits.header_timeout == std::chrono::milliseconds{1500});
  CHECK(o.limits.keep_alive_timeout == std::chrono::seconds{12});
  CHECK(o.limits.loaded_libraries == 13);
  CHECK(o.limits.loaded_bytes == 14);
  CHECK(o.shutdown_delay == std::chrono::seconds{15});
  CHECK(o.shutdown_timeout == std::chrono::seconds{16});
  CHECK(o.access_log == "-");
  CHECK(o.log_level == daemon::log_level::debug);
  CHECK(o.quiet);
  for (const auto* bad :
       {"--http-threads=0", "--http-threads=1025", "--max-connections=-1", "--max-body-bytes=x",
        "--shutdown-timeout=-1", "--request-timeout=nan", "--max-replicas=10000001", "--resources=num_cpus=x"}) {
    CAPTURE(bad);
    CHECK(w.run({"serve", bad}).code == 2);
  }
}

TEST_CASE("the completion script is bash, and completes commands, options and names") {
  cli_world w;
  const scripted_server server{[](const auto&) {
    return scripted_server::answer{200, applications_json(deployment_json("HEALTHY", "complete")).dump()};
  }};
  CHECK(w.run(server, {"completion", "--names"}).out == "spell\nspell/speller\n");
  const auto script = w.file("completion.sh", w.run({"completion"}).out);
  const auto complete = [&](const std::string& words, int at) { return w.completed(script, words, at); };
  CHECK(complete("troupe de", 1) == "deploy delete ");
  CHECK(complete("troupe rollout re", 2) == "resume restart ");
  CHECK(complete("troupe cluster s", 2) == "show ");
  CHECK(complete("troupe cluster certificate --role c", 4) == "client controller ");
  CHECK(complete("troupe rollout undo --to", 3) == "--to-revision ");
  CHECK(complete("troupe status --output j", 3) == "json ");
  CHECK(complete("troupe completion b", 2) == "bash ");
}

TEST_CASE("version and schema need no daemon") {
  cli_world w;
  w.variables["TROUPE_API_ADDRESS"] = "127.0.0.1:1";
  const auto version = w.run({"version", "--output", "json"});
  CHECK(version.code == 0);
  CHECK(json::parse(version.out)["client"]["caf"] == "0.17.6");
  CHECK(json::parse(version.out)["daemon"].is_null());
  CHECK(json::parse(w.run({"schema"}).out)["title"] == "troupe config file");
}

} // namespace troupe::command_line_test
