// A runtime with an ingress in front of it, and deployments whose handlers wait until a test lets them go.
#pragma once

#include "../http/http_client.hpp"
#include <troupe/app/ingress/server.hpp>
#include <troupe/messages/http.hpp>
#include <troupe/troupe.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing_ingress {

using namespace std::chrono_literals;

/// Says what it got.
class echo {
public:
  response operator()(const request& x, const request_context& context) {
    auto answer = response::text(200, x.method + " " + std::string{x.sub_path()} + " " + x.body);
    answer.headers.push_back({"X-Seen-Id", context.request_id()});
    answer.headers.push_back({"X-Seen-Session", std::string{context.session_id()}});
    answer.headers.push_back({"X-Seen-Model", std::string{context.model_id()}});
    answer.headers.push_back({"X-Has-Deadline", context.has_deadline() ? "yes" : "no"});
    return answer;
  }
};

/// Keeps its promises until a test takes them.
struct shelf {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<promise<response>> kept;

  promise<response> take() {
    std::unique_lock guard{mutex};
    REQUIRE(changed.wait_for(guard, 20s, [&] { return !kept.empty(); }));
    auto result = std::move(kept.front());
    kept.erase(kept.begin());
    return result;
  }
};

class slow {
public:
  explicit slow(std::shared_ptr<shelf> to) : shelf_(std::move(to)) {}
  void operator()(const request&, promise<response> answer) {
    const std::lock_guard guard{shelf_->mutex};
    shelf_->kept.push_back(std::move(answer));
    shelf_->changed.notify_one();
  }

private:
  std::shared_ptr<shelf> shelf_;
};

class thrower {
public:
  response operator()(const request&) { throw std::runtime_error("secret: /home/of/mine"); }
};

/// As if a call that it made found a full queue.
class overwhelmed {
public:
  response operator()(const request&) { throw request_failed{error{errc::backpressure, "queue of \"x\" is full"}}; }
};

struct fixture {
  explicit fixture(ingress::options own = {}, http::options limits = {})
      : front(rt.system(), std::move(own), limits), port(front.listen("127.0.0.1", 0)) {}

  template <class T>
  ingress::route deploy(const std::string& prefix, deployment_options what) {
    return deploy(prefix, std::move(what), make_code<T>());
  }
  ingress::route deploy(const std::string& prefix, deployment_options what, std::shared_ptr<const code> user_code) {
    const auto name = what.spec().full_name();
    rt.run(what, std::move(user_code));
    REQUIRE(rt.wait_until_healthy(name, 20s));
    return {.prefix = prefix,
            .deployment = {what.spec().application, what.spec().name},
            .to = rt.handle<response(request)>(name).destination()};
  }
  void serve(std::vector<ingress::route> routes) {
    front.set_routes(std::move(routes));
    front.set_ready(true);
    front.start(1);
  }

  runtime rt;
  ingress::server front;
  std::uint16_t port;
};

} // namespace troupe::testing_ingress
