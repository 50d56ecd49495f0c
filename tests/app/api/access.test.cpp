// Who may use the API.
#include <troupe/app/api/access.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fixtures/files.hpp>

namespace troupe::api {

namespace {

const std::string token = "0123456789abcdef0123456789abcdef";

request asked(std::vector<header_field> headers, const std::string& method = "GET") {
  request x;
  x.method = method;
  x.path = "/api/ray/version";
  x.headers = std::move(headers);
  return x;
}

/// 0: let in.
int status(const request& x, const access_rules& rules) {
  const auto no = refused(x, rules);
  return no ? no->status : 0;
}

} // namespace

TEST_CASE("without the token it is 401, with a wrong one 403, with the right one in either header it is let in") {
  const access_rules rules{.token = token, .hosts = {}};
  const header_field host{"Host", "127.0.0.1:8265"};
  CHECK(status(asked({host}), rules) == 401);
  CHECK(status(asked({host, {"Authorization", "Basic " + token}}), rules) == 401);
  CHECK(status(asked({host, {"Authorization", "Bearer"}}), rules) == 401);
  CHECK(status(asked({host, {"Authorization", "Bearer   "}}), rules) == 401);
  CHECK(status(asked({host, {"Authorization", "Bearer " + token.substr(1) + "x"}}), rules) == 403);
  CHECK(status(asked({host, {"Authorization", "Bearer " + token + "0"}}), rules) == 403);
  CHECK(status(asked({host, {"authorization", "bearer " + token}}), rules) == 0);
  CHECK(status(asked({host, {"X-Ray-Authorization", "Bearer " + token}}), rules) == 0);
}

TEST_CASE("a Host header that names another site is refused, addresses and own names are not") {
  const access_rules rules{.token = "", .hosts = {"box.example"}};
  for (const auto* good : {"localhost", "LOCALHOST:8265", "127.0.0.1:8265", "[::1]:8265", "box.example:8265"})
    CHECK_MESSAGE(status(asked({{"Host", good}}), rules) == 0, good);
  for (const auto* bad : {"evil.example", "evil.example:8265", "127.0.0.1.evil.example", ""})
    CHECK_MESSAGE(status(asked({{"Host", bad}}), rules) == 403, bad);
}

TEST_CASE("pages of other sites are refused, and browsers change nothing") {
  const access_rules rules;
  const header_field host{"Host", "localhost:8265"};
  CHECK(status(asked({host, {"Origin", "http://evil.example"}}), rules) == 403);
  CHECK(status(asked({host, {"Origin", "null"}}), rules) == 403);
  CHECK(status(asked({host, {"Origin", "http://localhost:3000"}}), rules) == 0);
  CHECK(status(asked({host, {"User-Agent", "Mozilla/5.0"}}), rules) == 0);
  CHECK(status(asked({host, {"User-Agent", "Mozilla/5.0"}}, "PUT"), rules) == 405);
  CHECK(status(asked({host, {"Sec-Fetch-Mode", "cors"}}, "DELETE"), rules) == 405);
  CHECK(status(asked({host, {"User-Agent", "python-requests/2"}}, "PUT"), rules) == 0);
}

TEST_CASE("the token is made once, long, and readable by its owner alone") {
  namespace fs = std::filesystem;
  const test::temporary_folder folder;
  const auto first = token_in(folder.path());
  CHECK(first.size() == 64);
  CHECK(token_in(folder.path()) == first);
  CHECK((fs::status(folder.path() / "token").permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

} // namespace troupe::api
