// The order of answers, the limits, and when a connection ends.
#include <troupe/app/http/response_writer.hpp>
#include <troupe/app/http/session.hpp>
#include <troupe/app/http/status.hpp>

#include <utility>
#include <vector>

namespace troupe::http {

namespace {

response explained(std::uint16_t status, const char* text) {
  std::string body{reason_of(status)};
  body += ": ";
  body += text;
  body += "\n";
  return response::text(status, std::move(body));
}

} // namespace

session::session(session_shared& shared, owner& to) : shared_(shared), to_(to), parser_(shared.limits) {}

session::~session() {
  lost();
  shared_.all.body_bytes.fetch_sub(counted_bytes_, std::memory_order_relaxed);
  for (std::size_t i = 0; i < exchanges_.size(); ++i)
    settle(exchanges_[i]);
}

// -- requests --------------------------------------------------------------------------------------------------------

bool session::takes_input(bool beyond_depth) const noexcept {
  const auto depth = shared_.limits.pipelining_depth;
  return !no_more_input_ && exchanges_.size() < (beyond_depth ? 2 * std::size_t{depth} : depth) &&
         output_.size() < shared_.limits.output_bytes;
}

std::size_t session::receive(std::string_view bytes, bool beyond_depth) {
  std::size_t used = 0;
  while (used < bytes.size() && takes_input(beyond_depth)) {
    fresh_ = false;
    used += parser_.feed(bytes.substr(used));
    if (parser_.current() == request_parser::state::refused) {
      refuse(parser_.why().status, parser_.why().text);
      break;
    }
    if (!count_body()) {
      refuse(503, "too many bytes of bodies are in flight");
      break;
    }
    if (parser_.current() != request_parser::state::complete) {
      ask_to_continue();
      break;
    }
    dispatch();
  }
  return used;
}

bool session::count_body() noexcept {
  const auto more = parser_.body_size() - counted_bytes_;
  if (more == 0)
    return true;
  counted_bytes_ += more;
  return shared_.all.body_bytes.fetch_add(more, std::memory_order_relaxed) + more <=
         shared_.limits.max_bodies_in_flight;
}

void session::ask_to_continue() {
  if (continue_sent_ || !exchanges_.empty() || !parser_.wants_continue())
    return;
  continue_sent_ = true;
  output_.append(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"});
}

session::exchange& session::push() noexcept {
  auto& x = exchanges_.push();
  x.body_bytes = std::exchange(counted_bytes_, 0);
  continue_sent_ = false;
  return x;
}

void session::dispatch() {
  const bool too_deep = at_depth();
  const auto keep_alive = parser_.keep_alive();
  const auto is_http_1_0 = parser_.is_http_1_0();
  auto read = parser_.take();
  auto& x = push();
  x.is_head = read.method == "HEAD";
  x.keep_alive = keep_alive;
  x.is_http_1_0 = is_http_1_0;
  x.counted = true;
  no_more_input_ = !keep_alive;
  shared_.counters.requests.add();
  const auto number = first_ + exchanges_.size() - 1;
  const auto before = shared_.all.requests.fetch_add(1, std::memory_order_relaxed);
  const char* refusal = too_deep                                          ? "too many requests are pipelined"
                        : before >= shared_.limits.max_requests_in_flight ? "too many requests are in flight"
                                                                          : nullptr;
  if (!refusal)
    return to_.on_request(number, std::move(read));
  shared_.counters.errors[503 - 400].add();
  answer(number, explained(503, refusal));
}

void session::refuse(std::uint16_t status, const char* text) {
  no_more_input_ = true;
  shared_.counters.errors[static_cast<std::size_t>(status - 400)].add();
  push().keep_alive = false;
  answer(first_ + exchanges_.size() - 1, explained(status, text));
}

void session::settle(exchange& x) noexcept {
  if (std::exchange(x.counted, false))
    shared_.all.requests.fetch_sub(1, std::memory_order_relaxed);
  if (const auto bytes = std::exchange(x.body_bytes, 0))
    shared_.all.body_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

// -- answers ---------------------------------------------------------------------------------------------------------

session::exchange* session::find(std::uint64_t number) noexcept {
  if (number < first_ || number - first_ >= exchanges_.size())
    return nullptr;
  auto& x = exchanges_[static_cast<std::size_t>(number - first_)];
  return x.closed ? nullptr : &x;
}

/// Only the last answer may say so: those before it would take the others' from the client.
bool session::closes_after(const exchange& x) const noexcept {
  return !x.keep_alive ||
         (exchanges_.size() == 1 &&
          (no_more_input_ || (shared_.draining && parser_.current() == request_parser::state::before)));
}

void session::answer(std::uint64_t number, response&& x) {
  auto* to = find(number);
  if (!to || to->stream)
    return;
  if (x.status < 200 || x.status > 599)
    x.status = 500;
  to->closed = true;
  to->hook = {};
  settle(*to);
  if (number != first_) {
    to->stored.emplace(std::move(x));
    return;
  }
  write_answer(*to, std::move(x));
  advance();
}

void session::write_answer(exchange& to, response&& x) {
  const bool closes = closes_after(to);
  no_more_input_ |= closes;
  output_.append([&](std::string& out) {
    write_head(out, x, {shared_.common_head, framing::length, !closes, to.is_http_1_0});
  });
  if (!to.is_head && !is_bodiless(x.status))
    output_.append(std::move(x.body));
  exchanges_.pop();
  ++first_;
}

void session::advance() {
  while (!exchanges_.empty()) {
    auto& x = exchanges_.front();
    if (x.stream) {
      if (!std::exchange(x.head_written, true))
        write_stream_head(x);
      if (!x.closed)
        return;
      finish_stream(x);
    } else if (x.stored) {
      auto waiting = std::move(*x.stored);
      write_answer(x, std::move(waiting));
    } else {
      return;
    }
  }
  if (parser_.wants_continue())
    ask_to_continue();
}

// -- the socket ------------------------------------------------------------------------------------------------------

void session::sent(std::size_t bytes) {
  output_.consume(bytes);
  shared_.counters.bytes_out.add(bytes);
  if (!output_.empty() || streamed_bytes_ == 0 || exchanges_.empty())
    return;
  if (const auto stream = exchanges_.front().stream) // what it calls may end the stream
    stream->sent(std::exchange(streamed_bytes_, 0));
}

phase session::current() const noexcept {
  if (!output_.empty())
    return phase::sending;
  if (ended())
    return phase::closing;
  if (!no_more_input_ && parser_.current() == request_parser::state::in_head)
    return phase::head;
  if (!no_more_input_ && parser_.current() == request_parser::state::in_body)
    return phase::body;
  if (!exchanges_.empty())
    return phase::handling;
  return fresh_ ? phase::fresh : phase::idle;
}

// -- the end ---------------------------------------------------------------------------------------------------------

void session::on_disconnect(std::uint64_t number, disconnect_hook&& hook) {
  if (auto* x = find(number))
    x->hook = std::move(hook);
}

void session::fire_hooks() {
  std::vector<disconnect_hook> hooks; // what they do comes back here
  std::vector<std::shared_ptr<stream_state>> streams;
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    auto& x = exchanges_[i];
    if (!x.closed)
      shared_.counters.disconnects.add();
    if (x.hook)
      hooks.push_back(std::move(x.hook));
    if (x.stream)
      streams.push_back(x.stream);
  }
  for (auto& hook : hooks)
    hook.fire();
  for (auto& stream : streams)
    stream->set_gone();
}

void session::lost() {
  no_more_input_ = true;
  fire_hooks();
  for (; !exchanges_.empty(); ++first_) {
    settle(exchanges_.front());
    exchanges_.pop();
  }
  output_.clear();
}

void session::time_out() {
  switch (current()) {
  case phase::head:
    return refuse(408, "the head of the request did not come in time");
  case phase::body:
    return refuse(408, "the body of the request did not come in time");
  case phase::sending:
  case phase::closing:
    return lost();
  case phase::fresh:
  case phase::idle:
    no_more_input_ = true;
    return;
  case phase::handling:
    return;
  }
}

void session::close_if_idle() {
  if (exchanges_.empty() && output_.empty() && parser_.current() == request_parser::state::before)
    no_more_input_ = true;
}

} // namespace troupe::http
