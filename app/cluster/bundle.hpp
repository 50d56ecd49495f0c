// A process's certificate, key and CAs in a folder, and whether they are good.
//
// They are checked before CAF sees them: CAF 0.17 ends the process when one is bad, and takes none at all as a wish for
// connections that anybody may make.
#pragma once

#include <troupe/app/cluster/x509.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::cluster {

/// What a bundle consists of. CAF gets the first three: `caf.openssl.certificate`, `key` and `cafile`.
struct bundle_files {
  explicit bundle_files(const std::filesystem::path& folder);
  std::filesystem::path authority_of(role x) const; ///< The CA of that role; several while it is replaced.

  std::filesystem::path folder;
  std::filesystem::path certificate; ///< Maybe followed by CAs between it and its role's.
  std::filesystem::path key;
  std::filesystem::path trust; ///< The CAs of all roles in `trusted_by(own role)`, in one file.
};

/// Who a process is: all that it needs to prove it, and to check others. Immutable, shareable; holds the key.
struct identity {
  certificate_info info;
  x509_list certificates; ///< Its own, then those between it and its CA.
  key_handle key;
  std::array<x509_list, all_roles.size()> authorities; ///< In the order of `all_roles`.

  const x509_list& authorities_of(role x) const { return authorities.at(static_cast<std::size_t>(x) - 1); }
};

/// What was found. Every text names the file, what is wrong and what to do.
struct verified {
  std::shared_ptr<const identity> self; ///< Nothing when there are errors.
  std::vector<std::string> errors;
  std::vector<std::string> warnings; ///< Ends within 30 days; a key that others may read.
};

/// Checks that all files are there and readable, that the certificate is good at `now`, has its key, is of `expected`
/// (any role where nothing is given) and of that role's CA, and that the trusted CAs are exactly those of the roles
/// that it is to trust. Every fault is told, not the first one only.
verified verify(const std::filesystem::path& folder, std::optional<role> expected, time_point now);

/// The content of a file of at most 64 KiB, and whether others than its owner may read it. The error is a `verified`
/// text without the file.
struct small_file {
  std::string text;
  bool is_open_to_others = false;
};
result<small_file> read_small(const std::filesystem::path& file);

/// The warning on a private key that others may read.
std::string open_key_text(const std::filesystem::path& file);

/// How to replace a certificate or a CA that has ended or is about to.
std::string renewal_text(const certificate_info& x);

} // namespace troupe::cluster
