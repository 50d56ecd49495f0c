// Owners of OpenSSL's objects; for sources of this folder.
#pragma once

#include <memory>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace troupe::cluster {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const noexcept {
    Free(x);
  }
};

using owned_bio = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using owned_number = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using owned_serial = std::unique_ptr<ASN1_INTEGER, freed_by<ASN1_INTEGER_free>>;
using owned_names = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;
using owned_name = std::unique_ptr<GENERAL_NAME, freed_by<GENERAL_NAME_free>>;
using owned_string = std::unique_ptr<ASN1_STRING, freed_by<ASN1_STRING_free>>;
using owned_extension = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using owned_store = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using owned_store_context = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;
using owned_digest = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;

} // namespace troupe::cluster
