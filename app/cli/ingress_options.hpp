// Options of the commands whose process takes HTTP: `serve` and `node`.
#pragma once

#include <troupe/app/cli/command.hpp>
#include <troupe/app/daemon/serve_options.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

namespace troupe::cli {

inline constexpr std::size_t largest_count = 1'000'000; ///< Of connections, requests, libraries.

/// Where the defaults of these come from, as the help says it.
struct ingress_defaults {
  const char* request_timeout;
  const char* keep_alive_timeout;
};

/// Threads, limits and access log of an ingress.
void add_ingress_options(boost::program_options::options_description& to, const ingress_defaults& defaults);
/// The names of all of these, without dashes.
std::span<const char* const> ingress_option_names();

/// Their limits; throws `failure` that names an option.
daemon::limits ingress_limits(const invocation& in);
unsigned http_threads(const invocation& in); ///< Default 1.

// One option of a kind, nothing where it is not given; each throws `failure` that names it.
std::optional<std::size_t> bytes(const invocation& in, const char* option);
std::optional<std::chrono::milliseconds> seconds(const invocation& in, const char* option);
std::optional<daemon::endpoint> address(const invocation& in, const char* option);

} // namespace troupe::cli
