// OpenSSL's certificates and keys with owners: parsed, described, checked against CAs.
//
// Nothing here asks for a passphrase (OpenSSL would, on the terminal) and nothing looks at the system's own CAs.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/cluster/names.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;     // OpenSSL's
struct evp_pkey_st; // OpenSSL's

namespace troupe::cluster {

using time_point = std::chrono::system_clock::time_point;

using x509_handle = std::shared_ptr<x509_st>;    ///< Not changed once made, so it may be shared.
using key_handle = std::shared_ptr<evp_pkey_st>; ///< Likewise.
using x509_list = std::vector<x509_handle>;

/// What a certificate of ours says. A value.
struct certificate_info {
  bool is_authority = false;
  cluster::role role{};
  std::string name; ///< Of the process; of a CA "CA".
  std::string cluster;
  std::vector<std::string> hosts;
  time_point not_before; ///< From here on,
  time_point not_after;  ///< and no longer from here on.
  std::string serial;    ///< Hex digits.
};

/// Reason of the first failure of OpenSSL on this thread since this was asked last.
std::string openssl_reason();

/// All certificates of a PEM text, at least 1 and at most 16. `rejected` when there is anything wrong with one.
result<x509_list> certificates_of_pem(std::string_view pem);
/// `rejected` when it is none, of another kind than EC or RSA, or encrypted with a passphrase.
result<key_handle> key_of_pem(std::string_view pem);
/// One certificate and nothing after it.
result<x509_handle> certificate_of_der(std::string_view der);

std::string to_pem(const x509_handle& x);
std::string to_pem(const key_handle& x); ///< PKCS #8, not encrypted.
std::string to_der(const x509_handle& x);

bool same(const x509_handle& a, const x509_handle& b);

/// `rejected` when it lacks what `issue` and `make_authority` put into one: exactly one URI `troupe://ROLE/NAME` whose
/// NAME is also the subject's common name (of a CA `troupe://authority/ROLE`).
result<certificate_info> describe(const x509_handle& x);

bool key_matches(const x509_handle& x, const key_handle& key);

/// Why `leaf` may not be used for TLS on both ends at that time; empty when it may. Paths go by `between` and end at
/// one of `authorities`, which are the only ones that are trusted. Keys and digests below 112 bits of security don't
/// count.
std::string why_not_trusted(const x509_handle& leaf, const x509_list& between, const x509_list& authorities,
                            time_point now);

/// "2026-11-27T10:00:00Z".
std::string date_text(time_point x);

/// The days before the end of a certificate in which it is told.
inline constexpr std::chrono::days early{30};
/// Empty more than 30 days before the end; else "expires on ..., in 12 days", or "expired on ...".
std::string expiry_text(time_point not_after, time_point now);

} // namespace troupe::cluster
