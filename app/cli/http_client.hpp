// One HTTP request to the daemon, blocking, within a time limit.
#pragma once

#include <troupe/app/daemon/serve_options.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cli {

struct http_question {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct http_answer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// There was no answer: nobody listens, the name is not known, the time is up, or it is not HTTP.
class no_answer : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Connects, asks, and closes. Throws `no_answer`.
http_answer ask(const daemon::endpoint& where, const http_question& question, std::chrono::milliseconds timeout);

} // namespace troupe::cli
