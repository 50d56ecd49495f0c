// A loopback HTTP server for tests: answers what its script says and keeps what it was asked.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {

class scripted_server {
public:
  struct question {
    std::string method, target, body, authorization, if_match, content_type, host;
    std::string line() const { return method + ' ' + target; }
  };
  struct answer {
    unsigned status = 200;
    std::string body;
  };
  using script = std::function<answer(const question&)>;

  /// `answer_with` is called on the server's thread, one request at a time.
  explicit scripted_server(script answer_with)
      : answer_(std::move(answer_with)), acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}),
        thread_([this] { serve(); }) {}

  ~scripted_server() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    boost::asio::ip::tcp::socket waker{context_};
    boost::system::error_code ignored;
    waker.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

  std::vector<question> questions() const {
    const std::lock_guard lock{mutex_};
    return questions_;
  }

private:
  void serve() {
    namespace http = boost::beast::http;
    for (;;) {
      boost::asio::ip::tcp::socket socket{context_};
      boost::system::error_code failed;
      acceptor_.accept(socket, failed);
      {
        const std::lock_guard lock{mutex_};
        if (stopping_)
          return;
      }
      boost::beast::flat_buffer buffer;
      http::request<http::string_body> request;
      http::read(socket, buffer, request, failed);
      if (failed)
        continue;
      const auto text = [&](http::field f) { return std::string(request[f]); };
      const question asked{std::string(request.method_string()),
                           std::string(request.target()),
                           request.body(),
                           text(http::field::authorization),
                           text(http::field::if_match),
                           text(http::field::content_type),
                           text(http::field::host)};
      {
        const std::lock_guard lock{mutex_};
        questions_.push_back(asked);
      }
      const auto said = answer_(asked);
      if (said.status == 0)
        continue; // closes without an answer
      http::response<http::string_body> response{http::int_to_status(said.status), 11};
      response.set(http::field::content_type, "application/json");
      response.body() = said.body;
      response.prepare_payload();
      http::write(socket, response, failed);
    }
  }

  script answer_;
  mutable std::mutex mutex_;
  std::vector<question> questions_;
  bool stopping_ = false;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

} // namespace troupe
