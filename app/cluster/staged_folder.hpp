// A folder that is there whole or not at all: filled under a hidden name, then renamed.
#pragma once

#include <troupe/actors/router/result.hpp>

#include <filesystem>
#include <string_view>

namespace troupe::cluster {

/// With mode 0700, its files with mode 0600. What was not published goes with this object; after a crash a folder
/// `.NAME.new-...` stays, which nothing reads. Confined to one thread.
class staged_folder {
public:
  /// Beside `target`, whose parents are made. Errors show in the first call after.
  explicit staged_folder(const std::filesystem::path& target);
  staged_folder(const staged_folder&) = delete;
  staged_folder& operator=(const staged_folder&) = delete;
  ~staged_folder();

  /// `file` is relative; its folder is made. `unavailable` when it cannot be written.
  result<bool> write(const std::filesystem::path& file, std::string_view text);
  /// Renames and makes that durable. `rejected` when there is something at the target already, an empty folder apart.
  result<bool> publish();

private:
  std::filesystem::path target_;
  std::filesystem::path at_; ///< Empty once published, or never made.
  std::string why_;
};

/// Whether something would be overwritten.
bool is_taken(const std::filesystem::path& target);

} // namespace troupe::cluster
