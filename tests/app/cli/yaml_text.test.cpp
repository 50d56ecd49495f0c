// Configs printed as YAML read back the same.
#include "cli_world.hpp"
#include <troupe/app/cli/yaml_text.hpp>
#include <troupe/app/config/source.hpp>

namespace troupe::yaml_text_test {

using namespace troupe;

namespace {

using question = scripted_server::question;
using answer = scripted_server::answer;

} // namespace

TEST_CASE("config prints a file that reads back the same") {
  cli_world w;
  const json given{{"import_path", "libspell.so:app"},
                   {"args",
                    {{"yes", "no"},
                     {"n", "1.5"},
                     {"empty", ""},
                     {"list", {1, {{"a", nullptr}}, json::array()}},
                     {"text", "a: b\n\"c\" \x7f #"},
                     {"~", true},
                     {"nested", {{"deep", {json::array({1, 2})}}}}}},
                   {"deployments", {{{"name", "speller"}, {"user_config", {{"x", -1.5}}}}}}};
  const scripted_server server{[&](const question& q) {
    if (q.target.ends_with("/config"))
      return answer{200, json{{"given", given}, {"effective", {{"speller", {{"num_replicas", 10}}}}}}.dump()};
    return answer{200, applications_json(deployment_json("HEALTHY", "complete")).dump()};
  }};
  const auto result = w.run(server, {"config"});
  const auto read = config::read_source(result.out, "out.yaml");
  REQUIRE_MESSAGE(read.errors.empty(), to_string(read.errors), result.out);
  auto expected = given;
  expected["name"] = "spell";
  CHECK(read.source.value == json{{"applications", {expected}}});
  const auto effective = json::parse(w.run(server, {"config", "spell", "--effective", "-o", "json"}).out);
  CHECK(effective["applications"][0]["deployments"]["speller"]["num_replicas"] == 10);
}

TEST_CASE("JSON as YAML comes back the same") {
  for (const auto& value :
       {json(nullptr), json("x"), json::array(), json::object(), json::array({json::array({1}), json::array()}),
        json{{"a", {{"b", {{{"c", 1}, {"d", {1, 2}}}}}}}}, json{{"1", "0x1f"}, {"-", "- a"}, {"null", ".inf"}},
        json(18446744073709551615ULL), json(1e300), json("\xC2\x85 \xE2\x80\xA8")}) {
    const auto text = cli::yaml_text(value);
    CAPTURE(text);
    const auto read = config::read_source(text, "a.yaml");
    CHECK(read.errors.empty());
    CHECK(read.source.value == value);
  }
}

} // namespace troupe::yaml_text_test
