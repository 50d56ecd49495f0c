// Texts to JSON with places: YAML by the core schema, JSON, and what both refuse.
#include <troupe/app/config/source.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace troupe;
using namespace troupe::config;

namespace {

json yaml(const std::string& text) {
  const auto read = read_source(text, "a.yaml");
  CAPTURE(text);
  CHECK_MESSAGE(read.errors.empty(), to_string(read.errors));
  return read.source.value;
}

std::string refused(const std::string& text, std::string name = "a.yaml") {
  const auto read = read_source(text, std::move(name));
  CAPTURE(text.substr(0, 200));
  REQUIRE(read.errors.size() == 1);
  return to_string(read.errors[0]);
}

std::string where(const source& from, std::string_view path) {
  const auto& at = locate(from.root, path);
  return std::to_string(at.line) + ':' + std::to_string(at.column);
}

} // namespace

TEST_CASE("plain scalars are what YAML 1.2's core schema says, quoted ones are texts") {
  const auto is = [](const std::string& scalar, const json& expected) {
    CAPTURE(scalar);
    const auto value = yaml("x: " + scalar)["x"];
    CHECK(value == expected);
    CHECK(value.type() == expected.type());
  };
  for (const auto* null : {"", "~", "null", "Null", "NULL"})
    is(null, nullptr);
  for (const auto* yes : {"true", "True", "TRUE"})
    is(yes, true);
  is("false", false);
  for (const auto* text : {"yes", "no", "on", "off", "y", "tRUE", "1_000", "12:30:00", "0b1", "0o8", "0xg", "1e", "e1",
                           ".", "1.2.3", "2026-11-24", "+"})
    is(text, text);
  is("0", 0);
  is("-0", 0);
  is("007", 7);
  is("+5", 5);
  is("-12", -12);
  is("0o17", 15U);
  is("0xFf", 255U);
  is("9223372036854775807", INT64_MAX);
  is("18446744073709551615", UINT64_MAX);
  is("18446744073709551616", 18446744073709551616.0);
  is("1.5", 1.5);
  is("1.", 1.0);
  is(".5", 0.5);
  is("-2e3", -2000.0);
  is("\"1\"", "1");
  is("'true'", "true");
  is("!!str 5", "5");
  is("!!int 5", 5);
  is("!!float 5", 5.0);
  is("|\n  a\n  b\n", "a\nb\n");
}

TEST_CASE("numbers that JSON does not have are refused with their place") {
  for (const auto* bad : {".inf", "-.Inf", ".NaN", "1e999"})
    CHECK(refused(std::string("a: 1\nx: ") + bad)
              .starts_with("a.yaml:2:4: \"" + std::string(bad) + "\" is a number that"));
  CHECK(refused("{\"x\": NaN}", "a.json").starts_with("a.json:1:"));
  CHECK(refused("{\"x\": 1e999}", "a.json").find("number overflow") != std::string::npos);
}

TEST_CASE("anchors, aliases and merge keys; what a mapping says itself wins") {
  CHECK(yaml("a: &x [1, {b: 2}]\nc: *x\n") == json::parse(R"({"a": [1, {"b": 2}], "c": [1, {"b": 2}]})"));
  CHECK(yaml("base: &b {n: 1, m: 2}\nd:\n  n: 3\n  <<: *b\n")["d"] == json::parse(R"({"n": 3, "m": 2})"));
  CHECK(yaml("a: &a {n: 1}\nb: &b {n: 2, m: 2}\nd: {<<: [*a, *b]}\n")["d"] == json::parse(R"({"n": 1, "m": 2})"));
  CHECK(yaml("d: {\"<<\": 1}")["d"]["<<"] == 1);
  CHECK(refused("d:\n  <<: 1\n") == "a.yaml:2:3: << takes a mapping or a list of mappings");
  CHECK(refused("a: &x [*x]").find("the alias stands within what it names") != std::string::npos);
  CHECK(refused("a: *nowhere").find("not YAML") != std::string::npos);
}

TEST_CASE("aliases that multiply are stopped") {
  std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 8; ++k)
      bomb += ", " + before;
    bomb += "]\n";
  }
  CHECK(refused(bomb).find("anchors and aliases expand to more than 16 MiB") != std::string::npos);
  std::string deep = "a: &a0 [1]\n";
  for (int i = 1; i < 70; ++i)
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(refused(deep).find("nests deeper than 64 levels") != std::string::npos);
}

TEST_CASE("nesting is read up to 64 levels and refused above") {
  for (const auto* name : {"a.yaml", "a.json"}) {
    CHECK(read_source(std::string(64, '[') + std::string(64, ']'), name).errors.empty());
    CHECK(refused(std::string(65, '[') + std::string(65, ']'), name) ==
          std::string(name) + ":1:65: nests deeper than 64 levels");
    CHECK_FALSE(refused(std::string(100'000, '['), name).empty());
  }
}

TEST_CASE("ten million bytes are read and no more") {
  CHECK(read_source(std::string(max_text_bytes, ' '), "a.yaml").errors.empty());
  CHECK(refused(std::string(max_text_bytes + 1, ' ')) ==
        "a.yaml: the text has 10000001 bytes; at most 10000000 are read");
}

TEST_CASE("a key that is given twice is told with its place, both times") {
  auto read = read_source("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n", "a.yaml");
  REQUIRE(read.errors.size() == 2);
  CHECK(to_string(read.errors[0]) == "a.yaml:4:3: the key \"c\" is given twice");
  CHECK(to_string(read.errors[1]) == "a.yaml:5:1: the key \"a\" is given twice");
  read = read_source("{\"a\": 1,\n \"b\": {\"c\\u0064\": 1, \"cd\": 2}, \"a\": 2}", "a.json");
  REQUIRE(read.errors.size() == 2);
  CHECK(to_string(read.errors[0]) == "a.json:2:22: the key \"cd\" is given twice");
}

TEST_CASE("one document, keys that are texts, tags that are known") {
  CHECK(refused("a: 1\n---\nb: 2\n").starts_with("a.yaml:2:1: a second document"));
  CHECK(yaml("---\na: 1\n...\n") == json{{"a", 1}});
  CHECK(refused("[a]: 1").find("a key must be a text") != std::string::npos);
  CHECK(refused("{a: 1}: 1").find("a key must be a text") != std::string::npos);
  CHECK(refused("~: 1").find("a key must be a text") != std::string::npos);
  CHECK(yaml("1: a\ntrue: b") == json{{"1", "a"}, {"true", "b"}});
  CHECK(refused("a: !!python/object:os.system x").find("tag") != std::string::npos);
  CHECK(refused("a: !custom {}").find("tag") != std::string::npos);
  CHECK(refused("a: !!int x").find("does not fit") != std::string::npos);
  CHECK(yaml("").is_null());
}

TEST_CASE("what is not UTF-8, and control characters, are refused with their place") {
  for (const auto* bad : {"\xff", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    CHECK(refused(std::string("a: 1\nb: ") + bad) == "a.yaml:2:4: not UTF-8");
    CHECK(refused(std::string("{\"a\": \"") + bad + "\"}", "a.json") == "a.json:1:8: not UTF-8");
  }
  CHECK(refused(std::string("a\0b", 3)).starts_with("a.yaml:1:2: a control character"));
  CHECK(refused("a: \x1b[2J").find("control character") != std::string::npos);
  CHECK(yaml("\xEF\xBB\xBF"
             "a: \xF0\x9F\x8E\xAD")["a"] == "\xF0\x9F\x8E\xAD");
}

TEST_CASE("faults of syntax have line and column") {
  CHECK(refused("a: 1\nb: [1,\n").starts_with("a.yaml:3:1: not YAML: "));
  CHECK(refused("{\"a\": 1,\n  \"b\" 2}", "a.json").starts_with("a.json:2:7: not JSON: syntax error"));
  CHECK(refused("{\"a\": 1", "a.json").starts_with("a.json:1:8: not JSON"));
  CHECK(refused("", "a.json").starts_with("a.json:1:1: not JSON"));
  CHECK(refused("{\"a\": 1} x", "a.json").starts_with("a.json:1:10: not JSON"));
}

TEST_CASE("the format goes by the name, else by the first character") {
  CHECK(read_source("{\"a\": 1}", "body").errors.empty());
  CHECK(read_source("{a: 1}", "body").errors.size() == 1);
  CHECK(read_source("a: 1", "body").errors.empty());
  CHECK(read_source("{a: 1}", "x.yml").errors.empty());
  CHECK(read_source("{a: 1}", "body", syntax::yaml).errors.empty());
}

TEST_CASE("a path has its place, an unknown one that of what is around it") {
  const std::string text = "applications:\n- name: a\n  deployments:\n  - name: d\n    a.b: 1\n  - num_replicas: x\n";
  const auto from = read_source(text, "a.yaml").source;
  CHECK(where(from, "applications") == "1:1");
  CHECK(where(from, "applications[0].name") == "2:3");
  CHECK(where(from, "applications[0].deployments[0].a.b") == "5:5");
  CHECK(where(from, "applications[0].deployments[1].num_replicas") == "6:5");
  CHECK(where(from, "applications[0].deployments[1].rolling_update.canary") == "6:5");
  CHECK(where(from, "applications[0].import_path") == "2:3");
  CHECK(where(from, "applications[7].x") == "1:1");
  const auto object = read_source("{\n \"a\": [ {\"b\": 1},\n  2 ] }", "a.json").source;
  CHECK(where(object, "a[0].b") == "2:10");
  CHECK(where(object, "a[1]") == "3:3");
}
