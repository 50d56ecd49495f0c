// The folder of a cluster's CAs: made once, asked for certificates, listed.
//
//   DIR/ca/ROLE.pem, ROLE.key     the CA of each role; whoever has a key makes certificates of that role
//   DIR/controller/               the controller's bundle (bundle.hpp)
//   DIR/bundles/ROLE-NAME/        further bundles, unless made elsewhere
//   DIR/issued/ROLE-NAME-SERIAL.pem   each certificate that was made, without its key
#pragma once

#include <troupe/app/cluster/bundle.hpp>
#include <troupe/app/cluster/certificates.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::cluster {

inline constexpr int default_days = 365;
inline constexpr int default_authority_days = 3650;

struct new_cluster {
  std::string name;                          ///< `is_name`.
  std::vector<std::string> controller_hosts; ///< `is_host`.
  int days = default_days;                   ///< Of the controller's certificate.
  int authority_days = default_authority_days;
};

/// Makes CAs and the controller's bundle, named "controller". `rejected` when the folder has something in it, and for
/// values that cannot be; `unavailable` when it cannot be written. Then nothing is left.
result<certificate_info> init(const std::filesystem::path& folder, const new_cluster& x, time_point now);

struct new_bundle {
  certificate_info info;
  std::filesystem::path folder;
};

/// Makes a certificate and its bundle in `out` (empty = `DIR/bundles/ROLE-NAME`). Any number for one name. Errors as
/// `init`.
result<new_bundle> issue_bundle(const std::filesystem::path& folder, const subject& to, int days,
                                const std::filesystem::path& out, time_point now);

/// One certificate in a listing.
struct listed {
  certificate_info info;
  std::filesystem::path file;
  bool is_replaced = false; ///< There is a newer one for this role and name.
};

struct listing {
  bool is_cluster = true; ///< Else one bundle.
  std::vector<listed> certificates;
  std::vector<std::string> errors;   ///< As in `verified`.
  std::vector<std::string> warnings; ///< Likewise.
};

/// What a cluster's folder or a bundle holds, and what is wrong with it. `rejected` when it is neither.
result<listing> list(const std::filesystem::path& folder, time_point now);

} // namespace troupe::cluster
