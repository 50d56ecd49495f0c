#include <troupe/app/cluster/tls_errors.hpp>

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

/// OpenSSL's function of that name: the next one in the order of the dynamic linker.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

// NOLINTBEGIN(readability-identifier-naming): OpenSSL's names
extern "C" {

int SSL_read(SSL* ssl, void* to, int size) {
  static auto* const real = next<int(SSL*, void*, int)>("SSL_read");
  ERR_clear_error();
  return real(ssl, to, size);
}

int SSL_write(SSL* ssl, const void* from, int size) {
  static auto* const real = next<int(SSL*, const void*, int)>("SSL_write");
  ERR_clear_error();
  return real(ssl, from, size);
}

int SSL_connect(SSL* ssl) {
  static auto* const real = next<int(SSL*)>("SSL_connect");
  ERR_clear_error();
  return real(ssl);
}

int SSL_accept(SSL* ssl) {
  static auto* const real = next<int(SSL*)>("SSL_accept");
  ERR_clear_error();
  return real(ssl);
}
}
// NOLINTEND(readability-identifier-naming)

namespace troupe::cluster {

void keep_tls_errors_apart() noexcept {}

} // namespace troupe::cluster
