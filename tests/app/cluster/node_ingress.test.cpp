// A node's ingress over loopback: when it says that it takes requests, how it ends, what keeps it from starting.
#include "../ingress/ingress_fixture.hpp"
#include <troupe/app/cluster/node_ingress.hpp>

#include <array>
#include <fixtures/files.hpp>
#include <fstream>
#include <sstream>
#include <thread>

namespace troupe::node_ingress_test {

using namespace troupe;
using namespace troupe::testing_http;
using namespace troupe::testing_ingress;

namespace {

const std::string healthz = get("/-/healthz");

cluster::node_http any_port() {
  cluster::node_http x;
  x.address = {"127.0.0.1", 0};
  return x;
}

struct node_fixture {
  explicit node_fixture(const cluster::node_http& options = any_port()) : front(rt.system(), options, log) {}

  ingress::route deploy(const std::string& prefix) {
    rt.run(deployment_options{"e"}, make_code<echo>());
    return route(prefix, "e");
  }
  ingress::route deploy_slow(const std::string& prefix) {
    rt.run(deployment_options{"s"}, make_code<slow>([to = kept] { return std::make_unique<slow>(to); }));
    return route(prefix, "s");
  }
  ingress::route route(const std::string& prefix, const std::string& name) {
    REQUIRE(rt.wait_until_healthy(name, 20s));
    ingress::route x;
    x.prefix = prefix;
    x.deployment = {"default", name};
    x.to = rt.handle<response(request)>(name).destination();
    return x;
  }

  daemon::log_lines log{daemon::log_level::error};
  std::shared_ptr<shelf> kept = std::make_shared<shelf>();
  runtime rt;
  cluster::node_ingress front;
};

std::string refusal(const cluster::node_http& options) {
  runtime rt;
  daemon::log_lines log{daemon::log_level::error};
  try {
    cluster::node_ingress front{rt.system(), options, log};
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return {};
}

} // namespace

TEST_CASE("a node's ingress is well while it has routes: not before the first table, not with an empty one") {
  node_fixture f;
  client c{f.front.port()};
  CHECK(c.ask(healthz).status == 503);
  CHECK(c.ask(get("/a")).status == 404);
  f.front.set_routes({f.deploy("/a")});
  CHECK(c.ask(healthz).status == 200);
  CHECK(c.ask(get("/a/b")).body == "GET /b ");
  CHECK(c.ask(get("/-/routes")).body == R"({"/a":"default"})");
  f.front.set_routes({});
  CHECK(c.ask(healthz).status == 503);
  CHECK(c.ask(get("/a/b")).status == 404);
  f.front.set_routes({f.route("/b", "e")});
  CHECK(c.ask(healthz).status == 200);
  CHECK(c.ask(get("/b/c")).body == "GET /c ");
}

TEST_CASE("a node's ingress that drains says so, and takes requests on new connections until it stops listening") {
  node_fixture f;
  f.front.set_routes({f.deploy("/")});
  f.front.begin_drain();
  CHECK(client{f.front.port()}.ask(healthz).status == 503);
  const auto still = client{f.front.port()}.ask(get("/x"));
  CHECK(still.body == "GET /x ");
  CHECK(still.field("Connection") == "close");
  f.front.set_routes({f.route("/", "e")}); // a table that comes late makes it no better
  CHECK(client{f.front.port()}.ask(healthz).status == 503);
  f.front.stop_listening();
  CHECK(f.front.wait_idle(std::chrono::steady_clock::now() + 20s));
  f.front.stop();
  f.front.stop();
}

TEST_CASE("a node's ingress ends when what was begun is answered, or at its time") {
  node_fixture f;
  f.front.set_routes({f.deploy_slow("/")});
  client c{f.front.port()};
  c.send(get("/"));
  auto begun = f.kept->take();
  f.front.begin_drain();
  f.front.stop_listening();
  CHECK_FALSE(f.front.wait_idle(std::chrono::steady_clock::now()));
  begun.answer(response::text(200, "done"));
  CHECK(c.read().body == "done");
  CHECK(f.front.wait_idle(std::chrono::steady_clock::now() + 20s));
  f.front.stop();
}

TEST_CASE("routes of a node change from any thread while requests come") {
  node_fixture f;
  const auto to = f.deploy("/a");
  f.front.set_routes({to});
  std::array<std::thread, 2> others;
  for (auto& t : others)
    t = std::thread{[&] {
      for (int k = 0; k < 100; ++k)
        f.front.set_routes(k % 2 == 0 ? std::vector<ingress::route>{} : std::vector{to});
    }};
  client c{f.front.port()};
  for (int i = 0; i < 100; ++i) {
    const auto status = c.ask(get("/a")).status;
    CHECK((status == 200 || status == 404));
  }
  for (auto& t : others)
    t.join();
  CHECK(c.ask(healthz).status == 200); // each thread's last table has a route
  CHECK(c.ask(get("/a")).status == 200);
}

TEST_CASE("the limits, the timeout and the access log of a node's ingress are its own") {
  const test::temporary_folder folder;
  const auto file = folder.path() / "access";
  {
    auto options = any_port();
    options.limits.body_bytes = 3;
    options.limits.request_timeout = std::chrono::milliseconds{50};
    options.access_log = file.string();
    node_fixture f{options};
    f.front.set_routes({f.deploy_slow("/s")});
    client c{f.front.port()};
    CHECK(c.ask(get("/s")).status == 408);
    f.kept->take().answer(response::text(200, "too late"));
    CHECK(c.ask(post("/s", "four")).status == 413);
    f.front.stop();
  }
  std::ifstream in{file};
  std::stringstream all;
  all << in.rdbuf();
  CHECK(all.str().find(R"("target":"/s")") != std::string::npos);
  CHECK(all.str().find(R"("status":408)") != std::string::npos);
}

TEST_CASE("what keeps a node from taking HTTP is one line with what to do") {
  const auto has = [](const std::string& text, const std::string& piece) {
    CHECK_MESSAGE(text.find(piece) != std::string::npos, text);
  };
  auto open = any_port();
  open.address.host = "0.0.0.0";
  has(refusal(open), "--http-address 0.0.0.0:0 is no loopback address: whoever reaches it can use it without TLS; "
                     "--insecure allows it");
  open.insecure = true;
  CHECK(refusal(open) == "");
  auto unwritable = any_port();
  unwritable.access_log = "/no/such/folder/log";
  has(refusal(unwritable), "the access log /no/such/folder/log cannot be written");
  node_fixture f;
  auto taken = any_port();
  taken.address.port = f.front.port();
  const auto text = refusal(taken);
  has(text, "cannot listen on 127.0.0.1:" + std::to_string(f.front.port()));
  has(text, "choose another one with --http-address, or end what uses it");
}

} // namespace troupe::node_ingress_test
