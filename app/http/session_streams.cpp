// Answers whose bodies come in pieces, in their turn among the other answers of a connection.
#include <troupe/app/http/response_writer.hpp>
#include <troupe/app/http/session.hpp>
#include <troupe/app/http/status.hpp>

#include <utility>

namespace troupe::http {

void session::begin_stream(std::uint64_t number, response&& head, std::shared_ptr<stream_state> state) {
  auto* to = find(number);
  if (!to || to->stream) {
    state->set_gone();
    return;
  }
  if (head.status < 200 || head.status > 599)
    head.status = 500;
  to->stream = std::move(state);
  to->pending = std::exchange(head.body, {});
  to->stream->taken(to->pending.size());
  to->stored.emplace(std::move(head));
  if (number == first_)
    advance();
}

void session::write_stream_head(exchange& x) {
  if (x.is_http_1_0)
    x.keep_alive = false;
  const bool closes = closes_after(x);
  x.keep_alive = !closes;
  no_more_input_ |= closes;
  output_.append([&](std::string& out) {
    const auto frame = x.is_http_1_0 ? framing::until_close : framing::chunked;
    write_head(out, *x.stored, {shared_.common_head, frame, !closes, x.is_http_1_0});
  });
  streamed_bytes_ = 0;
  append_chunk(x, std::exchange(x.pending, {}));
}

void session::append_chunk(exchange& x, std::string&& chunk) {
  const auto size = chunk.size();
  streamed_bytes_ += size;
  if (size == 0)
    return;
  if (x.is_head || is_bodiless(x.stored->status))
    return;
  if (x.is_http_1_0)
    return output_.append(std::move(chunk));
  output_.append([&](std::string& out) { write_chunk_size(out, size); });
  output_.append(std::move(chunk));
  output_.append(std::string_view{"\r\n"});
}

void session::write_stream(std::uint64_t number, std::string&& chunk) {
  auto* to = find(number);
  if (!to || !to->stream)
    return;
  if (to->head_written)
    append_chunk(*to, std::move(chunk));
  else
    to->pending += chunk;
}

void session::end_stream(std::uint64_t number) {
  auto* to = find(number);
  if (!to || !to->stream)
    return;
  to->closed = true;
  to->hook = {};
  settle(*to);
  if (number == first_)
    advance();
}

void session::finish_stream(exchange& x) {
  if (!x.is_http_1_0 && !x.is_head && !is_bodiless(x.stored->status))
    output_.append(std::string_view{"0\r\n\r\n"});
  x.stream->sent(std::exchange(streamed_bytes_, 0));
  exchanges_.pop();
  ++first_;
}

} // namespace troupe::http
