// Makes CAs and certificates: ECDSA with P-256 and SHA-256, serials of 127 random bits. In memory; folder.hpp writes
// them.
#pragma once

#include <troupe/app/cluster/x509.hpp>

#include <string>
#include <vector>

namespace troupe::cluster {

/// A certificate with its key.
struct credential {
  x509_handle certificate;
  key_handle key;
};

/// Whom a certificate is for.
struct subject {
  cluster::role role{};
  std::string name;               ///< `is_name`.
  std::vector<std::string> hosts; ///< `is_host`, at most 100. CAF 0.17 compares them with nothing.
};

inline constexpr int most_days = 36'500;
/// Certificates begin this long before they were made: clocks of machines differ by hours.
inline constexpr std::chrono::hours backdated{24};

/// The CA of one role, for certificates of processes only. `rejected` for names and days (1 to `most_days`) that cannot
/// be; `unavailable` where OpenSSL fails.
result<credential> make_authority(role of, const std::string& cluster, int days, time_point now);

/// A certificate for both ends of TLS, with a new key. `rejected` when `authority` is not the CA of the subject's role,
/// when it would end before the certificate, and as above.
result<credential> issue(const credential& authority, const subject& to, int days, time_point now);

} // namespace troupe::cluster
