// A server as Boost.Beast's examples show it: whole messages, a stream with timeouts, a session object per connection.
#include "http_beast.hpp"

#include "http_servers.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>
#include <utility> // before asio: Boost 1.74 forgets it in C++20

namespace troupe::bench {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
public:
  explicit session(tcp::socket socket) : stream_(std::move(socket)) {}

  void read() {
    request_ = {};
    stream_.expires_after(std::chrono::seconds(30));
    http::async_read(stream_, buffer_, request_, beast::bind_front_handler(&session::on_read, shared_from_this()));
  }

private:
  void on_read(beast::error_code e, std::size_t) {
    if (e)
      return close();
    response_ = {http::status::ok, request_.version()};
    response_.set(http::field::server, "beast");
    response_.set(http::field::content_type, "text/plain");
    response_.keep_alive(request_.keep_alive());
    response_.body() = http_answer;
    response_.prepare_payload();
    http::async_write(stream_, response_, beast::bind_front_handler(&session::on_write, shared_from_this()));
  }

  void on_write(beast::error_code e, std::size_t) {
    if (e || response_.need_eof())
      return close();
    read();
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& at) {
  at.async_accept([&at](beast::error_code e, tcp::socket socket) {
    if (!e) {
      socket.set_option(tcp::no_delay(true));
      std::make_shared<session>(std::move(socket))->read();
    }
    accept(at);
  });
}

} // namespace

void serve_beast() {
  asio::io_context io{1};
  tcp::acceptor acceptor{io, {asio::ip::make_address("127.0.0.1"), 0}};
  std::cout << acceptor.local_endpoint().port() << std::endl;
  accept(acceptor);
  std::thread watcher{[&io] {
    while (std::cin.get() != std::char_traits<char>::eof()) {
    }
    io.stop();
  }};
  io.run();
  watcher.join();
}

} // namespace troupe::bench
