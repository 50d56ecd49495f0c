// What one is told who names a deployment that is not there.
#include <troupe/actors/controller/suggest.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using controller::unknown_deployment;

namespace {

std::string told(const deployment_name& asked, const std::vector<deployment_name>& known) {
  const auto e = unknown_deployment(asked, known);
  CHECK(e.code == errc::unknown_deployment);
  return e.message;
}

} // namespace

TEST_CASE("an unknown name is told what there is") {
  CHECK(told({"default", "x"}, {}) == "no deployment is named \"x\"; none is deployed yet");
  CHECK(told({"default", "zebra"}, {{"default", "spell"}, {"text", "count"}}) ==
        "no deployment is named \"zebra\". There are: spell, text/count");
}

TEST_CASE("a typing error is recognised") {
  CHECK(told({"default", "spel"}, {{"default", "ping"}, {"default", "spell"}}) ==
        "no deployment is named \"spel\"; did you mean \"spell\"? There are: ping, spell");
}

TEST_CASE("the same name in another application is what was meant") {
  CHECK(told({"default", "count"}, {{"default", "mount"}, {"text", "count"}}) ==
        "no deployment is named \"count\"; did you mean \"text/count\"? There are: mount, text/count");
}

TEST_CASE("a long list is cut") {
  std::vector<deployment_name> known;
  for (int i = 10; i < 22; ++i)
    known.push_back({"default", "deployment" + std::to_string(i)});
  const auto text = told({"default", "x"}, known);
  CHECK(text.find("deployment19 and 2 more") != std::string::npos);
  CHECK(text.find("deployment20") == std::string::npos);
}
