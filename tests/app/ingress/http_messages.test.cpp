// HTTP messages: what they offer to user code, and that a class that answers them is a deployment.
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/messages/http.hpp>

#include <doctest/doctest.h>

namespace troupe::http_messages_test {

using namespace troupe;

namespace {

class echo {
public:
  response operator()(const request& x) { return response::text(200, x.body); }
};

} // namespace

TEST_CASE("a class that answers requests with responses is code") {
  const auto code = make_code<echo>();
  REQUIRE(code);
  CHECK(code->traits().answers(key_of<response(request)>));
  CHECK(code->traits().signatures.at(0).name == "troupe::response(troupe::request)");
}

TEST_CASE("header fields are found whatever their case, the first one counts") {
  request x;
  x.headers = {{"Content-Type", "a"}, {"X-One", "1"}, {"x-one", "2"}};
  CHECK(x.header("content-type") == "a");
  CHECK(x.header("X-ONE") == "1");
  CHECK(x.header("X-On").empty());
}

TEST_CASE("the path below a route starts with a slash") {
  request x;
  x.path = "/a/b";
  x.route_prefix = "/a";
  CHECK(x.sub_path() == "/b");
  x.path = "/a";
  CHECK(x.sub_path() == "/");
  x.path = "/a/b";
  x.route_prefix = "/";
  CHECK(x.sub_path() == "/a/b");
}

TEST_CASE("the usual responses say what they hold") {
  CHECK(response::text(404, "no").header("content-type") == "text/plain; charset=utf-8");
  CHECK(response::json(200, "{}").header("content-type") == "application/json");
  CHECK(response::json(200, "{}").body == "{}");
}

} // namespace troupe::http_messages_test
