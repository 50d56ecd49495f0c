// Prefixes end at the borders of segments, and the longest one counts.
#include <troupe/app/ingress/route_table.hpp>

#include <doctest/doctest.h>

namespace troupe::route_table_test {

using namespace troupe;
using ingress::route;
using ingress::route_table;

namespace {

std::string found(const route_table& in, std::string_view path) {
  const auto* x = in.find(path);
  return x ? x->prefix : "none";
}

} // namespace

TEST_CASE("the longest prefix on a segment's border is taken") {
  const route_table t{{{.prefix = "/a"}, {.prefix = "/a/b"}, {.prefix = "/long/prefix/of/several"}}};
  CHECK(found(t, "/a") == "/a");
  CHECK(found(t, "/a/") == "/a");
  CHECK(found(t, "/ab") == "none");
  CHECK(found(t, "/a/bc") == "/a");
  CHECK(found(t, "/a/b") == "/a/b");
  CHECK(found(t, "/a/b/c/d") == "/a/b");
  CHECK(found(t, "/long/prefix/of/several") == "/long/prefix/of/several");
  CHECK(found(t, "/long/prefix/of/several/x") == "/long/prefix/of/several");
  CHECK(found(t, "/long/prefix/of/severalx") == "none");
  CHECK(found(t, "/") == "none");
  CHECK(found(t, "") == "none");
  CHECK(found(t, "*") == "none");
}

TEST_CASE("the root catches all that no other route takes") {
  const route_table t{{{.prefix = "/"}, {.prefix = "/a"}}};
  CHECK(found(t, "/a/x") == "/a");
  CHECK(found(t, "/b") == "/");
  CHECK(found(t, "/") == "/");
}

TEST_CASE("routes are listed with their applications") {
  const route_table t{
      {{.prefix = "/b", .deployment = {"second", "d"}}, {.prefix = "/a", .deployment = {"first", "d"}}}};
  CHECK(t.as_json() == R"({"/a":"first","/b":"second"})");
  CHECK(route_table{}.as_json() == "{}");
}

TEST_CASE("of two routes with one prefix the later counts") {
  const route_table t{{{.prefix = "/a", .deployment = {"x", "d"}}, {.prefix = "/a", .deployment = {"y", "d"}}}};
  CHECK(t.find("/a")->deployment.application == "y");
  CHECK(t.all().size() == 1);
}

} // namespace troupe::route_table_test
