// The log files of one deployment on the disk: appending, rotation, and the bound on all of them. Confined to one
// thread.
#pragma once

#include <troupe/app/library/file.hpp>
#include <troupe/app/logs/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace troupe::logs {

/// A folder of logs and how much is in it.
class deployment_files {
public:
  explicit deployment_files(std::filesystem::path folder);

  const std::filesystem::path& folder() const noexcept { return folder_; }
  void count(std::uint64_t more) noexcept { total_ += more; }
  std::uint64_t total() const noexcept { return total_; }
  void set_written(const std::filesystem::path& file, bool yes);
  /// Looks at all files and removes the oldest ones that nobody writes until at most so many bytes and files are left.
  void trim(std::uint64_t bytes, std::size_t files);

private:
  std::filesystem::path folder_;
  std::uint64_t total_ = 0;
  std::set<std::filesystem::path> written_;
};

/// The file of one replica with its older ones.
class replica_file {
public:
  replica_file(deployment_files& all, const std::string& replica, const options& o);
  replica_file(const replica_file&) = delete;
  replica_file& operator=(const replica_file&) = delete;
  ~replica_file();

  struct appended {
    std::size_t bytes = 0; ///< Of whole lines.
    int why = 0;           ///< `errno` where not all were written; else 0.
  };
  /// Whole lines. A file is never left with a part of one.
  appended append(std::string_view lines);

private:
  int open();
  void rotate();
  appended write(std::string_view lines);

  deployment_files& all_;
  const std::filesystem::path path_;
  const options& options_;
  library::descriptor file_;
  std::uint64_t size_ = 0;
};

} // namespace troupe::logs
