// What clients may get wrong, or do on purpose.
#include "api_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

const std::string token = "0123456789abcdef0123456789abcdef";

} // namespace

TEST_CASE("bodies that are no JSON, too deep, not UTF-8 or doubled say where, and change nothing") {
  api_fixture f;
  const auto refused = [&](const std::string& body, const std::string& piece) {
    for (const auto* target : {"/applications", "/applications/a"}) {
      const auto x = f.ask("PUT", f.v1(target), body);
      CHECK(x.status == 400);
      CHECK_MESSAGE(x.body.find(piece) != std::string::npos, x.body);
      CHECK(x.value["error"]["fields"].is_array());
    }
    CHECK(f.ask("POST", f.v1("/plan"), body).status == 400);
  };
  refused("", "not JSON");
  refused("{", "body:1:2: not JSON");
  refused("null", "a JSON object");
  refused("[1]", "a JSON object");
  refused("{\"a\": 1, \"a\": 2}", "given twice");
  refused("{\"a\": \"\xff\"}", "UTF-8");
  refused("{\"a\": NaN}", "not JSON");
  refused("{\"a\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}", "deeper");
  refused("{\"a\": \"" + std::string(100'000, 'x'), "not JSON");
  CHECK(f.get("/applications").value["applications"].empty());
}

TEST_CASE("ten million bytes are read, and more are refused unread") {
  api_fixture f;
  auto app = greeter().dump();
  app.insert(app.size() - 1, std::string(config::max_text_bytes - app.size(), ' '));
  REQUIRE(app.size() == config::max_text_bytes);
  CHECK(f.ask("PUT", f.v1("/applications/a"), app).status == 200);
  app.insert(1, " ");
  CHECK(f.ask("PUT", f.v1("/applications/b"), app).status == 400);
  std::string numbers = "{\"applications\": [";
  const std::string element = std::string(98, ' ') + "7,"; // 100,000 of them; more would only take a sanitizer's time
  while (numbers.size() < config::max_text_bytes - 110)
    numbers += element;
  const auto many = f.ask("PUT", f.v1("/applications"), numbers + "7]}");
  CHECK(many.status == 400);
  CHECK(many.value["error"]["fields"].size() == config::max_problems + 1);
  testing_http::client c{f.port};
  c.send("PUT " + f.v1("/applications") + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000000\r\n\r\n");
  CHECK(c.read().status == 413);
}

TEST_CASE("unknown paths are 404, other methods 405 with what is allowed") {
  api_fixture f;
  for (const auto* target :
       {"/", "/api", "/api/troupe/v1", "/api/troupe/v1/", "/api/troupe/v1/applications/", "/api/troupe/v1/nothing",
        "/api/troupe/v1/applications/a/deployments", "/api/troupe/v1/applications//config", "/api/serve/applications",
        "/api/troupe/v1/applications/a%2Fconfig/config"}) {
    CAPTURE(target);
    CHECK(f.ask("GET", target).status == 404);
  }
  const auto x = f.ask("POST", f.v1("/applications/a"));
  CHECK(x.status == 405);
  CHECK(x.field("Allow") == "GET, HEAD, PUT, DELETE");
  CHECK(f.ask("PATCH", f.v1("/plan")).field("Allow") == "POST");
  CHECK(f.ask("DELETE", f.v1("/events")).status == 405);
  const auto head = f.ask("HEAD", f.v1("/version"));
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(f.ask("GET", f.v1("/applications/a%00b")).status == 400); // the HTTP layer's
}

TEST_CASE("without its token the API tells and does nothing, whatever the path") {
  api_fixture f{token};
  const auto body = greeter().dump();
  for (const auto* target : {"/api/ray/version", "/metrics", "/api/troupe/v1/openapi.json", "/api/nothing"}) {
    CHECK(f.ask("GET", target).status == 401);
    CHECK(f.ask("GET", target, {}, "Authorization: Bearer " + token + "0\r\n").status == 403);
  }
  CHECK(f.ask("GET", "/api/ray/version").field("WWW-Authenticate") == "Bearer");
  CHECK(f.ask("PUT", f.v1("/applications/a"), body).status == 401);
  CHECK(f.ask("POST", f.v1("/shutdown")).status == 401);
  CHECK(f.shut_downs == 0);
  CHECK(f.apps.names().empty());
  CHECK(f.ask("GET", "/api/ray/version", {}, "X-Ray-Authorization: Bearer " + token + "\r\n").status == 200);
  CHECK(f.ask("PUT", f.v1("/applications/a"), body, "Authorization: Bearer " + token + "\r\n").status == 200);
}

TEST_CASE("names of other hosts and pages of other sites are refused, with the token too") {
  api_fixture f{token};
  const auto with = [&](const std::string& host, const std::string& method, const std::string& more) {
    return f
        .raw(method + " /api/serve/applications/ HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + token +
             "\r\nContent-Length: 0\r\n" + more + "\r\n")
        .status;
  };
  CHECK(with("localhost:8265", "GET", "") == 200);
  CHECK(with("evil.example", "GET", "") == 403);
  CHECK(with("127.0.0.1.evil.example:8265", "DELETE", "") == 403);
  CHECK(with("127.0.0.1", "GET", "Origin: http://evil.example\r\n") == 403);
  CHECK(with("127.0.0.1", "DELETE", "Origin: http://127.0.0.1\r\n") == 405); // a browser changes nothing
  CHECK(with("127.0.0.1", "DELETE", "Sec-Fetch-Site: cross-site\r\n") == 405);
  CHECK(with("127.0.0.1", "GET", "User-Agent: Mozilla/5.0\r\n") == 200);
}
