// TLS sessions of one thread do not fail each other's.
#pragma once

namespace troupe::cluster {

/// Why: OpenSSL keeps errors in a queue for each thread, and whoever asks what became of a call finds those of earlier
/// calls, too. CAF 0.17 never empties it. So the end of one connection (an unexpected EOF is an error since OpenSSL 3),
/// or one bad handshake, ended every TLS connection of the process with the next byte that came.
///
/// What: the program has SSL_read, SSL_write, SSL_connect and SSL_accept of its own, which empty the queue and go on to
/// OpenSSL's. Calling this links them in; it does nothing else. It works in programs that export their symbols, or are
/// linked together with CAF's library.
void keep_tls_errors_apart() noexcept;

} // namespace troupe::cluster
