// `proxy_location` by the API: who routes, who is told, and what a config without it means.
#include "api_fixture.hpp"

namespace troupe::api_proxy_location_test {

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr auto ray_path = "/api/serve/applications/";

json with_proxies(json config, const json& value) {
  config["proxy_location"] = value;
  return config;
}

struct proxies_fixture : api_fixture {
  proxies_fixture() { install("web", "libweb.so"); }

  json config() const { return config_of({{"a", {{"import_path", "libweb.so:app"}, {"route_prefix", "/a"}}}}); }
  std::size_t routes_of_nodes() {
    const std::lock_guard guard{routes_mutex};
    CHECK(routes.size() == 1); // the daemon's own are there whatever holds for nodes
    return node_routes.size();
  }
  std::string shown() const {
    const auto ray = ask("GET", ray_path).value["proxy_location"];
    CHECK(get("/applications").value["proxy_location"] == ray);
    return ray.get<std::string>();
  }
};

} // namespace

TEST_CASE("nodes have the daemon's routes with EveryNode, which is the default, and none with HeadOnly") {
  proxies_fixture f;
  REQUIRE(f.put("/applications", f.config()).status == 200);
  CHECK(f.routes_of_nodes() == 1);
  CHECK(f.shown() == "EveryNode");
  REQUIRE(f.put("/applications", with_proxies(f.config(), "HeadOnly")).status == 200);
  CHECK(f.routes_of_nodes() == 0);
  CHECK(f.shown() == "HeadOnly");
  REQUIRE(f.put("/applications", with_proxies(f.config(), "EveryNode")).status == 200);
  CHECK(f.routes_of_nodes() == 1);
  CHECK(f.shown() == "EveryNode");
}

TEST_CASE("a config without proxy_location leaves it alone, unless it is the whole of what is to be there") {
  proxies_fixture f;
  const auto head_only = with_proxies(f.config(), "HeadOnly");
  REQUIRE(f.put("/applications", head_only).status == 200);
  REQUIRE(f.put("/applications", f.config()).status == 200);
  REQUIRE(f.put("/applications", with_proxies(f.config(), nullptr)).status == 200);
  REQUIRE(f.put("/applications/a", f.config()["applications"][0]).status == 200);
  CHECK(f.shown() == "HeadOnly");
  CHECK(f.routes_of_nodes() == 0);
  REQUIRE(f.put("/applications?prune=true", f.config()).status == 200);
  CHECK(f.shown() == "EveryNode");
  CHECK(f.routes_of_nodes() == 1);
}

TEST_CASE("Ray's PUT takes proxy_location, and is the whole of what is to be there") {
  proxies_fixture f;
  REQUIRE(f.ask("PUT", ray_path, with_proxies(f.config(), "HeadOnly").dump()).status == 200);
  CHECK(f.shown() == "HeadOnly");
  CHECK(f.routes_of_nodes() == 0);
  const auto refused = f.ask("PUT", ray_path, with_proxies(f.config(), "Disabled").dump());
  CHECK(refused.status == 400);
  CHECK(refused.body.find("proxy_location: \"Disabled\" is not allowed") != std::string::npos);
  CHECK(f.shown() == "HeadOnly");
  REQUIRE(f.ask("PUT", ray_path, f.config().dump()).status == 200);
  CHECK(f.shown() == "EveryNode");
}

TEST_CASE("a plan tells who would take HTTP, and a config that is refused changes nothing there") {
  proxies_fixture f;
  REQUIRE(f.put("/applications", f.config()).status == 200);
  const auto planned = [&](const json& config, const std::string& query = {}) {
    return f.post("/plan" + query, config).value["proxy_location"];
  };
  CHECK(planned(f.config()) == json{{"from", "EveryNode"}, {"to", "EveryNode"}});
  CHECK(planned(with_proxies(f.config(), "HeadOnly")) == json{{"from", "EveryNode"}, {"to", "HeadOnly"}});
  CHECK(f.shown() == "EveryNode");
  auto bad = with_proxies(f.config(), "HeadOnly");
  bad["applications"][0]["import_path"] = "libnone.so:app";
  CHECK(f.put("/applications", bad).status == 400);
  CHECK(f.shown() == "EveryNode");
  REQUIRE(f.put("/applications", with_proxies(f.config(), "HeadOnly")).status == 200);
  CHECK(planned(f.config()) == json{{"from", "HeadOnly"}, {"to", "HeadOnly"}});
  CHECK(planned(f.config(), "?prune=true") == json{{"from", "HeadOnly"}, {"to", "EveryNode"}});
}

} // namespace troupe::api_proxy_location_test
