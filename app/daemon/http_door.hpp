// What the processes that take HTTP share: may they listen there, what is told when they cannot, limits and logs.
#pragma once

#include <troupe/app/daemon/logs.hpp>
#include <troupe/app/daemon/serve_options.hpp>
#include <troupe/app/http/options.hpp>
#include <troupe/app/ingress/options.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace troupe::daemon {

/// Ends the start: what people should know, and the exit code.
struct cannot_start : std::runtime_error {
  explicit cannot_start(const std::string& text, int with = 1) : runtime_error(text), code(with) {}
  int code;
};

/// Throws `cannot_start` for another address than loopback (SPEC 6). `option` is what gave it, with its dashes.
void check_address(const endpoint& x, const char* option, bool insecure);

/// Of `x`, for a server's `listen`.
std::string listen_address(const endpoint& x);
/// Throws `cannot_start` with what to do about it. `option`: as above.
[[noreturn]] void cannot_listen(const endpoint& where, const std::string& option, const std::error_code& why);

/// `keep_alive`: of the config, where the command line says nothing.
http::options http_limits(const limits& given, std::optional<milliseconds> keep_alive = std::nullopt);

/// With lines for failed requests in `log`, and a line for each in `accesses` unless it is null. Both outlive the
/// ingress.
ingress::options ingress_options(std::optional<milliseconds> request_timeout, access_log* accesses, log_lines& log);

} // namespace troupe::daemon
