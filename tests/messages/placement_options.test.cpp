// Where replicas may run: labels in Ray's form, what is refused, and what stays equal.
#include "spec_checks.hpp"
#include <troupe/messages/placement_options.hpp>
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <string>

namespace troupe::placement_options_test {

using namespace troupe;

namespace {

constexpr const char* allowed = "an object of at most 32 labels, each with \"a\", \"!a\", \"in(a, b)\" or \"!in(a, "
                                "b)\" (labels of 1 to 128 characters "
                                "without '#' and '/', values also without ',', '(', ')' and '!')";

label_rule rule(const std::string& text) {
  const auto read = read_label_rule("zone", text);
  REQUIRE_MESSAGE(read, text);
  return *read;
}

} // namespace

TEST_CASE("a rule on a label has four forms, and is written in the shortest") {
  struct row {
    const char* text;
    label_rule is;
    const char* written;
  };
  for (const auto& x : {row{"a", {"zone", {"a"}, false}, "a"},
                        {"!a", {"zone", {"a"}, true}, "!a"},
                        {"in(a, b)", {"zone", {"a", "b"}, false}, "in(a, b)"},
                        {"!in(a, b)", {"zone", {"a", "b"}, true}, "!in(a, b)"},
                        {"in(b,a , b)", {"zone", {"a", "b"}, false}, "in(a, b)"},
                        {"in(a)", {"zone", {"a"}, false}, "a"},
                        {"! in( a )", {"zone", {"a"}, true}, "!a"},
                        {" a.b-c_d:1 e ", {"zone", {"a.b-c_d:1 e"}, false}, "a.b-c_d:1 e"},
                        {"index", {"zone", {"index"}, false}, "index"},
                        {"ä", {"zone", {"ä"}, false}, "ä"}}) {
    CAPTURE(x.text);
    CHECK(rule(x.text) == x.is);
    CHECK(to_string(x.is) == x.written);
    CHECK(rule(x.written) == x.is);
  }
}

TEST_CASE("what is no rule is told with its label, its value and what is allowed") {
  for (const json& bad : {json(""), json("!"), json("!!a"), json("in()"), json("in(a"), json("in(a,)"), json("in(,a)"),
                          json("in(a, in(b))"), json("a, b"), json("a)"), json("a/b"), json("a#b"), json("a\nb"),
                          json(std::string(129, 'a')), json(1), json(true), json(nullptr), json::array({"a"})})
    for (const std::string path : {"ray_actor_options.label_selector", "preferred_labels"}) {
      CAPTURE(bad.dump());
      const auto errors = read_spec(with(path, {{"zone", bad}})).errors;
      REQUIRE(errors.size() == 1);
      CHECK(errors[0].path == path + ".zone");
      CHECK(errors[0].value.substr(0, 90) == bad.dump().substr(0, 90));
      CHECK(errors[0].allowed == allowed);
    }
  CHECK(read_spec(with("preferred_labels", {{"", "a"}})).errors.size() == 1);
  CHECK(read_spec(with("preferred_labels", {{"a/b", "a"}})).errors.at(0).path == "preferred_labels.a/b");
  for (const json& bad : {json("zone=a"), json(1), json::array()}) {
    CHECK(rejects("preferred_labels", bad).allowed == allowed);
    CHECK(rejects("ray_actor_options.label_selector", bad).allowed == allowed);
  }
  auto many = json::object();
  for (int i = 0; i < 33; ++i)
    many["l" + std::to_string(i)] = "a";
  rejects("preferred_labels", many);
  many.erase("l0");
  accepts("preferred_labels", many);
  std::string values = "in(0";
  for (int i = 1; i < 64; ++i)
    values += ", " + std::to_string(i);
  accepts("preferred_labels", {{"zone", values + ")"}});
  CHECK(read_spec(with("preferred_labels", {{"zone", values + ", 64)"}})).errors.size() == 1);
}

TEST_CASE("the strategy has two values, the bound per node is a count") {
  accepts("placement_strategy", "spread");
  accepts("placement_strategy", "pack");
  for (const json& bad : {json("SPREAD"), json("strict"), json(1), json(nullptr)})
    CHECK(rejects("placement_strategy", bad).allowed == "\"spread\" or \"pack\"");
  for (const json& good : {json(0), json(1), json(100), json(10'000'000), json(3.0), json(nullptr)})
    accepts("max_replicas_per_node", good);
  for (const json& bad : {json(-1), json(10'000'001), json(1.5), json("1"), json(true)})
    CHECK(rejects("max_replicas_per_node", bad).allowed == "an integer from 0 (no bound) to 10000000");
}

TEST_CASE("all of it is read into its fields, and written back") {
  const auto read = read_spec(json::parse(R"x({
    "name": "d", "ray_actor_options": {"label_selector": {"zone": "in(b, a)", "disk": "ssd"}},
    "preferred_labels": {"gpu": "!old"}, "placement_strategy": "pack", "max_replicas_per_node": 2})x"));
  CHECK(to_string(read.errors) == "");
  CHECK(read.spec.where == placement_options{placement_strategy::pack,
                                             2,
                                             {{"disk", {"ssd"}, false}, {"zone", {"a", "b"}, false}},
                                             {{"gpu", {"old"}, true}}});
  const auto written = to_json(read.spec);
  CHECK(written.at("ray_actor_options").at("label_selector") == json{{"zone", "in(a, b)"}, {"disk", "ssd"}});
  CHECK(written.at("preferred_labels") == json{{"gpu", "!old"}});
  CHECK(written.at("placement_strategy") == "pack");
  CHECK(written.at("max_replicas_per_node") == 2);
  CHECK(read_spec(json::parse(written.dump())).spec == read.spec);
  CHECK(to_json(read.spec.where) == json{{"label_selector", {{"zone", "in(a, b)"}, {"disk", "ssd"}}},
                                         {"preferred_labels", {{"gpu", "!old"}}},
                                         {"placement_strategy", "pack"},
                                         {"max_replicas_per_node", 2}});
}

TEST_CASE("over defaults: ray_actor_options counts as a whole, null as not given") {
  deployment_spec code;
  code.name = "d";
  code.where = {placement_strategy::pack, 3, {rule("a")}, {rule("!b")}};
  const auto over = [&](const json& options) {
    auto object = options;
    object["name"] = "d";
    const auto read = read_spec(object, code);
    CHECK(to_string(read.errors) == "");
    return read.spec.where;
  };
  CHECK(over(json::object()) == code.where);
  CHECK(over({{"ray_actor_options", nullptr}, {"preferred_labels", nullptr}, {"max_replicas_per_node", nullptr}}) ==
        code.where);
  CHECK(over({{"ray_actor_options", json::object()}}).required.empty());
  CHECK(over({{"ray_actor_options", {{"label_selector", {{"zone", "c"}}}}}}).required == std::vector{rule("c")});
  CHECK(over({{"preferred_labels", json::object()}}).preferred.empty());
  CHECK(over({{"preferred_labels", {{"zone", "c"}}}}).preferred == std::vector{rule("c")});
  CHECK(over({{"max_replicas_per_node", 0}}).max_replicas_per_node == 0);
}

TEST_CASE("rules that a program puts together are judged like texts") {
  const auto problems = [](std::vector<label_rule> rules) {
    deployment_spec s;
    s.name = "d";
    s.where.required = std::move(rules);
    return validate(s);
  };
  CHECK(problems({rule("a")}).empty());
  for (const auto& bad : {label_rule{"zone", {}, false}, label_rule{"zone", {""}, false}, label_rule{"", {"a"}, false},
                          label_rule{"zone", {"a", "!b"}, true}, label_rule{"zone", {" a"}, true}})
    CHECK(problems({bad}).size() == 1);
  const auto twice = problems({rule("a"), rule("!b")});
  REQUIRE(twice.size() == 1);
  CHECK(twice[0].path == "ray_actor_options.label_selector.zone");
}

TEST_CASE("a node has the labels that are required, or does not suit") {
  placement_options where;
  CHECK(suits(where, {}));
  where.required = {rule("in(a, b)"), *read_label_rule("disk", "!hdd")};
  CHECK(suits(where, {{"zone", "a"}}));
  CHECK(suits(where, {{"zone", "b"}, {"disk", "ssd"}}));
  CHECK_FALSE(suits(where, {{"zone", "c"}}));
  CHECK_FALSE(suits(where, {{"disk", "ssd"}}));
  CHECK_FALSE(suits(where, {{"zone", "a"}, {"disk", "hdd"}}));
}

} // namespace troupe::placement_options_test
