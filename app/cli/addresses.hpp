// Addresses, sizes, durations and folders as they are written on a command line.
#pragma once

#include <troupe/app/cli/world.hpp>
#include <troupe/app/daemon/serve_options.hpp>
#include <troupe/messages/resources.hpp>

#include <cstddef>
#include <filesystem>
#include <string>

namespace troupe::cli {

/// "127.0.0.1:8265", "[::1]:8265", "host:0", ":8000" (127.0.0.1), "8000" (127.0.0.1), "http://host:port". Throws a
/// `failure` that names `option`.
daemon::endpoint parse_endpoint(const std::string& text, const std::string& option);
std::string to_string(const daemon::endpoint& x);

/// "65536", "64KiB", "256MiB", "1GiB", "2TiB". Throws a `failure` that names `option`.
std::size_t parse_bytes(const std::string& text, const std::string& option);

/// "num_cpus=4,num_gpus=1,memory=8GiB,tokens=3": numbers with at most 4 decimals, of memory bytes as for
/// `parse_bytes`; 0 = none. What is not named is as in `detected`. Throws a `failure` that names `option` and the
/// resource.
resources parse_resources(const std::string& text, const std::string& option, resources detected);

/// "error", "warning", "info", "debug". Throws a `failure` that names `option`.
daemon::log_level parse_level(const std::string& name, const std::string& option);

/// Seconds, at least 0 and at most ten years; "0.5". Throws a `failure` that names `option`.
std::chrono::milliseconds parse_seconds(double seconds, const std::string& option);

/// `given`, else $TROUPE_DATA_DIR, else $XDG_STATE_HOME/troupe, else ~/.local/state/troupe. Throws a `failure` where
/// none of these is set.
std::filesystem::path data_dir(const std::string& given, const world& w);

} // namespace troupe::cli
