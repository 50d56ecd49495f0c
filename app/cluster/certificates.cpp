// X.509 version 3 by OpenSSL 3. Extensions are built as values, never from texts: a name cannot add one.
#include <troupe/app/cluster/certificates.hpp>
#include <troupe/app/cluster/openssl_owner.hpp>

#include <openssl/err.h>
#include <stdexcept>

namespace troupe::cluster {

namespace {

constexpr std::size_t most_hosts = 100;
constexpr int serial_bits = 127; // RFC 5280: at most 20 bytes, positive

// Confined to this file: what OpenSSL refuses while a certificate is built ends the building.
struct openssl_failed : std::runtime_error {
  explicit openssl_failed(const char* what) : std::runtime_error(std::string{what} + ": " + openssl_reason()) {}
};

void require(bool ok, const char* what) {
  if (!ok)
    throw openssl_failed{what};
}

void add(X509* to, int kind, const char* value, X509* issuer) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const owned_extension x{X509V3_EXT_conf_nid(nullptr, &context, kind, value)};
  require(x && X509_add_ext(to, x.get(), -1) == 1, "an extension cannot be made");
}

void push(GENERAL_NAMES* to, int kind, ASN1_STRING* value) {
  owned_string held{value};
  require(value != nullptr, "an alternative name cannot be made");
  owned_name name{GENERAL_NAME_new()};
  require(name != nullptr, "an alternative name cannot be made");
  GENERAL_NAME_set0_value(name.get(), kind, held.release());
  require(sk_GENERAL_NAME_push(to, name.get()) > 0, "an alternative name cannot be added");
  static_cast<void>(name.release());
}

ASN1_STRING* text_value(const std::string& text) {
  owned_string out{ASN1_STRING_type_new(V_ASN1_IA5STRING)};
  const bool ok = out && ASN1_STRING_set(out.get(), text.data(), static_cast<int>(text.size())) == 1;
  return ok ? out.release() : nullptr;
}

void add_names(X509* to, const std::string& uri, const std::vector<std::string>& hosts) {
  const owned_names names{GENERAL_NAMES_new()};
  require(names != nullptr, "alternative names cannot be made");
  push(names.get(), GEN_URI, text_value(uri));
  for (const auto& x : hosts) {
    const bool is_address = is_ip_address(x);
    push(names.get(), is_address ? GEN_IPADD : GEN_DNS, is_address ? a2i_IPADDRESS(x.c_str()) : text_value(x));
  }
  require(X509_add1_ext_i2d(to, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "alternative names cannot be added");
}

void set_part(X509_NAME* to, const char* part, const std::string& text) {
  require(X509_NAME_add_entry_by_txt(to, part, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()), -1, 0) == 1,
          "the subject cannot be set");
}

void set_serial(X509* to) {
  const owned_number number{BN_new()};
  require(number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1,
          "there are no random bytes");
  const owned_serial serial{BN_to_ASN1_INTEGER(number.get(), nullptr)};
  require(serial && X509_set_serialNumber(to, serial.get()) == 1, "the serial cannot be set");
}

// All but the extensions.
credential begin(const std::string& cluster, const std::string& name, time_point not_before, time_point not_after) {
  credential out{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  auto* x = out.certificate.get();
  require(x != nullptr, "there is no memory");
  require(out.key != nullptr, "a P-256 key cannot be made");
  require(X509_set_version(x, X509_VERSION_3) == 1, "the version cannot be set");
  set_serial(x);
  using clock = std::chrono::system_clock;
  require(ASN1_TIME_set(X509_getm_notBefore(x), clock::to_time_t(not_before)) &&
              ASN1_TIME_set(X509_getm_notAfter(x), clock::to_time_t(not_after)),
          "the times cannot be set");
  set_part(X509_get_subject_name(x), "O", cluster);
  set_part(X509_get_subject_name(x), "CN", name);
  require(X509_set_pubkey(x, out.key.get()) == 1, "the key cannot be set");
  return out;
}

void sign(const credential& x, const credential& by) {
  require(X509_set_issuer_name(x.certificate.get(), X509_get_subject_name(by.certificate.get())) == 1,
          "the issuer cannot be set");
  add(x.certificate.get(), NID_subject_key_identifier, "hash", by.certificate.get());
  add(x.certificate.get(), NID_authority_key_identifier, "keyid:always", by.certificate.get());
  require(X509_sign(x.certificate.get(), by.key.get(), EVP_sha256()) > 0, "it cannot be signed");
}

error forbidden(std::string text) { return {errc::rejected, std::move(text)}; }

std::string bad_days(int days) {
  return std::to_string(days) + " days of validity: it takes 1 to " + std::to_string(most_days);
}

template <class Make>
result<credential> made(Make make) {
  ERR_clear_error();
  try {
    return make();
  } catch (const openssl_failed& e) {
    return error{errc::unavailable, std::string{"the certificate cannot be made: "} + e.what()};
  }
}

} // namespace

result<credential> make_authority(role of, const std::string& cluster, int days, time_point now) {
  if (!is_name(cluster))
    return forbidden("\"" + cluster + "\" is no name of a cluster: it takes " + std::string{allowed_names});
  if (days < 1 || days > most_days)
    return forbidden(bad_days(days));
  return made([&] {
    const std::string role_text{to_string(of)};
    auto out = begin(cluster, role_text + " CA", now - backdated, now + std::chrono::days{days});
    auto* x = out.certificate.get();
    add(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0", x);
    add(x, NID_key_usage, "critical,keyCertSign,cRLSign", x);
    add_names(x, "troupe://authority/" + role_text, {});
    sign(out, out);
    return out;
  });
}

result<credential> issue(const credential& authority, const subject& to, int days, time_point now) {
  if (!is_name(to.name))
    return forbidden("\"" + to.name + "\" is no name of a process: it takes " + std::string{allowed_names});
  for (const auto& x : to.hosts)
    if (!is_host(x))
      return forbidden("\"" + x + "\" is neither a host name nor an address");
  if (to.hosts.size() > most_hosts)
    return forbidden("a certificate takes at most " + std::to_string(most_hosts) + " hosts");
  if (days < 1 || days > most_days)
    return forbidden(bad_days(days));
  const auto by = describe(authority.certificate);
  if (!by)
    return by.why();
  const std::string role_text{to_string(to.role)};
  if (!by->is_authority || by->role != to.role)
    return forbidden("a certificate of a " + role_text + " comes from the CA of that role only");
  if (by->not_after < now + std::chrono::days{days}) {
    const auto left = std::chrono::floor<std::chrono::days>(by->not_after - now).count();
    return forbidden("its CA ends on " + date_text(by->not_after) + ", before " + std::to_string(days) + " days: " +
                     (left >= 1 ? "take at most " + std::to_string(left) + " days, or make" : std::string{"make"}) +
                     " new CAs (`troupe cluster init` in another folder)");
  }
  return made([&] {
    auto out = begin(by->cluster, to.name, now - backdated, now + std::chrono::days{days});
    auto* x = out.certificate.get();
    auto* issuer = authority.certificate.get();
    add(x, NID_basic_constraints, "critical,CA:FALSE", issuer);
    add(x, NID_key_usage, "critical,digitalSignature", issuer);
    add(x, NID_ext_key_usage, "serverAuth,clientAuth", issuer);
    add_names(x, "troupe://" + role_text + '/' + to.name, to.hosts);
    sign(out, authority);
    return out;
  });
}

} // namespace troupe::cluster
