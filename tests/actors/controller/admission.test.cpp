// What a deploy is refused for, all of it in one answer.
#include <troupe/actors/controller/admission.hpp>
#include <troupe/actors/replica/code.hpp>

#include <doctest/doctest.h>

using namespace troupe;
using controller::problems_of;

namespace {

class fake_code : public code {
public:
  explicit fake_code(code_traits traits) : traits_(std::move(traits)) {}
  const code_traits& traits() const noexcept override { return traits_; }
  std::unique_ptr<instance> construct(const json&) const override { return nullptr; }

private:
  code_traits traits_;
};

deploy_deployment wish(code_traits traits = {"greeter", {}, false, false, false}) {
  deploy_deployment result;
  result.spec.name = "greeter";
  result.user_code = {traits.name, std::make_shared<fake_code>(traits)};
  return result;
}

} // namespace

TEST_CASE("a plain deploy has no problems") { CHECK(problems_of(wish()).empty()); }

TEST_CASE("a user_config for a class without reconfigure is refused and names the field") {
  auto w = wish();
  w.spec.user_config = json_doc{json{{"greeting", "hi"}}};
  const auto problems = problems_of(w);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == field_error{"user_config", R"({"greeting":"hi"})",
                                   "null, because greeter has no `void reconfigure(const troupe::json&)`"});
  w = wish({"greeter", {}, false, true, false});
  w.spec.user_config = json_doc{json{{"greeting", "hi"}}};
  CHECK(problems_of(w).empty());
}

TEST_CASE("init_args for a class that takes none are refused") {
  auto w = wish();
  w.spec.init_args = json_doc{json{1, 2}};
  const auto problems = problems_of(w);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].path == "init_args");
  CHECK(problems[0].value == "[1,2]");
  w = wish({"greeter", {}, true, false, false});
  w.spec.init_args = json_doc{json{1, 2}};
  CHECK(problems_of(w).empty());
}

TEST_CASE("all bad fields come in one answer, those of the code too") {
  auto w = wish();
  w.spec.name = "a#b";
  w.spec.num_replicas = 0;
  w.spec.user_config = json_doc{json("x")};
  w.spec.init_args = json_doc{json("y")};
  std::vector<std::string> paths;
  for (const auto& p : problems_of(w))
    paths.push_back(p.path);
  CHECK(paths == std::vector<std::string>{"name", "num_replicas", "user_config", "init_args"});
}

TEST_CASE("a deploy without code is refused") {
  auto w = wish();
  w.user_code = {"libx.so:app", nullptr};
  const auto problems = problems_of(w);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == field_error{"code", "\"libx.so:app\"", "code that this process has"});
}

TEST_CASE("a long value is cut between characters") {
  auto w = wish();
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "\u00e4"; // two bytes each
  w.spec.user_config = json_doc{json(text)};
  const auto value = problems_of(w).at(0).value;
  CHECK(value.size() <= 100);
  CHECK(value.substr(value.size() - 5) == "\u00e4...");
}

TEST_CASE("without nodes, what says on which nodes is refused by field, value and what is allowed") {
  auto w = wish();
  w.spec.where.strategy = placement_strategy::pack;
  CHECK(problems_of(w).empty()); // means nothing, and would break no promise
  w.spec.where.required = {{"zone", {"a", "b"}, false}};
  w.spec.where.preferred = {{"disk", {"hdd"}, true}};
  w.spec.where.max_replicas_per_node = 2;
  const std::string why =
      ": there are no nodes; replicas run in this process (troupe serve --cluster-address, runtime_options::on_nodes)";
  CHECK(problems_of(w) ==
        std::vector<field_error>{{"ray_actor_options.label_selector", R"x({"zone":"in(a, b)"})x", "{}" + why},
                                 {"preferred_labels", R"({"disk":"!hdd"})", "{}" + why},
                                 {"max_replicas_per_node", "2", "0 (no bound)" + why}});
  CHECK(problems_of(w, true).empty());
}
