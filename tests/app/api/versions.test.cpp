// Versions that are written: they mean the bytes they were deployed with, and whoever brings others is told.
#include "api_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

json version(const std::string& v, json options = json::object()) {
  options["version"] = v;
  return greeter(std::move(options));
}

/// The text of the library's build that answers.
std::string says(const api_fixture& f) {
  return f.rt.handle<plugins::reply(plugins::question)>("a/greeter").async(plugins::question{"x"}).get().text;
}

} // namespace

TEST_CASE("a written version with other bytes is a no-op with a warning, in the plan and in the deploy's answer") {
  api_fixture f;
  CHECK(f.deployed("a", version("1"))["warnings"].empty());
  f.install("greeter_2");
  const auto config = config_of({{"a", version("1")}});
  const auto plan = f.post("/plan", config).value;
  CHECK(plan["changes"][0]["change"] == "none");
  REQUIRE(plan["warnings"].size() == 1);
  const auto warning = plan["warnings"][0].get<std::string>();
  for (const auto* piece :
       {"a/greeter: version \"1\" is written", "the new bytes are not run", "write another version"})
    CHECK_MESSAGE(warning.find(piece) != std::string::npos, warning);

  for (int i = 0; i < 2; ++i) { // also the second time
    const auto one = f.put("/applications/a", version("1")).value;
    CHECK(one["deployments"]["greeter"]["change"] == "none");
    CHECK(one["deployments"]["greeter"]["revision"] == 1);
    CHECK(one["warnings"] == json::array({warning}));
    CHECK(one["revision"] == 1);
    const auto whole = f.put("/applications", config).value;
    CHECK(whole["applications"]["a"]["deployments"]["greeter"]["change"] == "none");
    CHECK(whole["warnings"] == json::array({warning}));
  }
  CHECK(says(f) == "greeter 1: x");
  f.install("greeter_1");
  CHECK(f.deployed("a", version("1"))["warnings"].empty());
}

TEST_CASE("replicas that a written version starts later run its own bytes, too") {
  api_fixture f;
  f.deployed("a", version("1", {{"num_replicas", 1}}));
  f.install("greeter_2");
  const auto scaled = f.deployed("a", version("1", {{"num_replicas", 4}}));
  CHECK(scaled["deployments"]["greeter"]["change"] == "scaled");
  CHECK(scaled["warnings"].size() == 1);
  for (int i = 0; i < 40; ++i)
    CHECK(says(f) == "greeter 1: x");
}

TEST_CASE("another version takes the new bytes, and the old one, deployed again, the old ones") {
  api_fixture f;
  f.deployed("a", version("1"));
  f.install("greeter_2");
  CHECK(f.deployed("a", version("2"))["warnings"].empty());
  CHECK(says(f) == "greeter 2: x");
  const auto back = f.deployed("a", version("1")); // the file has the bytes of version 2
  CHECK(back["deployments"]["greeter"]["change"] == "replaced");
  REQUIRE(back["warnings"].size() == 1);
  CHECK(says(f) == "greeter 1: x");
}

TEST_CASE("with a written version other arguments of the application replace all the same") {
  api_fixture f;
  f.deployed("a", greeter({{"version", "1"}}, {{"args", {{"x", 1}}}}));
  const auto config = greeter({{"version", "1"}}, {{"args", {{"x", 2}}}});
  CHECK(f.post("/plan", config_of({{"a", config}})).value["changes"][0]["change"] == "replaced");
  CHECK(f.deployed("a", config)["deployments"]["greeter"]["change"] == "replaced");
  CHECK(f.deployed("a", config)["deployments"]["greeter"]["change"] == "none");
}

TEST_CASE("without a written version the rebuilt library is rolled out, without a warning") {
  api_fixture f;
  f.deployed("a", greeter());
  f.install("greeter_2");
  const auto rebuilt = f.deployed("a", greeter());
  CHECK(rebuilt["deployments"]["greeter"]["change"] == "replaced");
  CHECK(rebuilt["warnings"].empty());
  CHECK(says(f) == "greeter 2: x");
}
