// Private copies of packages (a folder, or a .tar.gz) in the data directory: what workers use is never the user's own.
//
//   <data>/packages/<digest>/     unpacked, read-only, one per content; kept as long as a revision needs it
#pragma once

#include <troupe/app/packages/intake.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace troupe::packages {

/// A value.
struct options {
  std::filesystem::path data_dir;               ///< Made when it is not there.
  std::vector<std::filesystem::path> code_dirs; ///< Only from there; links are resolved first.
  std::uint64_t max_archive_bytes = limits{}.archive_bytes;
  std::uint64_t max_unpacked_bytes = limits{}.unpacked_bytes;
  std::size_t max_files = limits{}.files; ///< Files, folders and links.
};

/// A package in the store. A value.
struct stored_package {
  std::string digest;           ///< Of the content: a folder and archives of it have the same.
  std::string package;          ///< As it was asked for.
  std::filesystem::path source; ///< Where it came from, links resolved.
  std::filesystem::path folder; ///< The copy.
  std::size_t files = 0;        ///< Files, folders and links.
  std::uint64_t bytes = 0;      ///< Of all files.
};

/// Thread-safe. One per data directory, in one process at a time. Functions block for as long as the copy takes.
class package_store {
public:
  /// Removes what an interrupted `put` left. Throws `std::runtime_error` when the data directory cannot be used.
  explicit package_store(options o);

  /// Copies the package, a folder or a .tar.gz in one of the code directories; a relative path is looked for in each.
  /// Durable when it returns. The same content twice is one copy; a damaged copy is replaced. Owners, times and bits
  /// but the executable one are not taken along. `invalid_spec`, beginning with `package`: it is at fault (where an
  /// entry is, its name, what it is and what is allowed); `unavailable`: the data directory. Then nothing is left of
  /// it.
  result<stored_package> put(const std::string& package);

  /// Where the copy is, or would be. Precondition: a digest that `put` gave.
  std::filesystem::path folder_of(const std::string& digest) const { return dir_ / digest; }
  /// False for what is no digest, too.
  bool contains(const std::string& digest) const;

  /// Removes copies of others than these, also while processes use them. Returns how many.
  std::size_t keep_only(const std::set<std::string>& digests);

  const options& settings() const noexcept { return options_; }

private:
  limits bounds() const;
  std::filesystem::path new_name() const;
  result<contents> copy(int from, const std::filesystem::path& to, bool& changed) const;
  std::optional<error> publish(const std::filesystem::path& from, const std::string& digest);

  options options_;
  std::filesystem::path dir_;
  std::mutex publishing_; ///< Held while a digest's name is given or taken away.
};

} // namespace troupe::packages
