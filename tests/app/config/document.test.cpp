// Config files: Ray's schema with our additions, every fault at once, unknown names as warnings.
#include <troupe/app/config/document.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace troupe;
using namespace troupe::config;

namespace {

constexpr auto whole = R"(
proxy_location: EveryNode
http_options: {host: 127.0.0.1, port: 8001, request_timeout_s: 2.5, keep_alive_timeout_s: 30}
grpc_options: {port: 9000, grpc_servicer_functions: []}
logging_config: {encoding: TEXT, log_level: INFO, logs_dir: null, enable_access_log: true}
applications:
- name: spell
  route_prefix: /spell
  import_path: lib/libspell.so:app
  args: {dictionary: en_US}
  runtime_env: {}
  deployments:
  - name: speller
    num_replicas: 10
    user_config: {ignore: [foo]}
    execution: inline
    idempotent: true
    startup_timeout_s: 5
    rolling_update: {max_surge: 2, bake_s: 0.5, canary: 1}
- name: api
  route_prefix: null
  import_path: libapi.so:api
)";

document_result read(const std::string& text) { return read_text(text, "a.yaml"); }

// An application with the given line in place of its own.
document_result read_with(const std::string& line) {
  const auto key = line.substr(0, line.find(':'));
  std::string text = "applications:\n- other_key_for_the_list: 0\n";
  for (const std::string good : {"name: a", "route_prefix: /a", "import_path: libx.so:app"})
    text += "  " + (good.starts_with(key + ':') ? line : good) + '\n';
  if (text.find(line) == std::string::npos)
    text += "  " + line + '\n';
  return read(text);
}

std::string only_error(const document_result& result) {
  REQUIRE_MESSAGE(result.errors.size() == 1, to_string(result.errors));
  return to_string(result.errors[0]);
}

bool is_good(const std::string& line) { return read_with(line).ok(); }

} // namespace

TEST_CASE("a whole file is read") {
  const auto result = read(whole);
  REQUIRE_MESSAGE(result.ok(), to_string(result.errors));
  CHECK(result.warnings.empty());
  const auto& doc = result.document;
  CHECK(doc.http.host == "127.0.0.1");
  CHECK(doc.http.port == 8001);
  CHECK(doc.http.request_timeout == milliseconds{2500});
  CHECK(doc.http.keep_alive_timeout == milliseconds{30'000});
  REQUIRE(doc.applications.size() == 2);
  const auto& app = doc.applications[0];
  CHECK(app.name == "spell");
  CHECK(app.route_prefix == "/spell");
  CHECK(app.import_path == "lib/libspell.so:app");
  CHECK(app.args == json{{"dictionary", "en_US"}});
  REQUIRE(app.deployments.size() == 1);
  CHECK(app.deployments[0]["rolling_update"]["canary"] == 1);
  CHECK(app.as_given["deployments"] == doc.as_given["applications"][0]["deployments"]);
  CHECK_FALSE(doc.applications[1].route_prefix);
}

TEST_CASE("the same as JSON gives the same document") {
  const auto as_yaml = read(whole);
  const auto as_json = read_text(as_yaml.document.as_given.dump(), "a.json");
  REQUIRE(as_json.ok());
  CHECK(as_json.document.as_given == as_yaml.document.as_given);
  CHECK(read_json(as_yaml.document.as_given).document.applications[0].deployments ==
        as_yaml.document.applications[0].deployments);
}

TEST_CASE("what is left out is Ray's default") {
  const auto result = read("applications: [{import_path: 'libx.so:app'}]");
  REQUIRE(result.ok());
  const auto& app = result.document.applications.at(0);
  CHECK(app.name == "default");
  CHECK(app.route_prefix == "/");
  CHECK(app.args == json::object());
  CHECK_FALSE(app.request_timeout);
  CHECK(result.document.http == http_options{});
  CHECK_FALSE(result.document.proxies);
  CHECK(read("applications: []").ok());
}

TEST_CASE(
    "every fault is told at once, in the order of the text, with file, line, column, path, value, what is allowed") {
  const auto result = read(R"(applications:
- name: a/b
  import_path: module.app
  deployments:
  - name: d
    num_replicas: 0
    rolling_update: {max_surge: 0%}
  - num_replicas: 1
target_capacity: 50
)");
  REQUIRE(result.errors.size() == 6);
  CHECK(to_string(result.errors[0])
            .starts_with("a.yaml:2:3: applications[0].name: \"a/b\" is not allowed; expected 1 to"));
  CHECK(to_string(result.errors[1])
            .starts_with("a.yaml:3:3: applications[0].import_path: \"module.app\" is not allowed"));
  CHECK(to_string(result.errors[2]) == "a.yaml:6:5: applications[0].deployments[0].num_replicas: 0 is not allowed; "
                                       "expected an integer from 1 to 10000000");
  CHECK(result.errors[3].path == "applications[0].deployments[0].rolling_update.max_surge");
  CHECK(result.errors[3].column == 22);
  CHECK(result.errors[4].path == "applications[0].deployments[1].name");
  CHECK(result.errors[4].line == 8);
  CHECK(result.errors[5].path == "target_capacity");
}

TEST_CASE("unknown names are ignored with a warning, as Ray does, and a suggestion") {
  const auto result = read(R"(applications:
- name: a
  import_path: libx.so:app
  route_prefx: /b
  deployments:
  - {name: d, num_replica: 2, application: z}
colour: red
)");
  CHECK(result.ok());
  REQUIRE(result.warnings.size() == 4);
  CHECK(result.warnings[0] == "a.yaml:7:1: colour: no option has this name, it is ignored");
  CHECK(result.warnings[1] ==
        "a.yaml:4:3: applications[0].route_prefx: no option has this name, it is ignored; did you "
        "mean \"route_prefix\"?");
  CHECK(result.warnings[2].find("belongs to the application it stands in") != std::string::npos);
  CHECK(result.warnings[3] == "a.yaml:6:15: applications[0].deployments[0].num_replica: no option has this name, it is "
                              "ignored; did you mean \"num_replicas\"?");
}

TEST_CASE("unknown names within our own groups are errors: a mistyped knob must not be believed in") {
  const auto result = read_with("deployments: [{name: d, rolling_update: {max_serge: 2}}]");
  CHECK(only_error(result).find("did you mean \"rolling_update.max_surge\"?") != std::string::npos);
  CHECK_FALSE(is_good("deployments: [{name: d, backpressure_config: {status: 503}}]"));
}

TEST_CASE("what troupe lacks is refused by name where it asks for something") {
  for (const auto* line :
       {"deployments: [{name: d, autoscaling_config: {max_replicas: 3}}]",
        "deployments: [{name: d, autoscaling_config: {}}]", "deployments: [{name: d, num_replicas: auto}]",
        "deployments: [{name: d, gang_scheduling_config: {gang_size: 2}}]",
        "deployments: [{name: d, deployment_actors: [{name: x}]}]",
        "deployments: [{name: d, placement_group_bundles: [{CPU: 1}]}]",
        "deployments: [{name: d, ray_actor_options: {accelerator_type: A100}}]",
        "deployments: [{name: d, ray_actor_options: {fallback_strategy: [{label_selector: {a: b}}]}}]",
        "deployments: [{name: d, label_selector: {zone: a}}]",
        "deployments: [{name: d, logging_config: {log_level: DEBUG}}]",
        "deployments: [{name: d, import_path: 'x.so:y'}]", "deployments: [{name: d, route_prefix: /x}]",
        "autoscaling_policy: {a: 1}", "external_scaler_enabled: true", "logging_config: {log_level: DEBUG}",
        "runtime_env: {pip: [numpy]}", "host: 0.0.0.0"}) {
    CAPTURE(line);
    const auto result = read_with(line);
    REQUIRE_MESSAGE(result.errors.size() == 1, to_string(result.errors));
    CHECK(result.errors[0].path.starts_with("applications[0]."));
  }
  CHECK(is_good("deployments: [{name: d, ray_actor_options: {label_selector: {zone: 'in(a, b)', disk: '!hdd'}}, "
                "preferred_labels: {gpu: a100}, placement_strategy: pack, max_replicas_per_node: 2}]"));
  CHECK(only_error(read_with("deployments: [{name: d, preferred_labels: {gpu: 'in(a'}}]"))
            .find("preferred_labels.gpu: \"in(a\" is not allowed; expected an object of at most 32 labels") !=
        std::string::npos);
  for (const auto* line :
       {"deployments: [{name: d, ray_actor_options: {}, autoscaling_config: null, num_replicas: null}]",
        "external_scaler_enabled: false", "autoscaling_policy: null", "logging_config: null", "runtime_env: null",
        "deployments: null", "args: null"}) {
    CAPTURE(line);
    CHECK(is_good(line));
  }
  for (const auto* top : {"target_capacity: 50", "controller_options: {runtime_env: {env_vars: {A: b}}}",
                          "tracing_config: {enabled: true}", "grpc_options: {grpc_servicer_functions: ['a:b']}",
                          "proxy_location: Disabled", "http_options: {root_path: /x}", "http_options: {ssl_keyfile: k}",
                          "http_options: {port: 70000}", "http_options: {host: 'a b'}",
                          "http_options: {request_timeout_s: 0}", "http_options: []"}) {
    CAPTURE(top);
    CHECK(read(std::string("applications: []\n") + top).errors.size() == 1);
  }
  for (const auto* top : {"target_capacity: null", "tracing_config: null", "controller_options: {}",
                          "proxy_location: null", "http_options: {root_path: '', ssl_keyfile: null, port: null}"}) {
    CAPTURE(top);
    CHECK(read(std::string("applications: []\n") + top).ok());
  }
}

TEST_CASE("a proxy location is one of two names, or not given") {
  const auto proxies = [](const std::string& value) {
    return read("applications: []\nproxy_location: " + value).document.proxies;
  };
  CHECK(proxies("EveryNode") == proxy_location::every_node);
  CHECK(proxies("HeadOnly") == proxy_location::head_only);
  CHECK_FALSE(proxies("null"));
  for (const std::string bad : {"Disabled", "headonly", "7", "[HeadOnly]", "{}", "true"}) {
    const auto result = read("applications: []\nproxy_location: " + bad);
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].path == "proxy_location");
    CHECK(result.errors[0].line == 2);
    CHECK(result.errors[0].allowed == "\"EveryNode\" or \"HeadOnly\": the daemon always takes HTTP");
  }
  for (const auto x : {proxy_location::every_node, proxy_location::head_only})
    CHECK(parse_proxy_location(to_string(x)) == x);
  CHECK_FALSE(parse_proxy_location("Disabled"));
}

TEST_CASE("a timeout of null means none, and is not the same as left out") {
  CHECK(read("applications: []\nhttp_options: {request_timeout_s: null}").document.http.request_timeout ==
        milliseconds{0});
}

TEST_CASE("import paths are a library and a symbol") {
  for (const auto* good : {"libx.so:app", "/opt/x/liby.so.1:App_2", "a:b.so:_", "x:y"})
    CHECK(is_good(std::string("import_path: '") + good + "'"));
  for (const auto* bad :
       {"", "app", "module.app", ":app", "libx.so:", "libx.so:1a", "libx.so:a b", "dir/:app", "libx.so:a-b"})
    CHECK_FALSE(is_good(std::string("import_path: '") + bad + "'"));
  CHECK_FALSE(is_good("import_path: \"a\\0.so:app\""));
  CHECK_FALSE(is_good("import_path: 5"));
  CHECK(only_error(read("applications: [{name: a}]")).find("applications[0].import_path: nothing") !=
        std::string::npos);
}

TEST_CASE("route prefixes are whole segments from the root") {
  for (const auto* good : {"/", "/a", "/a/b-c_d.e~", "/\xC3\xA9", "null", "/-a"})
    CHECK(is_good(std::string("route_prefix: ") + good));
  for (const auto* bad : {"''", "a", "/a/", "//", "/a//b", "/{x}", "/a b", "/a?b", "/a#", "/%41", "/..", "/a/./b", "/-",
                          "/-/routes", "5", "\"/a\\n\"", "[]"})
    CHECK_FALSE(is_good(std::string("route_prefix: ") + (bad[0] == '/' ? "'" + std::string(bad) + "'" : bad)));
  CHECK_FALSE(is_good("route_prefix: /" + std::string(1024, 'a')));
}

TEST_CASE("names and route prefixes of applications are unique, names of deployments within theirs") {
  auto error = only_error(read("applications:\n- {import_path: 'a.so:x', route_prefix: /a}\n"
                               "- {import_path: 'b.so:x', name: default, route_prefix: /b}\n"));
  CHECK(error.find("a.yaml:3:27: applications[1].name: \"default\" is not allowed") != std::string::npos);
  error = only_error(read("applications:\n- {import_path: 'a.so:x', name: a}\n- {import_path: 'b.so:x', name: b}\n"));
  CHECK(error.find("applications[1].route_prefix: \"/\"") != std::string::npos);
  CHECK(error.find("it is the default where none is written") != std::string::npos);
  error = only_error(read_with("deployments: [{name: d}, {name: e}, {name: d}]"));
  CHECK(error.find("deployments[0] has it too") != std::string::npos);
  CHECK(read("applications:\n- {import_path: 'a.so:x', name: a, route_prefix: null, deployments: [{name: d}]}\n"
             "- {import_path: 'b.so:x', name: b, route_prefix: null, deployments: [{name: d}]}\n")
            .ok());
}

TEST_CASE("rules across options wait for what the code declares") {
  CHECK(is_good("deployments: [{name: d, rolling_update: {canary: 4}}]"));
  CHECK_FALSE(is_good("deployments: [{name: d, rolling_update: {canary: -1}}]"));
}

TEST_CASE("wrong types are told everywhere and nothing is thrown") {
  for (const json& bad : {json(nullptr), json(5), json("x"), json::array({1}), json{{"a", 1}}, json(true), json(1.5)}) {
    CAPTURE(bad);
    CHECK_FALSE(read_json(bad).ok());
    CHECK((read_json({{"applications", bad}}).ok() == false));
    CHECK_FALSE(read_json({{"applications", json::array({bad})}}).ok());
    for (const auto* key : {"name", "import_path", "deployments", "args", "route_prefix", "runtime_env"}) {
      json app{{"name", "a"}, {"import_path", "a.so:x"}};
      app[key] = bad;
      read_json({{"applications", json::array({app})}});
    }
    read_json({{"applications", json::array()}, {"http_options", bad}, {"logging_config", bad}, {"grpc_options", bad}});
  }
  json deep = 1;
  for (int i = 0; i < 1000; ++i)
    deep = json::array({std::move(deep)});
  CHECK(only_error(read_json({{"applications", deep}})).find("nests deeper") != std::string::npos);
}

TEST_CASE("after a hundred problems the rest is counted") {
  std::string text = "applications:\n";
  for (int i = 0; i < 150; ++i)
    text += "- 1\n";
  const auto result = read(text);
  CHECK(result.errors.size() == max_problems + 1);
  CHECK(to_string(result.errors.back()) == "a.yaml: and 50 more problems");
}

TEST_CASE("one application by itself takes its name from the address") {
  auto one = read_application_text("{\"import_path\": \"a.so:x\"}", "body", "shop");
  REQUIRE(one.ok());
  CHECK(one.application.name == "shop");
  one = read_application_text("{\"import_path\": \"a.so:x\",\n\"name\": \"other\"}", "body", "shop");
  REQUIRE(one.errors.size() == 1);
  CHECK(to_string(one.errors[0]).starts_with("body:2:1: name: \"other\" is not allowed; expected \"shop\""));
  one = read_application_text("{\"deployments\": [{\"name\": \"d\", \"num_replicas\": 0}]}", "body", "a/b");
  CHECK(one.errors.size() == 3);
  CHECK(read_application_json(json::array(), "a").errors.size() == 1);
}

TEST_CASE("files: what cannot be read is one clear error") {
  const auto folder = std::filesystem::temp_directory_path() / ("troupe_config_" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  CHECK(only_error(read_file(folder / "none.yaml")).ends_with("none.yaml: there is no such file"));
  CHECK(only_error(read_file(folder)).ends_with("is a directory, not a config file"));
  std::ofstream{folder / "a.yaml"} << whole;
  CHECK(read_file(folder / "a.yaml").ok());
  std::ofstream{folder / "big.yaml"} << std::string(max_text_bytes + 1, '#');
  CHECK(only_error(read_file(folder / "big.yaml")).find("at most 10000000 are read") != std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a key that is given twice does not hide what else is wrong") {
  const auto result = read("applications:\n- name: a/b\n  name: c\n  import_path: libx.so:app\n");
  REQUIRE(result.errors.size() == 2);
  CHECK(to_string(result.errors[0]).starts_with("a.yaml:2:3: applications[0].name: \"a/b\""));
  CHECK(to_string(result.errors[1]) == "a.yaml:3:3: the key \"name\" is given twice");
}
