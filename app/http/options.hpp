// The limits of an HTTP server: each has a default and may be changed before the server starts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::http {

using std::chrono::milliseconds;

/// A value. Sizes are in bytes; nothing is unlimited. Where a limit is exceeded the client gets the status in brackets.
struct options {
  std::uint32_t max_connections = 10'000;                    ///< [503, then closed]
  std::uint32_t max_requests_in_flight = 4096;               ///< Read whole and not answered, all connections. [503]
  std::uint64_t max_bodies_in_flight = 256ULL * 1024 * 1024; ///< Bodies of those and of what is being read. [503]
  std::uint32_t pipelining_depth = 16;                       ///< Requests of one connection that wait. [503]
  std::uint32_t target_bytes = 8 * 1024;                     ///< [414]
  std::uint32_t header_bytes = 32 * 1024;                    ///< Request line and fields together. [431]
  std::uint32_t header_count = 100;                          ///< [431]
  std::uint64_t body_bytes = 64ULL * 1024 * 1024;            ///< [413]
  milliseconds header_timeout{10'000};     ///< From a request's first byte to the end of its head; also for a new
                                           ///< connection that sends nothing. [408]
  milliseconds body_timeout{30'000};       ///< For each 64 KiB of a body. [408]
  milliseconds keep_alive_timeout{90'000}; ///< Between two requests. [closed]
  milliseconds write_timeout{30'000};      ///< A client must take 64 KiB of an answer in that time. [closed]
  milliseconds linger_timeout{2'000};      ///< How long what a client still sends is read, unseen, before closing.
  milliseconds first_request_grace{1'000}; ///< How old a connection without a request must be to be closed once the
                                           ///< listening sockets are: its first request may be on its way.
  std::size_t output_bytes =
      std::size_t{1024} * 1024; ///< With more than this unsent, a connection's next requests are not read.
  std::size_t stream_bytes = std::size_t{256} * 1024; ///< With more than this unsent, a stream takes nothing.
  /// A client that has closed its sending side may be gone, or wait for its answer: so long it gets one, then its
  /// requests are told as disconnected. One whose connection is reset is gone at once.
  milliseconds half_closed_grace{250};
};

} // namespace troupe::http
