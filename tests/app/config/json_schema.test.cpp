// The JSON Schema accepts what the reader accepts, refuses nothing else, and the shipped file is the generated one.
#include "schema_checker.hpp"
#include <troupe/app/config/document.hpp>
#include <troupe/app/config/json_schema.hpp>
#include <troupe/app/config/keys.hpp>
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace troupe;
using namespace troupe::config;

namespace {

const auto top = std::filesystem::path{TROUPE_TEST_SOURCE_DIR}.parent_path();

json with_options(json options) {
  options["name"] = "d";
  return {{"applications", {{{"import_path", "libx.so:app"}, {"deployments", {std::move(options)}}}}}};
}

json with_key(const std::string& key, const json& value) {
  json app{{"import_path", "libx.so:app"}};
  app[key] = value;
  return {{"applications", json::array({std::move(app)})}};
}

json with_top(const std::string& key, const json& value) {
  json result{{"applications", json::array()}};
  result[key] = value;
  return result;
}

} // namespace

TEST_CASE("the schema accepts the example configs and every option at its default") {
  const schema_checker schema{json_schema()};
  std::size_t files = 0;
  for (const auto* folder : {"examples", "fuzz/corpus/config"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator{top / folder})
      if (const auto ending = entry.path().extension(); ending == ".yaml" || ending == ".json") {
        const auto read = read_file(entry.path());
        if (!read.ok())
          continue;
        CAPTURE(entry.path().string());
        CHECK(schema.check(read.document.as_given) == "");
        ++files;
      }
  CHECK(files >= 2);
  deployment_spec spec;
  spec.name = "d";
  auto options = to_json(spec);
  options.erase("application");
  const auto all = with_options(options);
  CHECK(schema.check(all) == "");
  CHECK(read_json(all).ok());
  CHECK(read_json(all).warnings.empty());
}

TEST_CASE("every known key is in the schema, with a description") {
  const auto schema = json_schema();
  const auto expect = [](const json& object, std::span<const key_rule> keys) {
    for (const auto& rule : keys) {
      CAPTURE(rule.name);
      CHECK(object["properties"].contains(std::string(rule.name)) == !rule.is_refused);
    }
  };
  expect(schema, document_keys());
  expect(schema["$defs"]["http_options"], http_keys());
  expect(schema["$defs"]["application"], application_keys());
  const auto& known = schema["$defs"]["deployment"]["properties"];
  auto options = to_json(deployment_spec{});
  options.erase("application");
  for (const auto& [key, value] : options.items()) {
    CAPTURE(key);
    REQUIRE(known.contains(key));
    if (key != "rolling_update" && key != "backpressure_config" && key != "ray_actor_options") {
      CHECK_FALSE(known[key]["description"].get<std::string>().empty());
      continue;
    }
    for (const auto& [inner, ignored] : value.items())
      CHECK(known[key]["properties"].contains(inner));
    const std::size_t refused_by_name = key == "ray_actor_options" ? 3 : 0; // unless they ask for nothing
    CHECK(known[key]["properties"].size() == value.size() + refused_by_name);
  }
  for (const auto* ray : {"rolling_update_percentage", "max_surge_percent", "graceful_shutdown_wait_loop_s"})
    CHECK(known.contains(ray));
}

TEST_CASE("the schema refuses known-bad configs, and nothing that the reader accepts") {
  const schema_checker schema{json_schema()};
  const std::vector<json> values{nullptr,
                                 true,
                                 false,
                                 0,
                                 1,
                                 -1,
                                 2,
                                 20,
                                 100,
                                 101,
                                 429,
                                 503,
                                 0.5,
                                 3.0,
                                 1e9,
                                 "",
                                 "x",
                                 "20%",
                                 "0%",
                                 "5",
                                 "/a",
                                 "/a/",
                                 "a.so:b",
                                 "pool",
                                 "stop_first",
                                 "auto",
                                 json::object(),
                                 json::array(),
                                 json{{"a", 1}},
                                 json{1},
                                 10'000'001,
                                 "TEXT",
                                 "EveryNode",
                                 "Disabled",
                                 std::string(300, 'x')};
  std::vector<json> documents;
  const auto spec = to_json(deployment_spec{});
  for (const auto& value : values) {
    for (const auto& [key, ignored] : spec.items()) {
      if (key != "application")
        documents.push_back(with_options({{key, value}}));
      if (ignored.is_object() && key != "init_args")
        for (const auto& [inner, nothing] : ignored.items())
          documents.push_back(with_options({{key, {{inner, value}}}}));
    }
    for (const auto* key : {"accelerator_type", "fallback_strategy", "runtime_env"})
      documents.push_back(with_options({{"ray_actor_options", {{key, value}}}}));
    for (const auto* key :
         {"rolling_update_percentage", "max_surge_percent", "graceful_shutdown_wait_loop_s", "logging_config"})
      documents.push_back(with_options({{key, value}}));
    for (const auto& rule : application_keys())
      documents.push_back(with_key(std::string(rule.name), value));
    for (const auto& rule : document_keys())
      documents.push_back(with_top(std::string(rule.name), value));
    for (const auto& rule : http_keys())
      documents.push_back(with_top("http_options", {{std::string(rule.name), value}}));
  }
  std::size_t refused = 0;
  for (const auto& document : documents) {
    const auto why = schema.check(document);
    if (why.empty())
      continue;
    ++refused;
    CAPTURE(document.dump());
    CAPTURE(why);
    CHECK_FALSE(read_json(document).ok());
  }
  CHECK(refused > 500);
  for (const auto& bad :
       {json(1), json::object(), with_options({{"num_replicas", 0}}), with_options({{"execution", "fork"}}),
        with_options({{"rolling_update", {{"max_serge", 1}}}}), with_key("import_path", "module.app"),
        with_key("route_prefix", "a"), with_top("http_options", {{"port", -1}})}) {
    CAPTURE(bad.dump());
    CHECK(schema.check(bad) != "");
  }
}

TEST_CASE("the shipped schema is the generated one; `troupe schema` writes it anew") {
  std::ifstream in{top / "docs" / "config.schema.json"};
  const std::string shipped{std::istreambuf_iterator<char>{in}, {}};
  CHECK(shipped == json_schema().dump(2) + "\n");
}
