// Reads into a buffer of its own, writes straight, and knows how long the client may take.
#include <troupe/app/http/connection.hpp>
#include <troupe/app/http/io_thread.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>

namespace troupe::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t first_input = std::size_t{4} * 1024;
constexpr std::size_t body_input = std::size_t{64} * 1024;      // while a body is read
constexpr std::size_t most_discarded = std::size_t{256} * 1024; // of what comes when nothing is taken any more
constexpr std::size_t enough_progress = std::size_t{64} * 1024; // see options: body_timeout, write_timeout
constexpr std::size_t most_pieces = 16;                         // per call of the system

} // namespace

connection::connection(io_thread& home, session_shared& shared, tcp_socket socket, std::uint32_t slot,
                       std::uint32_t generation, std::string peer)
    : home_(home), shared_(shared), socket_(std::move(socket)), session_(shared, *this), slot_(slot),
      generation_(generation), peer_(std::move(peer)), since_(io_thread::now()) {}

void connection::start() { read(); }

void connection::start_refused() {
  session_.refuse_connection();
  home_.mark_dirty(*this);
  read();
}

// -- input -----------------------------------------------------------------------------------------------------------

bool connection::wants_to_read() const noexcept {
  if (closed_ || reading_ || end_of_input_)
    return false;
  return session_.ignores_input() ? discarded_ < most_discarded : session_.takes_input();
}

/// At least a quarter of the buffer is free afterwards. The buffer grows only for one long head, which the session
/// bounds, and for bodies.
void connection::make_room() {
  const auto used = input_end_ - input_begin_;
  if (used == 0)
    input_begin_ = input_end_ = 0;
  if (input_begin_ > 0 && input_.size() - input_end_ < input_.size() / 4) {
    std::memmove(input_.data(), input_.data() + input_begin_, used);
    input_begin_ = 0;
    input_end_ = used;
  }
  const auto wanted = session_.body_size() > first_input ? body_input : std::max(first_input, 2 * used);
  if (input_.size() < wanted)
    input_.resize(wanted);
}

void connection::read() {
  if (!wants_to_read())
    return;
  make_room();
  reading_ = true;
  ++pending_;
  socket_.async_read_some(asio::buffer(input_.data() + input_end_, input_.size() - input_end_),
                          [this](const boost::system::error_code& e, std::size_t n) { on_read(e, n); });
}

void connection::on_read(const boost::system::error_code& e, std::size_t n) {
  reading_ = false;
  --pending_;
  if (closed_)
    return home_.mark_dirty(*this); // to be reaped
  if (e) {
    end_of_input_ = true;
    if (e == asio::error::eof && !lingering_) {
      session_.end_of_input();
      half_closed_ = true;
      half_closed_at_ = io_thread::now();
    } else {
      close();
    }
    return home_.mark_dirty(*this);
  }
  shared_.counters.bytes_in.add(n);
  input_end_ += n;
  process(false);
  home_.mark_dirty(*this); // what is answered in this turn goes out before more is read
}

void connection::process(bool beyond_depth) {
  if (!session_.ignores_input())
    input_begin_ += session_.receive({input_.data() + input_begin_, input_end_ - input_begin_}, beyond_depth);
  if (session_.ignores_input()) {
    discarded_ += input_end_ - input_begin_;
    input_begin_ = input_end_;
  } else if (input_begin_ != input_end_ && session_.at_depth() && !beyond_depth) {
    home_.mark_crowded(*this);
  }
  note_phase();
}

void connection::go_on(bool beyond_depth) {
  if (closed_)
    return;
  if (input_begin_ != input_end_)
    process(beyond_depth);
  read();
}

void connection::on_request(std::uint64_t number, request&& x) {
  x.peer = peer_;
  home_.dispatch(std::move(x), {slot_, generation_, number});
}

// -- output ----------------------------------------------------------------------------------------------------------

std::ptrdiff_t connection::write_some() noexcept {
  std::array<iovec, most_pieces> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  session_.output().for_each(most_pieces, [&](std::string_view piece) {
    pieces[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
  });
  for (;;) {
    const int fd = socket_.native_handle();
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    const auto n = message.msg_iovlen == 1 ? ::send(fd, pieces[0].iov_base, pieces[0].iov_len, flags)
                                           : ::sendmsg(fd, &message, flags);
    if (n >= 0 || errno != EINTR)
      return n;
  }
}

void connection::flush() {
  while (!closed_ && !waiting_ && !session_.output().empty()) {
    const auto n = write_some();
    if (n < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        wait_writable();
      else
        close();
      break;
    }
    written_ += static_cast<std::uint64_t>(n);
    session_.sent(static_cast<std::size_t>(n));
  }
  if (closed_)
    return;
  if (session_.ended())
    linger();
  else if (!reading_)
    go_on(false);
  note_phase();
}

void connection::wait_writable() {
  waiting_ = true;
  ++pending_;
  socket_.async_wait(tcp_socket::wait_write, [this](const boost::system::error_code&) {
    waiting_ = false;
    --pending_;
    home_.mark_dirty(*this);
  });
}

// -- the end ---------------------------------------------------------------------------------------------------------

/// Closing at once, with bytes unread, would reset the connection, and the answer might be lost on the way.
void connection::linger() {
  if (end_of_input_)
    return close();
  if (std::exchange(lingering_, true))
    return;
  ::shutdown(socket_.native_handle(), SHUT_WR);
  since_ = io_thread::now();
  read();
}

/// A request that has come in is answered, and that answer closes. So is the first one of a connection that was made a
/// moment ago: its client has no reason to try again.
void connection::close_if_idle() {
  if (closed_ || session_.current() == phase::fresh || has_unread())
    return;
  session_.close_if_idle();
  if (session_.ended())
    home_.mark_dirty(*this);
}

bool connection::has_unread() noexcept {
  char first = 0;
  return !closed_ && ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void connection::close() noexcept {
  if (std::exchange(closed_, true))
    return;
  session_.lost();
  boost::system::error_code ignored;
  socket_.close(ignored);
  home_.mark_dirty(*this); // to be reaped
}

std::size_t connection::progress() const noexcept {
  return phase_ == phase::body ? session_.body_size() : static_cast<std::size_t>(written_);
}

void connection::note_phase() {
  const auto now_in = session_.current();
  const auto number = session_.requests_read();
  if (now_in == phase_ && number == request_)
    return;
  phase_ = now_in;
  request_ = number;
  since_ = io_thread::now();
  mark_ = progress();
}

void connection::tick(time_point now) {
  if (closed_)
    return;
  if (half_closed_ && now - half_closed_at_ >= shared_.limits.half_closed_grace) {
    half_closed_ = false;
    session_.cancel_requests();
  }
  if (phase_ == phase::body || phase_ == phase::sending) {
    if (const auto done = progress(); done - mark_ >= enough_progress) {
      mark_ = done;
      since_ = now;
    }
  }
  const auto& limits = shared_.limits;
  auto longest = milliseconds::max();
  switch (phase_) {
  case phase::fresh:
    longest = shared_.closing ? std::min(limits.first_request_grace, limits.header_timeout) : limits.header_timeout;
    break;
  case phase::head:
    longest = limits.header_timeout;
    break;
  case phase::idle:
    longest = limits.keep_alive_timeout;
    break;
  case phase::body:
    longest = limits.body_timeout;
    break;
  case phase::sending:
    longest = limits.write_timeout;
    break;
  case phase::handling:
  case phase::closing:
    break;
  }
  if (lingering_)
    longest = limits.linger_timeout;
  if (longest == milliseconds::max() || now - since_ < longest)
    return;
  if (lingering_ || phase_ == phase::sending)
    return close();
  if ((phase_ == phase::fresh || phase_ == phase::idle) && has_unread())
    return; // it has come in time
  session_.time_out();
  home_.mark_dirty(*this);
  note_phase();
}

} // namespace troupe::http
