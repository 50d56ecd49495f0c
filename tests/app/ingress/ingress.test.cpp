// The ingress in front of a real runtime, over loopback.
#include "ingress_fixture.hpp"

namespace troupe::ingress_test {

using namespace troupe;
using namespace troupe::testing_http;
using namespace troupe::testing_ingress;

TEST_CASE("a request reaches its deployment, wherever its handlers run") {
  for (const auto mode : {execution_mode::pool, execution_mode::inlined, execution_mode::thread}) {
    CAPTURE(to_string(mode));
    fixture f;
    f.serve({f.deploy<echo>("/a", deployment_options{"e"}.num_replicas(2).execution(mode))});
    client c{f.port};
    CHECK(c.ask(get("/a/b")).body == "GET /b ");
    CHECK(c.ask(post("/a", "text")).body == "POST / text");
    std::string all;
    for (int i = 0; i < 12; ++i)
      all += get("/a/" + std::to_string(i));
    c.send(all);
    for (int i = 0; i < 12; ++i)
      CHECK(c.read().body == "GET /" + std::to_string(i) + " ");
  }
}

TEST_CASE("a burst beyond the pipelining depth is served by inlined replicas, within one turn") {
  fixture f;
  f.serve({f.deploy<echo>("/", deployment_options{"e"}.execution(execution_mode::inlined))});
  client c{f.port};
  std::string all;
  for (int i = 0; i < 100; ++i)
    all += get("/" + std::to_string(i));
  c.send(all);
  for (int i = 0; i < 100; ++i)
    CHECK(c.read().body == "GET /" + std::to_string(i) + " ");
}

TEST_CASE("without a route there is 404, which points to the list of routes") {
  fixture f;
  f.serve({f.deploy<echo>("/a", deployment_options{"app/e"})});
  client c{f.port};
  const auto missing = c.ask(get("/ab?secret=1"));
  CHECK(missing.status == 404);
  CHECK(missing.body == "Path '/ab' not found. GET /-/routes lists the routes that there are.\n");
  CHECK_FALSE(missing.field("x-request-id").empty());
  const auto routes = c.ask(get("/-/routes"));
  CHECK(routes.body == R"({"/a":"app"})");
  CHECK(routes.field("Content-Type") == "application/json");
  CHECK(c.ask(get("/-/nothing")).status == 404);
  CHECK(c.ask(post("/-/healthz", "")).status == 405);
  CHECK(f.front.counted().not_found == 2);
}

TEST_CASE("healthz says success only while there are routes and nothing drains") {
  fixture f;
  f.front.start(1);
  client c{f.port};
  CHECK(c.ask(get("/-/healthz")).status == 503);
  CHECK(c.ask(get("/-/routes")).status == 503);
  f.front.set_ready(true);
  CHECK(c.ask(get("/-/healthz")).status == 503); // no routes yet
  f.front.set_routes({});
  const auto well = c.ask(get("/-/healthz"));
  CHECK(well.status == 200);
  CHECK(well.body == "success");
  f.front.begin_drain();
  CHECK(c.ask(get("/-/healthz")).status == 503);
}

TEST_CASE("request id, session, model and timeout reach the handler, id and trace come back") {
  fixture f;
  f.serve({f.deploy<echo>("/", deployment_options{"e"})});
  client c{f.port};
  const auto made = c.ask(get("/"));
  CHECK(made.field("x-request-id").size() >= 19);
  CHECK(made.field("X-Seen-Id") == made.field("x-request-id"));
  CHECK(made.field("X-Has-Deadline") == "yes");
  const auto trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto given =
      c.ask(get("/", std::string{"X-Request-ID: mine\r\nx-session-id: s\r\nserve_multiplexed_model_id: m\r\n"} +
                         "traceparent: " + trace + "\r\nx-request-timeout-seconds: 0\r\n"));
  CHECK(given.field("x-request-id") == "mine");
  CHECK(given.field("X-Seen-Id") == "mine");
  CHECK(given.field("X-Seen-Session") == "s");
  CHECK(given.field("X-Seen-Model") == "m");
  CHECK(given.field("traceparent") == trace);
  CHECK(given.field("X-Has-Deadline") == "no");
  CHECK(c.ask(get("/", "x-request-timeout-seconds: soon\r\n")).status == 400);
}

TEST_CASE("a request that takes too long gets 408 with its id and the seconds") {
  fixture f;
  const auto kept = std::make_shared<shelf>();
  f.serve({f.deploy("/", deployment_options{"s"}, make_code<slow>([kept] { return std::make_unique<slow>(kept); }))});
  client c{f.port};
  const auto late = c.ask(get("/", "x-request-timeout-seconds: 0.05\r\nx-request-id: q\r\n"));
  CHECK(late.status == 408);
  CHECK(late.body == "Request q timed out after 0.05 s.\n");
  kept->take().answer(response::text(200, "too late"));
  c.send(get("/"));
  kept->take().answer(response::text(200, "in time"));
  CHECK(c.read().body == "in time");
}

TEST_CASE("beyond max_queued_requests there is backpressure, as the deployment says") {
  fixture f;
  const auto kept = std::make_shared<shelf>();
  auto to = f.deploy("/", deployment_options{"s"}.max_ongoing_requests(1).max_queued_requests(1),
                     make_code<slow>([kept] { return std::make_unique<slow>(kept); }));
  to.backpressure_status = 429;
  to.retry_after_s = 7;
  f.serve({to});
  client c{f.port};
  c.send(get("/1"));
  auto first = kept->take();
  c.send(get("/2") + get("/3"));
  while (f.front.counted().deployments[{"default", "s"}].statuses[429] == 0)
    std::this_thread::yield();
  first.answer(response::text(200, "1"));
  kept->take().answer(response::text(200, "2"));
  CHECK(c.read().body == "1");
  CHECK(c.read().body == "2");
  const auto dropped = c.read();
  CHECK(dropped.status == 429);
  CHECK(dropped.field("Retry-After") == "7");
  CHECK(dropped.body.starts_with("Request dropped due to backpressure"));
}

TEST_CASE("a full queue further down the chain of calls is backpressure too") {
  fixture f;
  f.serve({f.deploy<overwhelmed>("/", deployment_options{"o"})});
  client c{f.port};
  const auto dropped = c.ask(get("/"));
  CHECK(dropped.status == 503);
  CHECK(dropped.body.starts_with("Request dropped due to backpressure"));
}

TEST_CASE("a request that shall outlive its client does") {
  fixture f;
  const auto kept = std::make_shared<shelf>();
  f.serve({f.deploy("/", deployment_options{"s"}, make_code<slow>([kept] { return std::make_unique<slow>(kept); }))});
  std::optional<client> c;
  c.emplace(f.port);
  c->send(get("/", "x-request-disconnect-disabled: ?1\r\n"));
  auto open = kept->take();
  c.reset();
  while (f.front.counted().http.disconnects == 0)
    std::this_thread::yield();
  CHECK_FALSE(open.stop_requested());
  open.answer(response::text(200, "done"));
  while (f.front.counted().deployments[{"default", "s"}].statuses[200] == 0)
    std::this_thread::yield();
}

TEST_CASE("what user code throws stays inside") {
  std::string told;
  fixture f{{.on_failure = [&](const deployment_name& who, std::string_view, const error& why) {
    told = who.full() + ": " + why.message;
  }}};
  f.serve({f.deploy<thrower>("/", deployment_options{"t"})});
  client c{f.port};
  const auto failed = c.ask(get("/"));
  CHECK(failed.status == 500);
  CHECK(failed.body == "Internal Server Error\n");
  f.front.stop();
  CHECK(told == "t: secret: /home/of/mine");
}

TEST_CASE("a deployment that is deleted gives 503") {
  fixture f;
  f.serve({f.deploy<echo>("/", deployment_options{"e"})});
  client c{f.port};
  f.rt.remove("e");
  const auto gone = c.ask(get("/"));
  CHECK(gone.status == 503);
  CHECK(gone.body.find("unavailable") != std::string::npos);
}

TEST_CASE("a client that goes away cancels its request, which counts as 499") {
  fixture f;
  const auto kept = std::make_shared<shelf>();
  f.serve({f.deploy("/", deployment_options{"s"}, make_code<slow>([kept] { return std::make_unique<slow>(kept); }))});
  std::optional<client> c;
  c.emplace(f.port);
  c->send(get("/"));
  auto open = kept->take();
  CHECK_FALSE(open.stop_requested());
  c.reset();
  while (!open.stop_requested())
    std::this_thread::yield();
  while (f.front.counted().deployments[{"default", "s"}].statuses[499] == 0)
    std::this_thread::yield();
  open.answer(response::text(200, ""));
}

TEST_CASE("a client that closes its sending side gets what is answered at once") {
  fixture f;
  f.serve({f.deploy<echo>("/", deployment_options{"e"}.execution(execution_mode::inlined))});
  client c{f.port};
  c.send(get("/half"));
  c.close_sending();
  CHECK(c.read().body == "GET /half ");
  CHECK(c.at_end());
}

TEST_CASE("routes change while connections live on") {
  fixture f;
  f.serve({f.deploy<echo>("/a", deployment_options{"e"})});
  client c{f.port};
  CHECK(c.ask(get("/a")).status == 200);
  f.front.set_routes({f.deploy<echo>("/b", deployment_options{"other"})});
  CHECK(c.ask(get("/a")).status == 404);
  CHECK(c.ask(get("/b")).status == 200);
}

TEST_CASE("figures say how requests ended, and how long they took") {
  std::vector<std::string> log;
  fixture f{{.on_access = [&](const ingress::access& x) {
    log.push_back(std::string{x.method} + " " + std::string{x.target} + " " + std::to_string(x.status) + " " +
                  std::string{x.route} + " " + std::string{x.request_id});
  }}};
  f.serve({f.deploy<echo>("/a", deployment_options{"e"}), f.deploy<thrower>("/t", deployment_options{"t"})});
  client c{f.port};
  c.ask(get("/a?x=1", "x-request-id: 1\r\n"));
  c.ask(get("/t", "x-request-id: 2\r\n"));
  c.ask(get("/n", "x-request-id: 3\r\n"));
  f.front.stop();
  auto figures = f.front.counted();
  const auto& e = figures.deployments[{"default", "e"}];
  CHECK(e.in_flight == 0);
  CHECK(e.ended[static_cast<std::size_t>(ingress::outcome::answered)].count == 1);
  CHECK(e.statuses.at(200) == 1);
  CHECK(figures.deployments[{"default", "t"}].statuses[500] == 1);
  CHECK(log == std::vector<std::string>{"GET /a?x=1 200 /a 1", "GET /t 500 /t 2", "GET /n 404  3"});
}

TEST_CASE("draining loses nothing that was accepted") {
  fixture f;
  const auto kept = std::make_shared<shelf>();
  f.serve({f.deploy("/", deployment_options{"s"}, make_code<slow>([kept] { return std::make_unique<slow>(kept); }))});
  client busy{f.port};
  client idle{f.port};
  client waiting{f.port};
  idle.ask(get("/-/healthz"));
  busy.send(get("/1") + get("/2"));
  auto first = kept->take();
  auto second = kept->take();
  f.front.begin_drain();
  waiting.send(get("/3"));
  auto third = kept->take();
  f.front.stop_listening();
  CHECK(idle.at_end());
  CHECK_FALSE(f.front.wait_idle(std::chrono::steady_clock::now()));
  first.answer(response::text(200, "1"));
  second.answer(response::text(200, "2"));
  third.answer(response::text(200, "3"));
  const auto one = busy.read();
  CHECK(one.body == "1");
  CHECK(one.field("Connection").empty());
  const auto two = busy.read();
  CHECK(two.body == "2");
  CHECK(two.field("Connection") == "close");
  CHECK(waiting.read().field("Connection") == "close");
  busy.close();
  waiting.close();
  idle.close();
  CHECK(f.front.wait_idle(std::chrono::steady_clock::now() + 20s));
}

} // namespace troupe::ingress_test
