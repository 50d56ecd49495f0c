// Certificates that `issue` would never make.
#pragma once

#include <troupe/app/cluster/certificates.hpp>
#include <troupe/app/cluster/openssl_owner.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace troupe::test {

struct forgery {
  cluster::x509_handle issuer; ///< Nothing: signed by itself.
  cluster::key_handle issuer_key;
  std::string common_name = "n1";
  std::vector<std::string> names; ///< URIs.
  const char* constraints = "critical,CA:FALSE";
  const char* usage = "critical,digitalSignature";
  const char* extended_usage = "serverAuth,clientAuth";
  std::string not_after = "20290101000000Z";
};

inline cluster::credential forge(const forgery& f) {
  const cluster::credential out{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  auto* x = out.certificate.get();
  auto* const issuer = f.issuer ? f.issuer.get() : x;
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  ASN1_STRING_set(X509_getm_notBefore(x), "20260101000000Z", -1);
  X509_getm_notBefore(x)->type = V_ASN1_GENERALIZEDTIME;
  ASN1_STRING_set(X509_getm_notAfter(x), f.not_after.data(), static_cast<int>(f.not_after.size()));
  X509_getm_notAfter(x)->type = V_ASN1_GENERALIZEDTIME;
  auto* subject = X509_get_subject_name(x);
  for (const auto& [part, text] : {std::pair{"O", std::string{"prod"}}, {"CN", f.common_name}})
    X509_NAME_add_entry_by_txt(subject, part, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                               static_cast<int>(text.size()), -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(issuer));
  X509_set_pubkey(x, out.key.get());
  for (const auto& [kind, text] : {std::pair{NID_basic_constraints, f.constraints},
                                   {NID_key_usage, f.usage},
                                   {NID_ext_key_usage, f.extended_usage}}) {
    const cluster::owned_extension extension{X509V3_EXT_conf_nid(nullptr, nullptr, kind, text)};
    REQUIRE(X509_add_ext(x, extension.get(), -1) == 1);
  }
  const cluster::owned_names names{GENERAL_NAMES_new()};
  for (const auto& text : f.names) {
    auto* value = ASN1_STRING_type_new(V_ASN1_IA5STRING);
    ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
    auto* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_URI, value);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  if (!f.names.empty())
    X509_add1_ext_i2d(x, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT);
  REQUIRE(X509_sign(x, f.issuer_key ? f.issuer_key.get() : out.key.get(), EVP_sha256()) > 0);
  return out;
}

} // namespace troupe::test
