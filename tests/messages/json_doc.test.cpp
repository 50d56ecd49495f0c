// JSON documents: depth, text that is none, sharing.
#include "filled.hpp"
#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace troupe;

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

} // namespace

TEST_CASE("a document may nest 64 levels and not 65") {
  json_doc doc;
  CHECK(doc.parse(nested(63)));
  CHECK(doc.parse(nested(64)));
  CHECK(doc.dump() == nested(64));
  CHECK_FALSE(doc.parse(nested(65)));
  CHECK(doc.dump() == nested(64)); // unchanged
  CHECK_FALSE(doc.parse(nested(1'000'000)));
  CHECK(doc.parse(R"({"a":")" + std::string(100, '[') + R"(\"[[{{"})")); // brackets in a string do not nest
  CHECK(doc.parse("[" + std::string("[],[]") + "]"));
}

TEST_CASE("text that is no JSON does not parse and does not throw") {
  for (const std::string text :
       {"", " ", "{", "]", "{\"a\":}", "[1,]", "nul", "1 2", "\"\xff\"", "'a'", "1e999", "// c"}) {
    CAPTURE(text);
    json_doc doc{json{1}};
    CHECK_FALSE(doc.parse(text));
    CHECK(doc.dump() == "[1]");
  }
}

TEST_CASE("null is the same whether given or not") {
  json_doc doc{json{1}};
  CHECK(doc.parse("null"));
  CHECK(doc.is_null());
  CHECK(doc == json_doc{});
  CHECK(json_doc{json(nullptr)}.is_null());
  CHECK(doc.get().is_null());
  CHECK(doc.dump() == "null");
  CHECK_FALSE(json_doc{json::object()}.is_null());
}

TEST_CASE("a copy shares the value") {
  const json_doc a{json{{"k", 1}}};
  const auto b = a; // NOLINT(performance-unnecessary-copy-initialization): what is tested
  CHECK(&a.get() == &b.get());
  CHECK(a == json_doc{json{{"k", 1}}});
  CHECK_FALSE(a == json_doc{json{{"k", 2}}});
}

TEST_CASE("bytes that are no UTF-8 do not make dump throw") {
  CHECK(json_doc{json("a\xff")}.dump() == "\"a\xEF\xBF\xBD\"");
}

TEST_CASE("a document that arrives corrupt or too deep fails to load") {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", 1);
  register_messages(config);
  caf::actor_system sys{config};
  for (const auto& row : std::vector<std::pair<std::string, bool>>{
           {nested(64), true}, {nested(65), false}, {"{\"a\":", false}, {"", false}, {"null", true}}) {
    CAPTURE(row.first);
    auto written = row.first;
    std::vector<char> bytes; // a document is its text
    caf::binary_serializer sink{sys, bytes};
    REQUIRE_FALSE(sink(written));
    json_doc doc;
    caf::binary_deserializer source{sys, bytes};
    CHECK(!source(doc) == row.second);
  }
}
