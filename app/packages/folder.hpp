// Folders of files: read as a package, written as one, removed.
#pragma once

#include <troupe/app/packages/intake.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::packages {

/// All below the open folder. Links are not followed.
source_read read_folder(int folder, intake& to);

/// Writes to the new folder `at`, which only its owner sees until it is done. All fail with `unavailable`.
class folder_sink final : public sink {
public:
  explicit folder_sink(std::filesystem::path at) : at_(std::move(at)) {}

  /// Makes the folder, which must not be there.
  failure begin();

  failure folder(const std::string& path) override;
  failure begin_file(const std::string& path, bool executable) override;
  failure write(std::string_view bytes) override;
  failure end_file() override;
  failure same_file(const std::string& path, const std::string& of) override;
  failure link(const std::string& path, const std::string& target) override;

  /// Makes all of it read-only and brings it to the disk.
  failure finish();

private:
  failure failed(const char* what, const std::string& path) const;

  std::filesystem::path at_;
  library::descriptor root_;
  library::descriptor file_;
  std::string path_; ///< Of `file_`.
  bool executable_ = false;
  std::vector<std::string> folders_;
};

/// Takes what comes and keeps nothing: for digests.
class null_sink final : public sink {
public:
  failure folder(const std::string&) override { return std::nullopt; }
  failure begin_file(const std::string&, bool) override { return std::nullopt; }
  failure write(std::string_view) override { return std::nullopt; }
  failure end_file() override { return std::nullopt; }
  failure same_file(const std::string&, const std::string&) override { return std::nullopt; }
  failure link(const std::string&, const std::string&) override { return std::nullopt; }
};

/// Removes a folder and all in it, read-only or not. False when something is left.
bool remove_folder(const std::filesystem::path& at);

} // namespace troupe::packages
