// Gives a request's outcome to its client, and to the counters.
#include <troupe/actors/router/router.hpp>
#include <troupe/app/ingress/http_call.hpp>

#include <charconv>

namespace troupe::ingress {

http_call::http_call(troupe::request&& x, http::responder&& to, const route& where, deployment_counters& counters,
                     const options& opts, time_point start, std::chrono::milliseconds timeout)
    : typed_call(std::move(x)), to_(std::move(to)), counters_(counters), opts_(opts), at_(where.to.get()),
      start_(start), timeout_(timeout), retry_after_s_(where.retry_after_s),
      backpressure_status_(where.backpressure_status) {
  if (opts.on_access) {
    const auto& own = request();
    note_ = std::make_unique<const note>(note{own.peer, own.method, own.target, own.route_prefix});
  }
}

void http_call::watch_client() {
  intrusive_ptr_add_ref(this);
  to_.on_disconnect(http::disconnect_hook{this,
                                          [](void* x) {
                                            const call_ptr self{static_cast<http_call*>(x), false};
                                            self->fail(errc::cancelled);
                                          },
                                          [](void* x) { intrusive_ptr_release(static_cast<http_call*>(x)); }});
}

void http_call::deliver() noexcept {
  auto& home = to_.home();
  if (home.is_current())
    return finish();
  intrusive_ptr_add_ref(this);
  home.push(*this);
}

void http_call::run() noexcept {
  const call_ptr self{this, false};
  finish();
}

void http_call::drop() noexcept { const call_ptr self{this, false}; }

void http_call::finish() noexcept {
  auto& result = outcome();
  const auto how = outcome_of(result.code());
  const bool own_id = !ctx.tags || ctx.tags->request_id.empty();
  char digits[24];
  const auto* digits_end = std::to_chars(digits, digits + sizeof digits, ctx.request_number).ptr;
  const std::string_view id = own_id ? std::string_view{digits, static_cast<std::size_t>(digits_end - digits)}
                                     : std::string_view{ctx.tags->request_id};
  troupe::response answer;
  if (result.ok()) {
    answer = std::move(*result);
  } else {
    answer = answer_for(result.why(), {id, timeout_, backpressure_status_, retry_after_s_, at_});
    if (how == outcome::failed && opts_.on_failure)
      opts_.on_failure(counters_.name, id, result.why());
  }
  answer.headers.push_back({"x-request-id", std::string{id}});
  if (ctx.tags && !ctx.tags->traceparent.empty())
    answer.headers.push_back({"traceparent", ctx.tags->traceparent});
  const auto took = std::chrono::steady_clock::now() - start_;
  counters_.count(how, answer.status, took);
  if (note_)
    opts_.on_access({note_->peer, note_->method, note_->target, id, note_->route, &counters_.name, answer.status, how,
                     answer.body.size(), took});
  to_.send(std::move(answer));
}

} // namespace troupe::ingress
