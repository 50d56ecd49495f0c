// Beast's parser on an own io_context; timeouts need its asynchronous calls.
#include <troupe/app/cli/http_client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <utility> // before Asio, which in Boost 1.74 lacks it with C++20

namespace troupe::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::uint64_t most_body_bytes = std::uint64_t{1} << 30U; // the status of millions of replicas

class exchange {
public:
  explicit exchange(std::chrono::milliseconds timeout) : timeout_(timeout) { stream_.expires_after(timeout); }

  http_answer run(const daemon::endpoint& where, const http_question& question) {
    connect(where);
    auto request = make_request(where, question);
    wait([&](auto handler) { http::async_write(stream_, request, handler); }, "sending the request");
    http::response_parser<http::string_body> parser;
    parser.body_limit(most_body_bytes);
    beast::flat_buffer buffer;
    wait([&](auto handler) { http::async_read(stream_, buffer, parser, handler); }, "reading the answer");
    auto& response = parser.get();
    const auto type = response[http::field::content_type];
    return {response.result_int(), {type.data(), type.size()}, std::move(response.body())};
  }

private:
  static http::request<http::string_body> make_request(const daemon::endpoint& where, const http_question& question) {
    http::request<http::string_body> request;
    request.method_string(question.method);
    request.target(question.target);
    request.version(11);
    const bool is_v6 = where.host.find(':') != std::string::npos;
    request.set(http::field::host, (is_v6 ? '[' + where.host + ']' : where.host) + ':' + std::to_string(where.port));
    request.set(http::field::user_agent, "troupe");
    request.set(http::field::accept, "application/json");
    request.set(http::field::connection, "close");
    for (const auto& [name, value] : question.headers)
      request.set(name, value);
    request.body() = question.body;
    if (!question.body.empty() || question.method != "GET")
      request.content_length(question.body.size());
    return request;
  }

  void connect(const daemon::endpoint& where) {
    asio::ip::tcp::resolver resolver{context_};
    beast::error_code failed;
    const auto found = resolver.resolve(where.host, std::to_string(where.port), failed);
    if (failed)
      throw no_answer{"the name is not known (" + failed.message() + ")"};
    wait([&](auto handler) { stream_.async_connect(found, handler); }, {});
  }

  // Runs one operation to its end.
  template <class Start>
  void wait(Start start, const std::string& doing) {
    beast::error_code result;
    start([&result](beast::error_code e, const auto&...) { result = e; });
    context_.restart();
    context_.run();
    if (result == beast::error::timeout)
      throw no_answer{"no answer within " + std::to_string(timeout_.count() / 1000) + " s"};
    if (result == http::error::end_of_stream)
      throw no_answer{"the connection was closed without an answer"};
    if (result)
      throw no_answer{(doing.empty() ? "" : doing + ": ") + result.message()};
  }

  std::chrono::milliseconds timeout_;
  asio::io_context context_{1};
  beast::tcp_stream stream_{context_};
};

} // namespace

http_answer ask(const daemon::endpoint& where, const http_question& question, std::chrono::milliseconds timeout) {
  return exchange{timeout}.run(where, question);
}

} // namespace troupe::cli
