// From a request's path to its deployment.
#include <troupe/actors/router/router.hpp>
#include <troupe/app/ingress/dispatcher.hpp>
#include <troupe/app/ingress/http_call.hpp>
#include <troupe/app/ingress/request_fields.hpp>

#include <random>

namespace troupe::ingress {

namespace {

/// Random, so that ids of different threads and runs differ; above all numbers that routers give.
std::uint64_t first_number() {
  std::random_device source;
  return (std::uint64_t{source()} << 32 | source()) | (std::uint64_t{1} << 63);
}

} // namespace

dispatcher::dispatcher(shared_state& shared, std::shared_ptr<thread_counters> counters)
    : shared_(shared), counters_(std::move(counters)), unit_(shared.system), scope_({nullptr, nullptr, &unit_}),
      routes_(std::make_shared<route_table>()), next_number_(first_number()) {}

void dispatcher::look_at_routes() {
  {
    const std::lock_guard guard{shared_.mutex};
    version_ = shared_.version.load(std::memory_order_relaxed);
    routes_ = shared_.routes;
  }
  counters_of_.clear();
  for (const auto& x : routes_->all())
    counters_of_.emplace(&x, &counters_->of(x.deployment));
}

void dispatcher::on_request(troupe::request&& x, http::responder to) {
  if (version_ != shared_.version.load(std::memory_order_acquire))
    look_at_routes();
  if (x.path.starts_with("/-/"))
    return answer_own(x, to);
  const auto* where = routes_->find(x.path);
  if (!where)
    return answer_not_found(x, to);
  const auto fields = read_fields(x.headers);
  auto timeout = where->request_timeout.value_or(shared_.opts.request_timeout);
  if (!fields.timeout.empty()) {
    const auto asked = read_timeout(fields.timeout);
    if (!asked)
      return to.send(troupe::response::text(400, "x-request-timeout-seconds is not a number\n"));
    timeout = *asked;
  }
  const bool stays_when_gone = fields.stays_when_gone;
  auto tags = fields.tags(); // the views end with the request's move
  x.route_prefix = where->prefix;
  auto& counters = *counters_of_.find(where)->second;
  counters.begun.add();
  const auto start = where->to->now();
  auto* call = new http_call(std::move(x), std::move(to), *where, counters, shared_.opts, start, timeout);
  call_ptr owner{call, false};
  if (!tags || tags->request_id.empty())
    call->ctx.request_number = ++next_number_;
  call->ctx.tags = std::move(tags);
  if (timeout.count() > 0)
    call->ctx.deadline = start + timeout;
  if (!stays_when_gone)
    call->watch_client();
  router::submit(where->to, std::move(owner), &unit_);
}

void dispatcher::answer_own(const troupe::request& x, http::responder& to) {
  counters_->own.add();
  const bool draining = shared_.draining.load(std::memory_order_relaxed);
  const bool ready = shared_.ready.load(std::memory_order_relaxed) && version_ > 0;
  if (x.path != "/-/healthz" && x.path != "/-/routes")
    return answer_not_found(x, to);
  if (x.method != "GET" && x.method != "HEAD") {
    auto answer = troupe::response::text(405, "Method Not Allowed\n");
    answer.headers.push_back({"Allow", "GET, HEAD"});
    return send(x, to, std::move(answer));
  }
  if (!ready)
    return send(x, to, troupe::response::text(503, "not ready: there are no routes yet\n"));
  if (x.path == "/-/routes")
    return send(x, to, troupe::response::json(200, routes_->as_json()));
  if (draining)
    return send(x, to, troupe::response::text(503, "draining\n"));
  send(x, to, troupe::response::text(200, "success"));
}

void dispatcher::answer_not_found(const troupe::request& x, http::responder& to) {
  counters_->not_found.add();
  send(x, to,
       troupe::response::text(404, "Path '" + x.target.substr(0, x.target.find('?')) +
                                       "' not found. GET /-/routes lists the routes that there are.\n"));
}

void dispatcher::send(const troupe::request& x, http::responder& to, troupe::response&& answer) {
  const auto sent_id = read_fields(x.headers).request_id;
  auto id = sent_id.empty() ? std::to_string(++next_number_) : std::string{sent_id};
  if (shared_.opts.on_access)
    shared_.opts.on_access({x.peer,
                            x.method,
                            x.target,
                            id,
                            {},
                            nullptr,
                            answer.status,
                            outcome::answered,
                            answer.body.size(),
                            std::chrono::nanoseconds{0}});
  answer.headers.push_back({"x-request-id", std::move(id)});
  to.send(std::move(answer));
}

} // namespace troupe::ingress
