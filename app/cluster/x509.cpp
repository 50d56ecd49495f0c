// Every return of OpenSSL is looked at; what comes from a peer is only ever an error.
#include <troupe/app/cluster/openssl_owner.hpp>
#include <troupe/app/cluster/x509.hpp>

#include <algorithm>
#include <ctime>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace troupe::cluster {

namespace {

constexpr std::size_t most_certificates = 16;
constexpr int security_level = 2; // 112 bits, as Debian's default for TLS

error refused(std::string text) { return {errc::rejected, std::move(text)}; }

// Zero bytes for a passphrase, which no encrypted key has: without it OpenSSL asks on the terminal.
int no_passphrase(char*, int, int, void* was_asked) {
  if (was_asked)
    *static_cast<bool*>(was_asked) = true;
  return 0;
}

owned_bio bio_of(std::string_view text) {
  return owned_bio{text.size() > 1'000'000 ? nullptr : BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string text_of(const owned_bio& bio) {
  BUF_MEM* held = nullptr;
  return BIO_get_mem_ptr(bio.get(), &held) == 1 && held ? std::string{held->data, held->length} : std::string{};
}

struct stack_freed {
  void operator()(STACK_OF(X509) * x) const noexcept { sk_X509_free(x); } // not what it holds
};

} // namespace

std::string openssl_reason() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "OpenSSL gives no reason";
}

result<x509_list> certificates_of_pem(std::string_view pem) {
  ERR_clear_error();
  const auto bio = bio_of(pem);
  if (!bio)
    return refused("is too large");
  x509_list out;
  while (auto* x = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    out.emplace_back(x, X509_free);
    if (out.size() > most_certificates)
      return refused("holds more than " + std::to_string(most_certificates) + " certificates");
  }
  if (const auto last = ERR_peek_last_error();
      ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
    return refused("is not a PEM file of certificates: " + openssl_reason());
  ERR_clear_error();
  if (out.empty())
    return refused("holds no certificate");
  return out;
}

result<key_handle> key_of_pem(std::string_view pem) {
  ERR_clear_error();
  const auto bio = bio_of(pem);
  if (!bio)
    return refused("is too large");
  bool wants_passphrase = false;
  key_handle key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &wants_passphrase), EVP_PKEY_free};
  if (wants_passphrase) {
    ERR_clear_error();
    return refused("is encrypted with a passphrase, and nobody is there to type it");
  }
  if (!key)
    return refused("is not a PEM file of a private key: " + openssl_reason());
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 && EVP_PKEY_is_a(key.get(), "RSA") != 1)
    return refused("holds a key that is neither EC nor RSA");
  return key;
}

result<x509_handle> certificate_of_der(std::string_view der) {
  ERR_clear_error();
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  x509_handle out{d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free};
  if (!out)
    return refused("is not a certificate: " + openssl_reason());
  if (at != end)
    return refused("has bytes after its end");
  return out;
}

std::string to_pem(const x509_handle& x) {
  const owned_bio bio{BIO_new(BIO_s_mem())};
  return bio && PEM_write_bio_X509(bio.get(), x.get()) == 1 ? text_of(bio) : std::string{};
}

std::string to_pem(const key_handle& x) {
  const owned_bio bio{BIO_new(BIO_s_secmem())}; // is overwritten before it is freed
  return bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), x.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1
             ? text_of(bio)
             : std::string{};
}

std::string to_der(const x509_handle& x) {
  unsigned char* bytes = nullptr;
  const int n = i2d_X509(x.get(), &bytes);
  std::string out;
  if (n > 0)
    out.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  OPENSSL_free(bytes);
  return out;
}

bool same(const x509_handle& a, const x509_handle& b) { return X509_cmp(a.get(), b.get()) == 0; }

bool key_matches(const x509_handle& x, const key_handle& key) {
  const bool out = X509_check_private_key(x.get(), key.get()) == 1;
  ERR_clear_error();
  return out;
}

std::string why_not_trusted(const x509_handle& leaf, const x509_list& between, const x509_list& authorities,
                            time_point now) {
  ERR_clear_error();
  const owned_store store{X509_STORE_new()};
  const owned_store_context context{X509_STORE_CTX_new()};
  const std::unique_ptr<STACK_OF(X509), stack_freed> rest{sk_X509_new_null()};
  if (!store || !context || !rest)
    return "there is no memory to check it";
  for (const auto& x : authorities)
    if (X509_STORE_add_cert(store.get(), x.get()) != 1)
      return "a CA cannot be used: " + openssl_reason();
  for (const auto& x : between)
    if (sk_X509_push(rest.get(), x.get()) <= 0)
      return "there is no memory to check it";
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), rest.get()) != 1)
    return "it cannot be checked: " + openssl_reason();
  auto* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_auth_level(rules, security_level);
  if (X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER) != 1)
    return "it cannot be checked: " + openssl_reason();
  const bool ok = X509_verify_cert(context.get()) == 1;
  std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  ERR_clear_error();
  if (!ok)
    return why;
  return X509_check_purpose(leaf.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1 ? "" : "it may not be used by TLS clients";
}

std::string date_text(time_point x) {
  const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(x));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string expiry_text(time_point not_after, time_point now) {
  if (not_after <= now)
    return "expired on " + date_text(not_after);
  if (not_after - now > early)
    return "";
  const auto days = std::chrono::floor<std::chrono::days>(not_after - now).count();
  return "expires on " + date_text(not_after) + ", " +
         (days == 0 ? "in less than a day" : "in " + std::to_string(days) + (days == 1 ? " day" : " days"));
}

} // namespace troupe::cluster
