// Private copies of users' libraries in the data directory: what runs is never the user's own file.
//
//   <data>/code/<digest>.so       as it was put, one per content; kept as long as a revision needs it
//   <data>/code/<digest>.needs    the libraries that it brings along, where it does
//   <data>/code/loaded/           copies that a running process has loaded (loader.hpp)
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/checks.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::library {

/// A value.
struct store_options {
  std::filesystem::path data_dir;               ///< Made when it is not there.
  std::vector<std::filesystem::path> code_dirs; ///< Only from there; links are resolved first.
  std::uint64_t max_file_bytes = std::uint64_t{1} << 30U;
  /// Of a process that only loads what another one puts: where its copies go. Empty = that process itself.
  std::filesystem::path loaded_dir = {};
};

/// A library in the store. A value.
struct stored {
  std::string digest;                    ///< SHA-256 of the content; of libraries brought along, too.
  std::string import_path;               ///< As it was asked for.
  std::string symbol;                    ///< The application in it.
  std::filesystem::path source;          ///< Where it came from, links resolved.
  std::uint64_t bytes = 0;               ///< Of the library alone.
  std::vector<std::string> applications; ///< All that it has.
};

/// One file of a stored library. A value.
struct stored_file {
  std::string soname; ///< Of a library that comes along; empty for the library itself.
  std::string digest; ///< SHA-256 of the file.
  std::filesystem::path file;
  std::string source; ///< For people.
};

/// Of files that are on their way into the store from another machine; what is left of them goes with the next start.
inline constexpr std::string_view fetch_prefix = "fetch-";

/// Whether it is 64 lowercase hex digits, as SHA-256 is written. Nothing else that comes from outside becomes part of a
/// path.
bool is_digest(std::string_view text);

/// One file of a library that was put into another store. A value.
struct needed_file {
  std::string soname; ///< As in `stored_file`.
  std::string digest;
  std::string source;
};

/// Thread-safe. One per data directory, in one process at a time; copies are the same one.
class store {
public:
  /// Removes what an interrupted `put` or fetch left. Throws `std::runtime_error` when the data directory cannot be
  /// used.
  explicit store(store_options options);

  /// Finds the library of `path/libx.so:app`, copies it and what it brings along, and checks the copy; no code of it
  /// runs. Durable when it returns. The same content twice is one copy. `invalid_spec`: the import_path or the file is
  /// at fault, `unavailable`: the data directory.
  result<stored> put(const std::string& import_path);

  /// Takes a library that was put into another store and whose files have come here, each to its `file_with`: after
  /// this it is as if it had been put here. False: it was known. `invalid_spec`: as `mismatch`; `unavailable`: a file
  /// is not there, or the data directory is at fault.
  result<bool> accept(const std::string& digest, const std::vector<needed_file>& files);
  /// Why this cannot be the list of what `put` named `digest`: it has another digest, not exactly one library, names
  /// that nobody could have put. Nothing when it is. Texts repeat nothing that is not known to be harmless.
  static std::optional<error> mismatch(const std::string& digest, const std::vector<needed_file>& files);

  bool contains(const std::string& digest) const;
  /// What was put: libraries brought along first, those that others need before these, the library itself last.
  /// `unavailable` when it is not there.
  result<std::vector<stored_file>> files(const std::string& digest) const;

  /// Removes stored copies of others than these. Returns how many.
  std::size_t keep_only(const std::set<std::string>& digests);

  /// Where the file with this digest is, or would be. Precondition: `is_digest(file_digest)`.
  std::filesystem::path file_with(const std::string& file_digest) const { return dir_ / (file_digest + ".so"); }
  /// Of all copies.
  const std::filesystem::path& folder() const noexcept { return dir_; }
  const store_options& options() const noexcept { return options_; }
  /// Of the copies that are loaded.
  std::filesystem::path loaded_dir() const {
    return options_.loaded_dir.empty() ? dir_ / "loaded" : options_.loaded_dir;
  }

private:
  struct taken;
  result<taken> take(const std::string& name, int fd);
  result<std::vector<taken>> take_dependencies(const std::string& name, const taken& library,
                                               const std::filesystem::path& source);
  result<bool> keep(taken& file);
  std::filesystem::path needs_of(const std::string& digest) const { return dir_ / (digest + ".needs"); }

  store_options options_;
  std::filesystem::path dir_;
};

} // namespace troupe::library
