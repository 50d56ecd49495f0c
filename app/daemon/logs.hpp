// What the daemon writes for people and for tools: log lines on stderr, one JSON line per request.
#pragma once

#include <troupe/app/daemon/serve_options.hpp>
#include <troupe/app/ingress/options.hpp>
#include <troupe/app/runtime/runtime_options.hpp>

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe::daemon {

/// Lines on stderr, with the time; thread-safe.
class log_lines {
public:
  explicit log_lines(log_level least) : least_(least) {}
  void write(troupe::log_level level, std::string_view text);

private:
  const log_level least_;
  std::mutex mutex_;
};

/// Thread-safe.
class access_log {
public:
  /// A file to append to, "-" for stdout. Throws `std::runtime_error` when it cannot be written.
  explicit access_log(const std::string& where);
  access_log(const access_log&) = delete;
  access_log& operator=(const access_log&) = delete;
  ~access_log();
  void line(const ingress::access& x);

private:
  std::FILE* out_ = nullptr;
};

} // namespace troupe::daemon
